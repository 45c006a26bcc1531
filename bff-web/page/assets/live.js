// The socket: what changes, as it happens. Coming back after an interruption, and asking for what was missed
// meanwhile, is the library's work.

import { backoff, pause } from './wait.js';

const SESSION_OVER = 4501;
const SETTLED = 30_000;

export class Live {
  #signal;
  #on;
  #client = null;
  #failures = 0; // to connect, in a row
  #refusals = 0; // connections that the server ended for good, or nearly so, in a row
  #openSince = Infinity;

  /**
   * Works from start until the signal is aborted. on has
   *   state(state)     'connecting', 'live' or 'offline'
   *   change(data)     what the socket brought
   *   gap()            from here on nothing is missed, but something may have been before
   *   doubt(isOver)    asks whether there is a session still; isOver: the server says that there is not. Resolves
   *                    when that is known; if there is none, it has aborted the signal by then.
   */
  constructor(signal, on) {
    this.#signal = signal;
    this.#on = on;
    signal.addEventListener('abort', () => this.#client?.disconnect());
  }

  async start() {
    this.#on.state('connecting');
    const library = await this.#load();
    if (this.#signal.aborted) return;
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.#client = new library.Centrifuge(`${scheme}//${location.host}/web/ws`);
    this.#listen(this.#client);
    this.#client.connect();
  }

  // It is most of the code of the page, and nothing to be waited for before there is something to see.
  async #load() {
    for (let failures = 1; !this.#signal.aborted; failures += 1) {
      try {
        return await import('./centrifuge-5.8.0.mjs');
      } catch {
        this.#on.state('offline');
        await pause(backoff(failures), this.#signal);
      }
    }
    return null;
  }

  #listen(client) {
    client.on('connecting', () => this.#on.state('connecting'));
    client.on('connected', () => { this.#failures = 0; });
    client.on('subscribed', ({ wasRecovering, recovered }) => {
      this.#openSince = performance.now();
      this.#on.state('live');
      if (!wasRecovering || !recovered) this.#on.gap();
    });
    client.on('publication', ({ data }) => this.#on.change(data));
    client.on('error', () => this.#failed());
    client.on('disconnected', ({ code }) => this.#ended(code));
  }

  // A refused upgrade does not say why, not even that the session is over.
  #failed() {
    this.#failures += 1;
    this.#on.state('offline');
    if (this.#failures === 2 || this.#failures % 10 === 0) this.#on.doubt(false);
  }

  // The library has given up. If there is a session, it was another one, or something else was wrong: try again, and
  // ever more slowly as long as no connection lasts.
  async #ended(code) {
    if (this.#signal.aborted) return;
    this.#on.state('offline');
    if (performance.now() - this.#openSince > SETTLED) this.#refusals = 0;
    this.#openSince = Infinity;
    this.#refusals += 1;
    await this.#on.doubt(code === SESSION_OVER);
    await pause(backoff(this.#refusals), this.#signal);
    if (!this.#signal.aborted) this.#client.connect();
  }
}
