// Whom a letter goes to and what it is about: above the composer on lines of mail.

import { h, replace } from "./dom.js";
import { momentText, t } from "./i18n.js";
import { addressList, addressText, answerTo, readAddresses } from "./letter-addresses.js";
import { iconButton } from "./menu.js";

/** @import { LetterToSend, Message } from "./types/api.js" */

/** @typedef {"reply" | "replyAll" | "forward"} Mode */

/**
 * A letter's words to be passed on, below what is written.
 *
 * @param {Message} message
 */
function forwardedText(message) {
  const letter = message.letter ?? {};
  const rows = [
    [t("letter.from"), addressText(letter.from)],
    [t("letter.date"), momentText(message.sentAt)],
    [t("letter.subject"), letter.subject ?? ""],
    [t("letter.to"), addressList(letter.to)],
    [t("letter.cc"), addressList(letter.cc)],
  ];
  const head = rows.filter(([, value]) => value).map(([name, value]) => `${name}: ${value}`);
  return `\n\n---------- ${t("letter.forwarded")} ----------\n${head.join("\n")}\n\n${message.text?.plain ?? ""}`;
}

/** The fields; folded to one line until somebody changes them. */
export class LetterFields {
  /** @param {() => string[]} own our addresses on the line */
  constructor(own) {
    this.own = own;
    this.to = this.#input("letter.to", "letter-to");
    this.cc = this.#input("letter.cc", "letter-cc");
    this.subject = this.#input("letter.subject", "letter-subject");
    this.node = h("div", { class: "letter-fields", hidden: true, "data-testid": "letter-fields" });
    /** @type {Message | null} */
    this.forwarded = null;
  }

  /** @param {import("./i18n.js").Key} key @param {string} testid */
  #input(key, testid) {
    return h("input", { type: "text", autocomplete: "off", "aria-label": t(key), "data-testid": testid, dir: "auto" });
  }

  /**
   * Opens the fields for an answer to a letter, or for passing it on.
   *
   * @param {Message} message
   * @param {Mode} mode
   * @returns {string} what is passed on, to stand below what is written
   */
  open(message, mode) {
    const subject = message.letter?.subject ?? "";
    const { to, cc } = mode === "forward" ? { to: [], cc: [] } : answerTo(message, mode === "replyAll", this.own());
    this.to.value = addressList(to);
    this.cc.value = addressList(cc);
    const prefix = mode === "forward" ? "Fwd: " : "Re: ";
    const has = mode === "forward" ? /^(fwd?|пересл?)\s*:/iu : /^(re|ответ|отв|aw)(\[\d+\])?\s*:/iu;
    this.subject.value = has.test(subject) ? subject : `${prefix}${subject}`;
    this.forwarded = mode === "forward" ? message : null;
    this.node.hidden = false;
    /** @param {import("./i18n.js").Key} key @param {HTMLInputElement} input */
    const row = (key, input) => h("label", { class: "letter-field" }, h("span", null, t(key)), input);
    replace(
      this.node,
      row("letter.to", this.to),
      row("letter.cc", this.cc),
      row("letter.subject", this.subject),
      iconButton("close", t("letter.plainReply"), { onclick: () => this.close(), "data-testid": "letter-close" }),
    );
    if (mode === "forward") this.to.focus();
    return mode === "forward" ? forwardedText(message) : "";
  }

  /** Back to an answer to the client alone. */
  close() {
    this.node.hidden = true;
    this.forwarded = null;
    replace(this.node);
  }

  /** @returns {LetterToSend | undefined} */
  value() {
    if (this.node.hidden) return undefined;
    return {
      to: readAddresses(this.to.value),
      cc: readAddresses(this.cc.value),
      subject: this.subject.value.trim(),
      forwardedMessageId: this.forwarded?.id,
    };
  }

  /** Whether it says whom to write to. */
  get complete() {
    return this.node.hidden || readAddresses(this.to.value).length > 0;
  }
}
