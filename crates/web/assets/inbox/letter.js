// What a letter has beside its words: who wrote it to whom, what to know before
// believing it, and the letter as it was written.

import { openDialog } from "./dialog.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { addressList, addressText } from "./letter-addresses.js";

/** @import { Letter, Message } from "./types/api.js" */

/** Letters that are shown whole, not only what is new in them. @type {Set<string>} */
const whole = new Set();

/**
 * Who wrote to whom, above the words.
 *
 * @param {Message} message
 */
export function letterHead(message) {
  const letter = message.letter;
  if (!letter) return false;
  const inbound = message.direction === "INBOUND";
  /** @type {[import("./i18n.js").Key, string][]} */
  const rows = [
    ["letter.from", inbound ? addressText(letter.from) : ""],
    ["letter.to", addressList(letter.to)],
    ["letter.cc", addressList(letter.cc)],
    ["letter.replyTo", addressList(letter.replyTo)],
  ];
  return h(
    "div",
    { class: "letter-head", "data-testid": "letter-head" },
    h("p", { class: "letter-subject", dir: "auto" }, letter.subject || t("letter.noSubject")),
    h(
      "dl",
      { class: "letter-rows" },
      rows
        .filter(([, value]) => value)
        .map(([key, value]) => h("div", null, h("dt", null, t(key)), h("dd", { dir: "auto" }, value))),
    ),
    ...marks(letter),
  );
}

/** @param {Letter} letter */
function marks(letter) {
  const automatic = letter.automatic;
  return [
    automatic &&
      h("p", { class: "letter-mark", "data-testid": "letter-automatic" }, icon("queue"), t(`letter.auto.${automatic}`)),
    ...(letter.warnings ?? []).map((warning) =>
      h(
        "p",
        { class: `letter-mark ${GRAVE.has(warning) ? "grave" : ""}`, "data-warning": warning },
        icon(GRAVE.has(warning) ? "warning" : "question"),
        t(`letter.warn.${warning}`),
      ),
    ),
  ];
}

/** What may be an attack. */
const GRAVE = new Set(["FORGED", "STRANGER", "LOOK_ALIKE", "SEVERAL_SENDERS", "REPLY_ELSEWHERE"]);

/**
 * The words that are new, and all of them on request.
 *
 * @param {Message} message
 * @param {(text: string) => (Node | string)[]} draw
 */
export function letterText(message, draw) {
  const full = message.text?.plain ?? "";
  const brief = message.letter?.hasBrief ? (message.letter.brief ?? "") : full;
  const text = h("p", { class: "text", dir: "auto" });
  const show = () => {
    const words = whole.has(message.id) ? full : brief;
    replace(text, ...draw(words));
    text.hidden = !words;
  };
  show();
  const label = () => t(whole.has(message.id) ? "letter.less" : "letter.whole");
  const more = h(
    "button",
    {
      type: "button",
      class: "link small",
      "data-testid": "letter-whole",
      onclick: () => {
        if (!whole.delete(message.id)) whole.add(message.id);
        more.textContent = label();
        show();
      },
    },
    label(),
  );
  return h(
    "div",
    { class: "letter-body" },
    text,
    h("div", { class: "letter-links" }, brief !== full && more, message.text?.html && originalButton(message)),
  );
}

/** Opens a message as it was laid out. @param {Message} message */
export const originalButton = (message) =>
  h(
    "button",
    { type: "button", class: "link small", "data-testid": "letter-original", onclick: () => showOriginal(message) },
    t("letter.original"),
  );

/**
 * The letter as it was written, in a frame of its own where nothing runs; pictures from
 * elsewhere, which tell the sender that it was read, only when they are asked for.
 *
 * @param {Message} message
 */
function showOriginal(message) {
  const address = `/letters/${encodeURIComponent(message.id)}`;
  const title = message.letter?.subject || t("letter.original");
  const frame = h("iframe", {
    class: "mail",
    sandbox: "allow-popups allow-popups-to-escape-sandbox",
    referrerpolicy: "no-referrer",
    title,
    src: address,
    "data-testid": "letter-frame",
  });
  const pictures = h(
    "button",
    {
      type: "button",
      class: "button",
      "data-testid": "letter-pictures",
      onclick: () => {
        frame.src = `${address}?pictures=true`;
        pictures.disabled = true;
      },
    },
    icon("eye"),
    t("letter.pictures"),
  );
  // As the server holds pictures back.
  const has = message.text?.html?.includes(' data-src="') ?? false;
  openDialog({ title, body: [frame], buttons: has ? [pictures] : [], wide: "wide", testid: "mail-dialog", cancel: false });
}
