// What the pages beside the inbox share: a title, loading, error, empty.

import { View } from "./app.js";
import { h, replace } from "./dom.js";
import { empty, failed, skeleton } from "./parts.js";
import { errorText } from "./refusals.js";

/** @import { Child } from "./dom.js" */
/** @import { IconName } from "./icons.js" */

/** A page that reads its content when it opens. */
export class Page extends View {
  /** @param {string} title @param {string} text @param {...Child} buttons */
  frame(title, text, ...buttons) {
    this.content = h("div", { class: "page-content" });
    replace(
      this,
      h(
        "div",
        { class: "page-head" },
        h("div", null, h("h1", null, title), text && h("p", { class: "muted" }, text)),
        h("div", { class: "page-buttons" }, ...buttons),
      ),
      this.content,
    );
  }

  /** @param {import("./types/state.js").State} _state @returns {unknown[]} */
  watch(_state) {
    /** @type {unknown[]} */
    const nothing = [];
    return nothing;
  }

  /**
   * @template T
   * @param {() => Promise<T>} read
   * @param {(answer: T) => void} show
   * @param {boolean} [quiet] without the loading picture, as when it is read again
   */
  async load(read, show, quiet = false) {
    if (!this.content) return;
    if (!quiet) replace(this.content, skeleton(5));
    try {
      const answer = await read();
      if (this.isConnected) show(answer);
    } catch (error) {
      if (!quiet && this.isConnected)
        replace(
          this.content,
          failed(errorText(error), () => void this.load(read, show)),
        );
    }
  }

  /** @param {...Child} children */
  show(...children) {
    if (this.content) replace(this.content, ...children);
  }

  /** @param {IconName} name @param {string} title @param {string} [text] */
  showEmpty(name, title, text) {
    this.show(empty(name, title, text));
  }
}

/**
 * @param {string} label
 * @param {string[]} heads
 * @param {Child[][]} rows
 * @param {string} testid
 */
export function table(label, heads, rows, testid) {
  return h(
    "div",
    { class: "table-wrap", tabindex: "0", role: "region", "aria-label": label },
    h(
      "table",
      { "data-testid": testid },
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          heads.map((head) => h("th", { scope: "col" }, head)),
        ),
      ),
      h(
        "tbody",
        null,
        rows.map((cells) =>
          h(
            "tr",
            null,
            cells.map((cell, i) => h("td", { "data-label": heads[i] ?? "" }, cell)),
          ),
        ),
      ),
    ),
  );
}
