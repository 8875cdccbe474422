// Short messages at the bottom, some with an undo.

import { View } from "./app.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";

const SHOWN_MS = 6_000;
const SHOWN_WITH_ACTION_MS = 15_000;

const bus = new EventTarget();

/**
 * @typedef {object} Toast
 * @property {string} text
 * @property {"info" | "error"} [kind]
 * @property {import("./icons.js").IconName} [icon] instead of the kind's
 * @property {{ label: string, run: () => void }} [action]
 */

/** @param {Toast} toast */
export function toast(toast) {
  bus.dispatchEvent(new CustomEvent("toast", { detail: toast }));
}

class Toasts extends View {
  start() {
    this.setAttribute("aria-live", "polite");
    this.setAttribute("role", "status");
    this.listen(bus, "toast", (event) => this.#show(event.detail));
  }

  watch() {
    return [];
  }

  /** @param {Toast} toast */
  #show({ text, kind = "info", icon: name, action }) {
    /** @type {ReturnType<typeof setTimeout>} */
    let timer;
    const close = () => {
      clearTimeout(timer);
      node.remove();
    };
    const node = h(
      "div",
      { class: `toast toast-${kind}`, "data-testid": "toast" },
      icon(name ?? (kind === "error" ? "warning" : "check")),
      h("span", { class: "toast-text" }, text),
      action &&
        h(
          "button",
          {
            type: "button",
            class: "link",
            "data-testid": "toast-action",
            onclick: () => {
              close();
              action.run();
            },
          },
          action.label,
        ),
      h("button", { type: "button", class: "icon-button", "aria-label": t("close"), onclick: close }, icon("close")),
    );
    const arm = () => {
      timer = setTimeout(close, action || kind === "error" ? SHOWN_WITH_ACTION_MS : SHOWN_MS);
    };
    node.addEventListener("pointerenter", () => clearTimeout(timer));
    node.addEventListener("pointerleave", arm);
    arm();
    this.append(node);
    while (this.children.length > 4) this.firstElementChild?.remove();
  }
}
customElements.define("sb-toasts", Toasts);
