// The live feed. One tab holds the stream and shares it with the others; when it
// closes, another takes over from the last cursor.

/** @import { SubscribeResponse } from "./types/api.js" */
/** @import { Connection } from "./types/state.js" */

import { FEED_URL } from "./api.js";

const LOCK = "switchboard.feed";
const CHANNEL = "switchboard.feed";
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 15_000;
// Once the server has said `ready` twice on one stream it beats; three missed
// beats of 5 s then mean that the stream is dead without an error.
const SILENCE_MS = 15_000;

/**
 * @typedef {object} FeedHandlers
 * @property {(step: SubscribeResponse) => void} onStep
 * @property {(connection: Connection) => void} onConnection
 * @property {() => Promise<void>} onReset loads everything anew
 * @property {() => string} cursor the last one seen
 * @property {() => Promise<unknown>} probe asks whether the session still stands; a stream's error does not say
 */

export class Feed {
  /** @param {FeedHandlers} handlers */
  constructor(handlers) {
    this.handlers = handlers;
    this.channel = new BroadcastChannel(CHANNEL);
    this.holder = false;
    this.stopped = new AbortController();
    /** @type {EventSource | null} */
    this.source = null;
    this.retryMs = RETRY_FIRST_MS;
    this.readyCount = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.retryTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.silenceTimer = undefined;
    this.channel.onmessage = ({ data }) => this.#heard(data);
    this.#hold();
    window.addEventListener("online", () => this.#reconnectNow(), { signal: this.stopped.signal });
    window.addEventListener("offline", () => this.#lost(), { signal: this.stopped.signal });
    this.channel.postMessage({ kind: "hello" });
  }

  /** Ends the stream for good, as at sign-out. */
  stop() {
    this.stopped.abort();
    this.#close();
    this.channel.close();
  }

  async #hold() {
    if (!navigator.locks) {
      this.#become();
      return;
    }
    try {
      await navigator.locks.request(LOCK, { signal: this.stopped.signal }, () => {
        this.#become();
        return new Promise((resolve) => this.stopped.signal.addEventListener("abort", () => resolve(undefined)));
      });
    } catch {
      // Signed out while waiting for the lock.
    }
  }

  #become() {
    this.holder = true;
    this.#open();
  }

  #open() {
    this.#close();
    if (this.stopped.signal.aborted) return;
    const cursor = this.handlers.cursor();
    const source = new EventSource(`${FEED_URL}?cursor=${encodeURIComponent(cursor)}`);
    this.source = source;
    this.readyCount = 0;
    source.onmessage = ({ data }) => {
      if (this.source === source) this.#arrived(JSON.parse(data));
    };
    source.onerror = () => {
      if (this.source !== source) return;
      this.#tellConnection(navigator.onLine ? "connecting" : "offline");
      // The browser's own retry would go on from the address's old cursor after
      // a reset, and gives up on an HTTP error: ours does neither.
      this.#retryLater();
    };
  }

  /** @param {SubscribeResponse} step */
  #arrived(step) {
    this.retryMs = RETRY_FIRST_MS;
    if (step.ready) this.readyCount += 1;
    if (this.readyCount > 1) this.#watchSilence();
    this.#tellConnection("online");
    if (step.reset) {
      this.#close();
      this.channel.postMessage({ kind: "reset" });
      this.handlers.onReset().then(
        () => this.#open(),
        () => this.#retryLater(),
      );
      return;
    }
    this.channel.postMessage({ kind: "step", step });
    this.handlers.onStep(step);
  }

  #watchSilence() {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => this.#reconnectNow(), SILENCE_MS);
  }

  #retryLater() {
    this.#close();
    clearTimeout(this.retryTimer);
    const again = () => this.#open();
    const failing = this.retryMs > RETRY_FIRST_MS;
    this.retryTimer = setTimeout(
      () => (failing ? this.handlers.probe().then(again, again) : again()),
      this.retryMs * (0.7 + Math.random() * 0.6),
    );
    if (failing) this.#tellConnection("offline");
    this.retryMs = Math.min(this.retryMs * 2, RETRY_LAST_MS);
  }

  #reconnectNow() {
    if (!this.holder) return;
    clearTimeout(this.retryTimer);
    this.#tellConnection("connecting");
    this.#open();
  }

  #lost() {
    if (this.holder) this.#tellConnection("offline");
  }

  #close() {
    clearTimeout(this.silenceTimer);
    this.source?.close();
    this.source = null;
  }

  /** @param {Connection} connection */
  #tellConnection(connection) {
    this.channel.postMessage({ kind: "connection", connection });
    this.handlers.onConnection(connection);
  }

  /** @param {{ kind: string, step?: SubscribeResponse, connection?: Connection }} message */
  #heard(message) {
    if (this.stopped.signal.aborted) return;
    if (message.kind === "hello" && this.holder && this.source) {
      this.channel.postMessage({ kind: "connection", connection: this.readyCount > 0 ? "online" : "connecting" });
    }
    if (this.holder) return;
    if (message.kind === "step" && message.step) this.handlers.onStep(message.step);
    if (message.kind === "connection" && message.connection) this.handlers.onConnection(message.connection);
    if (message.kind === "reset") void this.handlers.onReset();
  }
}
