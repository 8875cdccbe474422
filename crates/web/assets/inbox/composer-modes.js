// The two ways to write, as a pair of radio buttons: reply and private note; what is
// said about them; and how long a reply may be.

import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { iconButton } from "./menu.js";
import { pref } from "./prefs.js";

/**
 * @param {HTMLElement | undefined} group
 * @param {boolean} note which one is chosen
 * @param {boolean} mustNote there is no way to reply
 * @param {(note: boolean, byKey: boolean) => void} choose
 */
export function drawModes(group, note, mustNote, choose) {
  if (!group) return;
  /** @param {boolean} value @param {import("./icons.js").IconName} name @param {string} label @param {string} testid */
  const button = (value, name, label, testid) =>
    h(
      "button",
      {
        type: "button",
        class: "mode",
        role: "radio",
        "aria-checked": String(note === value),
        disabled: !value && mustNote,
        tabindex: note === value ? "0" : "-1",
        "data-testid": testid,
        onclick: () => choose(value, false),
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          if (event.code !== "ArrowLeft" && event.code !== "ArrowRight") return;
          event.preventDefault();
          choose(!note, true);
          /** @type {HTMLElement | null} */ (group.querySelector("[aria-checked=true]"))?.focus();
        },
      },
      icon(name),
      label,
    );
  replace(
    group,
    button(false, "reply", t("composer.reply"), "mode-reply"),
    button(true, "lock", t("composer.note"), "mode-note"),
  );
}

/** Says what the button does. @param {HTMLElement} button @param {boolean} note */
export function drawSend(button, note) {
  button.classList.toggle("primary", !note);
  button.classList.toggle("amber", note);
  replace(button, icon(note ? "note" : "send"), t(note ? "composer.addNote" : "composer.send"));
}

/**
 * Says what is written here, and which key sends it.
 *
 * @param {HTMLTextAreaElement} text
 * @param {HTMLElement} hint
 * @param {string} channel
 * @param {boolean} note
 */
export function drawHints(text, hint, channel, note) {
  const label = note ? t("composer.notePlaceholder") : t("composer.placeholder", { name: channel });
  text.placeholder = label;
  text.setAttribute("aria-label", label);
  replace(hint, t(note ? "composer.noteHint" : pref("enterSends") ? "composer.enterHint" : "composer.ctrlEnterHint"));
}

/** What is answered. @param {HTMLElement | undefined} node @param {string} words @param {() => void} close */
export function drawQuote(node, words, close) {
  if (!node) return;
  node.hidden = !words;
  if (!words) return void replace(node);
  replace(node, icon("reply"), h("span", null, words), iconButton("close", t("composer.unquote"), { onclick: close }));
}

/** Why nobody can be answered here. @param {string | undefined} medium */
export const noAnswer = (medium) =>
  h(
    "p",
    { class: "strip", "data-testid": "not-answerable" },
    icon("warning"),
    t(medium === "FORM" ? "composer.form" : "composer.call"),
  );

/**
 * Says how long a reply is once that matters, and answers whether it is too long.
 *
 * @param {HTMLElement | undefined} count
 * @param {string} text
 * @param {number} most characters; 0 for no limit
 */
export function drawLength(count, text, most) {
  const length = [...text].length;
  const over = most > 0 && length > most;
  if (count) {
    count.hidden = most === 0 || length < most * 0.8;
    count.textContent = `${length} / ${most}`;
    count.classList.toggle("over", over);
  }
  return over;
}
