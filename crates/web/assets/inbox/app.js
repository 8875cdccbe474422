// The one store of the page, and what every element stands on.

/** @import { Action, State } from "./types/state.js" */

import { initialState, reduce } from "./store.js";

/** @type {Set<() => void>} */
const listeners = new Set();
let state = initialState();
let scheduled = false;

/** @returns {State} */
export function getState() {
  return state;
}

/** @param {Action} action */
export function dispatch(action) {
  const next = reduce(state, action);
  if (next === state) return;
  state = next;
  if (scheduled) return;
  scheduled = true;
  // A burst of events is drawn once.
  queueMicrotask(() => {
    scheduled = false;
    for (const listener of [...listeners]) listener();
  });
}

/** @param {() => void} listener @returns {() => void} */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * An element that draws itself from the state, and again when what it depends on
 * has changed.
 */
export class View extends HTMLElement {
  /** @type {unknown[] | null} */
  #last = null;
  /** @type {(() => void)[]} */
  #cleanups = [];

  connectedCallback() {
    this.#last = null;
    this.start();
    this.#cleanups.push(subscribe(() => this.update()));
    this.update();
  }

  disconnectedCallback() {
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
  }

  /** Builds what does not change. */
  start() {}

  /**
   * What the picture depends on; compared one by one.
   *
   * @param {State} current
   * @returns {unknown[]}
   */
  watch(current) {
    return [current];
  }

  /** @param {State} _current */
  render(_current) {}

  /** Draws again if something watched has changed. */
  update() {
    const current = getState();
    const values = this.watch(current);
    const last = this.#last;
    if (last && last.length === values.length && values.every((value, i) => Object.is(value, last[i]))) return;
    this.#last = values;
    const refocus = this.#focusMark();
    this.render(current);
    refocus();
  }

  /** Remembers which of its parts has the focus, for those that are drawn anew. */
  #focusMark() {
    const active = this.contains(document.activeElement) ? document.activeElement : null;
    const mark = active?.getAttribute("data-testid");
    if (!active || !mark) return () => {};
    const alike = () => [
      .../** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll(`[data-testid="${CSS.escape(mark)}"]`)),
    ];
    const at = alike().indexOf(/** @type {HTMLElement} */ (active));
    return () => {
      if (!active.isConnected) alike()[at]?.focus({ preventScroll: true });
    };
  }

  /** Draws again whatever has changed. */
  redraw() {
    this.#last = null;
    if (this.isConnected) this.update();
  }

  /** @param {() => void} cleanup run when the element leaves the page */
  onLeave(cleanup) {
    this.#cleanups.push(cleanup);
  }

  /**
   * Listens on something that outlives the element.
   *
   * @param {EventTarget} target
   * @param {string} type
   * @param {(event: any) => void} listener
   */
  listen(target, type, listener) {
    target.addEventListener(type, listener);
    this.onLeave(() => target.removeEventListener(type, listener));
  }
}
