// Whether somebody is signed in, and until when. The cookie is out of reach: only the server can tell.

import { get } from './api.js';
import { backoff, pause } from './wait.js';

const WARNING = 2 * 60_000; // before the end
const AFTERWARDS = 1_000; // so that the end is over when it is asked about

export class Session {
  #on;
  #asking = null;
  #waiting = null;
  #timer = null;
  #checkedAt = -Infinity;

  /**
   * on has here(session), gone(), away(answer) when it cannot be told at the moment, and ending(soon): null, or when
   * the session ends and whether it ends then whatever anybody does, as {at, final}.
   */
  constructor(on) {
    this.#on = on;
  }

  /** Asks now, and until there is an answer. Several calls at once are one. */
  check() {
    this.#waiting?.abort();
    this.#asking ??= this.#ask().finally(() => { this.#asking = null; });
    return this.#asking;
  }

  /** Asks if the last answer is older than that. */
  checkIfOlder(milliseconds) {
    if (performance.now() - this.#checkedAt > milliseconds) this.check();
  }

  async #ask() {
    for (let failures = 1; ; failures += 1) {
      const answer = await get('/web/session');
      if (answer.status === 200 || answer.status === 401) {
        clearTimeout(this.#timer);
        this.#checkedAt = performance.now();
        if (answer.status === 401) {
          this.#on.gone();
        } else {
          this.#on.here(answer.body);
          this.#watch(answer.body, answer.date ?? Date.now());
        }
        return;
      }
      this.#on.away(answer);
      this.#waiting = new AbortController();
      await pause(backoff(failures, answer.retryAfter), this.#waiting.signal);
      this.#waiting = null;
    }
  }

  // By the server's clock: nobody knows how wrong the one here is.
  #watch(session, now) {
    const idleEnd = Date.parse(session.expiresAt);
    const lastEnd = Date.parse(session.endsAt);
    const left = Math.min(idleEnd, lastEnd) - now;
    if (Number.isNaN(left)) return;
    const isSoon = left <= WARNING;
    this.#on.ending(isSoon ? { at: new Date(Date.now() + left), final: lastEnd <= idleEnd } : null);
    const next = isSoon ? Math.max(left, 10_000) + AFTERWARDS : left - WARNING;
    this.#timer = setTimeout(() => this.check(), Math.min(next, 2 ** 31 - 1));
  }
}
