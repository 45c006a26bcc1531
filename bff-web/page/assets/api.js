// Calls to the BFF that serves this page. No call throws: whatever happens is an answer.

const PATIENCE = 10_000;

/** Reads; see call. */
export const get = (path, signal) => call('GET', path, signal);

/** Writes; see call. */
export const post = (path, signal) => call('POST', path, signal);

/**
 * Resolves with
 *   status      the HTTP status, or 0 if there was no answer that is one of the BFF's
 *   body        the JSON of a 200
 *   problem     the problem (RFC 9457) otherwise, {} if there is none
 *   retryAfter  in milliseconds, null if not said
 *   date        the server's clock in milliseconds since 1970, null if not said
 */
async function call(method, path, signal) {
  const patience = AbortSignal.timeout(PATIENCE);
  try {
    const response = await fetch(path, {
      method,
      headers: { 'X-CSRF': '1', Accept: 'application/json' },
      credentials: 'same-origin',
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
    return await read(response);
  } catch {
    return { status: 0, body: null, problem: {}, retryAfter: null, date: null };
  }
}

async function read(response) {
  const date = Date.parse(response.headers.get('Date') ?? '');
  const seconds = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
  const type = response.headers.get('Content-Type') ?? '';
  const answer = {
    status: response.status,
    body: null,
    problem: {},
    retryAfter: seconds >= 0 ? seconds * 1_000 : null,
    date: Number.isNaN(date) ? null : date,
  };
  if (response.ok) {
    answer.body = await response.json(); // what is no JSON comes from a portal on the way, not from the BFF
  } else if (type.startsWith('application/problem+json')) {
    answer.problem = (await response.json().catch(() => null)) ?? {};
  }
  return answer;
}

/** Whether the same call may well succeed later, without anybody doing anything. */
export const isPassing = (answer) => answer.status === 0 || answer.status === 429 || answer.status >= 500;
