// Waiting: for a while, or for longer each time.

/** Resolves after so many milliseconds, or as soon as the signal is aborted. */
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}

const SHORTEST = 1_000;
const LONGEST = 60_000;

/**
 * How many milliseconds to wait after so many failures in a row: at least what the server asked for (null if it did
 * not), and never the same for all the pages that failed at once.
 */
export function backoff(failures, asked = null) {
  const grown = Math.min(LONGEST, SHORTEST * 2 ** Math.min(failures - 1, 10));
  const wait = Math.max(grown / 2, Math.min(asked ?? 0, LONGEST));
  return wait + (Math.random() * grown) / 2;
}
