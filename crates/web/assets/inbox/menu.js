// Buttons that open a menu, by mouse and by keyboard.

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** @import { IconName } from "./icons.js" */

/**
 * @typedef {object} MenuItem
 * @property {string} label
 * @property {IconName} [icon]
 * @property {string} [hint] at the right, such as a key
 * @property {boolean} [checked] makes it a choice
 * @property {boolean} [danger]
 * @property {boolean} [separated] a line above
 * @property {string} [testid]
 * @property {() => void} run
 */

/** @type {(() => void) | null} */
let closeOpen = null;

/**
 * Turns a button into one that opens a menu.
 *
 * @param {HTMLButtonElement} button
 * @param {() => MenuItem[]} items asked when it opens
 * @param {string} [className]
 */
export function withMenu(button, items, className = "") {
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    const wasOpen = button.getAttribute("aria-expanded") === "true";
    closeOpen?.();
    if (!wasOpen) open(button, items(), className);
  });
  return button;
}

/** @param {HTMLButtonElement} button @param {MenuItem[]} items @param {string} className */
function open(button, items, className) {
  const stop = new AbortController();
  const menu = h("div", {
    class: `menu ${className}`,
    role: "menu",
    "aria-label": button.getAttribute("aria-label") ?? button.textContent?.trim() ?? "",
  });
  const close = () => {
    stop.abort();
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    if (closeOpen === close) closeOpen = null;
  };
  for (const item of items) {
    if (item.separated) menu.append(h("div", { class: "menu-line", role: "separator" }));
    menu.append(
      h(
        "button",
        {
          type: "button",
          class: `menu-item${item.danger ? " danger" : ""}`,
          role: item.checked === undefined ? "menuitem" : "menuitemradio",
          "aria-checked": item.checked === undefined ? null : String(item.checked),
          tabindex: "-1",
          "data-testid": item.testid,
          onclick: () => {
            close();
            if (button.isConnected) button.focus();
            item.run();
          },
        },
        item.checked === undefined
          ? item.icon
            ? icon(item.icon)
            : null
          : h("span", { class: "menu-check" }, item.checked && icon("check")),
        h("span", { class: "menu-label" }, item.label),
        item.hint && h("kbd", null, item.hint),
      ),
    );
  }
  // Inside an open dialog the page around it is inert.
  (button.closest("dialog") ?? document.body).append(menu);
  place(menu, button);
  button.setAttribute("aria-expanded", "true");
  closeOpen = close;
  const buttons = /** @type {HTMLButtonElement[]} */ ([...menu.querySelectorAll("button")]);
  (buttons.find((b) => b.getAttribute("aria-checked") === "true") ?? buttons[0])?.focus();
  menu.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.code];
    if (to !== undefined) {
      event.preventDefault();
      buttons[(to + buttons.length) % buttons.length]?.focus();
    }
    if (event.code === "Escape" || event.code === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      close();
      button.focus();
    }
  });
  const outside = (/** @type {Event} */ event) => {
    if (!menu.contains(/** @type {Node} */ (event.target)) && !button.contains(/** @type {Node} */ (event.target)))
      close();
  };
  document.addEventListener("pointerdown", outside, { capture: true, signal: stop.signal });
  window.addEventListener("resize", close, { signal: stop.signal });
  document.addEventListener(
    "scroll",
    (event) => {
      // A message that arrives scrolls the thread under an open menu.
      if (/** @type {Node} */ (event.target).contains(button)) place(menu, button);
    },
    { capture: true, signal: stop.signal },
  );
}

/** @param {HTMLElement} menu @param {HTMLElement} button */
function place(menu, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const gap = 4;
  const left = at.left + width > innerWidth - 8 ? at.right - width : at.left;
  const below = at.bottom + gap + height <= innerHeight - 8;
  menu.style.left = `${Math.max(8, left)}px`;
  menu.style.top = `${below ? at.bottom + gap : Math.max(8, at.top - gap - height)}px`;
}

/**
 * A round button with only an icon.
 *
 * @param {IconName} name
 * @param {string} label
 * @param {Record<string, any>} [props]
 */
export function iconButton(name, label, props = {}) {
  const { class: extra = "", ...rest } = props;
  return h(
    "button",
    { type: "button", class: `icon-button ${extra}`, "aria-label": label, title: label, ...rest },
    icon(name),
  );
}
