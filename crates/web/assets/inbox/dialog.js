// Modal dialogs on the platform's own <dialog>: focus stays in, Esc closes.

import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";

/** @import { Child } from "./dom.js" */

let count = 0;

/**
 * @param {object} options
 * @param {string} options.title
 * @param {Child[]} options.body
 * @param {string} [options.wide] a class of the dialog
 * @param {Child[]} [options.buttons] at the bottom, besides Cancel
 * @param {string} options.testid
 * @param {boolean} [options.cancel] whether there is a Cancel button
 * @returns {{ dialog: HTMLDialogElement, form: HTMLFormElement, closed: Promise<string> }}
 */
export function openDialog({ title, body, buttons = [], wide = "", testid, cancel = true }) {
  count += 1;
  const titleId = `dialog-title-${count}`;
  const form = h(
    "form",
    { method: "dialog" },
    h(
      "header",
      { class: "dialog-head" },
      h("h2", { id: titleId }, title),
      h(
        "button",
        { type: "button", class: "icon-button", "aria-label": t("close"), onclick: () => dialog.close("") },
        icon("close"),
      ),
    ),
    h("div", { class: "dialog-body" }, ...body),
    (buttons.length > 0 || cancel) &&
      h(
        "footer",
        { class: "dialog-foot" },
        cancel && h("button", { type: "button", class: "button", onclick: () => dialog.close("") }, t("cancel")),
        ...buttons,
      ),
  );
  const dialog = h("dialog", { class: `dialog ${wide}`, "aria-labelledby": titleId, "data-testid": testid }, form);
  const before = document.activeElement;
  document.body.append(dialog);
  const closed = new Promise((/** @type {(value: string) => void} */ resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue);
      dialog.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    });
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close("");
  });
  // What is only read is scrolled by the keyboard, too.
  const text = form.querySelector(".dialog-body");
  if (!text?.querySelector("a, button, input, select, textarea")) text?.setAttribute("tabindex", "0");
  dialog.showModal();
  return { dialog, form, closed };
}

/**
 * Asks for the values of a form's fields; null when the person thought better.
 *
 * @param {object} options
 * @param {string} options.title
 * @param {Child[]} options.body fields with names
 * @param {string} options.submit
 * @param {boolean} [options.danger]
 * @param {string} options.testid
 * @returns {Promise<FormData | null>}
 */
export async function ask({ title, body, submit, danger = false, testid }) {
  const button = h(
    "button",
    { value: "ok", class: `button ${danger ? "danger" : "primary"}`, "data-testid": `${testid}-submit` },
    submit,
  );
  const { form, closed } = openDialog({ title, body, buttons: [button], testid });
  /** @type {HTMLElement | null} */ (form.querySelector(".dialog-body :is(input, select, textarea)"))?.focus();
  return (await closed) === "ok" ? new FormData(form) : null;
}

/**
 * @param {string} title
 * @param {string} text
 * @param {string} submit
 * @param {string} testid
 * @returns {Promise<boolean>}
 */
export async function confirmDanger(title, text, submit, testid) {
  return (await ask({ title, body: [h("p", null, text)], submit, danger: true, testid })) !== null;
}

/**
 * A labelled field.
 *
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} [hint]
 */
export function field(label, control, hint) {
  count += 1;
  const id = `field-${count}`;
  control.id ||= id;
  if (hint) control.setAttribute("aria-describedby", `${control.id}-hint`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id }, label),
    control,
    hint && h("p", { class: "hint", id: `${control.id}-hint` }, hint),
  );
}

/**
 * @param {string} label
 * @param {Record<string, any>} props of the input
 */
export function checkbox(label, props) {
  return h("label", { class: "check" }, h("input", { type: "checkbox", ...props }), h("span", null, label));
}

/** @param {HTMLElement} target @param {string} text shown as an error, or removed when empty */
export function showError(target, text) {
  replace(target, text ? icon("warning") : null, text);
  target.hidden = text === "";
}

/** @param {string} testid */
export function errorBox(testid) {
  return h("p", { class: "form-error", role: "alert", hidden: true, "data-testid": testid });
}
