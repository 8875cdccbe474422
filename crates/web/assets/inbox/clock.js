// The server's time, and what ticks by it.

// The monotonic clock: a person who sets the computer's clock moves no countdown.
let serverAtMs = Date.now();
let measuredAtMs = performance.now();
let known = false;

/** @param {string | undefined} serverTime @param {number} [tookMs] of the call that brought it */
export function setServerTime(serverTime, tookMs = 0) {
  if (!serverTime) return;
  const at = Date.parse(serverTime);
  if (Number.isNaN(at)) return;
  serverAtMs = at + tookMs / 2;
  measuredAtMs = performance.now();
  known = true;
}

/** Milliseconds of the server's clock. */
export function serverNow() {
  return known ? serverAtMs + (performance.now() - measuredAtMs) : Date.now();
}

/** @type {Set<() => void>} */
const tickers = new Set();

/** @param {() => void} tick called every second @returns {() => void} */
export function everySecond(tick) {
  tickers.add(tick);
  return () => tickers.delete(tick);
}

setInterval(() => {
  for (const tick of tickers) tick();
}, 1000);

/** "4:07", "1:02:33", "3 d". @param {number} ms */
export function clockText(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  if (hours >= 1) return `${hours}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
  return `${Math.floor(seconds / 60)}:${pad(seconds % 60)}`;
}

// From when on a wait asks for attention: a text's usual service goal, and thrice that.
const LATE_MS = 60_000;
const OVERDUE_MS = 180_000;

/**
 * `<sb-timer since="…">` counts up, `<sb-timer until="…">` down, by server time.
 */
export class Timer extends HTMLElement {
  static observedAttributes = ["since", "until"];
  #stop = () => {};
  #shown = "";

  connectedCallback() {
    this.#stop = everySecond(() => this.tick());
    this.tick();
  }

  disconnectedCallback() {
    this.#stop();
  }

  attributeChangedCallback() {
    this.tick();
  }

  tick() {
    const until = this.getAttribute("until");
    if (until) {
      this.#show(clockText(Math.ceil((Date.parse(until) - serverNow()) / 1000) * 1000));
      return;
    }
    const waited = serverNow() - Date.parse(this.getAttribute("since") ?? "");
    if (Number.isNaN(waited)) return;
    const days = Math.floor(waited / 86_400_000);
    this.#show(days > 0 ? `${days}d ${Math.floor(waited / 3_600_000) % 24}h` : clockText(waited));
    this.dataset.level = waited >= OVERDUE_MS ? "overdue" : waited >= LATE_MS ? "late" : "calm";
  }

  /** @param {string} text */
  #show(text) {
    if (this.#shown === text) return;
    this.#shown = text;
    this.textContent = text;
  }
}
customElements.define("sb-timer", Timer);
