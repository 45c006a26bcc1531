// Fetches the dashboard: one fetch at a time, and until there is an answer.

import { get, isPassing } from './api.js';
import { backoff, pause } from './wait.js';

export class Loader {
  #signal;
  #on;
  #wanted = 0;
  #running = false;
  #waiting = null;

  /**
   * Works until the signal is aborted. on has answered(body, askedAt), failed(answer, tryingAgain), and refused(),
   * which finds out whether there is a session still: if there is none, it has aborted the signal when it resolves.
   */
  constructor(signal, on) {
    this.#signal = signal;
    this.#on = on;
  }

  /** Sees to an answer that was asked for after this call. Cuts short any waiting. */
  ask() {
    this.#wanted += 1;
    this.#waiting?.abort();
    if (!this.#running) this.#run();
  }

  async #run() {
    this.#running = true;
    try {
      let served = null;
      let failures = 0;
      while (served !== this.#wanted && !this.#signal.aborted) {
        served = this.#wanted;
        const askedAt = performance.now();
        const answer = await get('/web/dashboard', this.#signal);
        if (this.#signal.aborted) return;
        if (answer.status === 200) {
          failures = 0;
          this.#on.answered(answer.body, askedAt);
          continue;
        }
        if (answer.status === 401) {
          await this.#on.refused();
          if (this.#signal.aborted) return;
        }
        const tryingAgain = isPassing(answer) || answer.status === 401;
        failures += 1;
        this.#on.failed(answer, tryingAgain);
        if (!tryingAgain || served !== this.#wanted) continue;
        await this.#wait(backoff(failures, answer.retryAfter));
        served = null;
      }
    } finally {
      this.#running = false;
    }
  }

  async #wait(milliseconds) {
    this.#waiting = new AbortController();
    await pause(milliseconds, AbortSignal.any([this.#signal, this.#waiting.signal]));
    this.#waiting = null;
  }
}
