// Where an operator writes: a reply to the client, or a note that only
// colleagues see. The two never look alike.

import { send } from "./actions.js";
import { AnswerChips } from "./answer-chips.js";
import { View, getState } from "./app.js";
import { composerLists, drawNotice, mayGo, namedIn, takeUsed } from "./composer-lists.js";
import { drawHints, drawLength, drawModes, drawQuote, noAnswer } from "./composer-modes.js";
import { ComposerRow } from "./composer-row.js";
import { draft, saveDraft, stopTyping, typing } from "./drafts.js";
import { h, replace } from "./dom.js";
import { t } from "./i18n.js";
import { LetterFields } from "./letter-fields.js";
import { excerpt } from "./message.js";
import { channelName } from "./parts.js";
import { pref, whenPrefsChange } from "./prefs.js";
import { answerable, can, conversation } from "./selectors.js";
import { templateDialog } from "./template-dialog.js";
import { Uploads, acceptFiles } from "./uploads.js";

/** @import { Message } from "./types/api.js" */
/** @import { State } from "./types/state.js" */
/** @typedef {{ message: Message, mode: import("./letter-fields.js").Mode }} LetterAct */

/** Notes in the making, by conversation; the server keeps only replies. @type {Map<string, string>} */
const notes = new Map();
/** @type {Map<string, boolean>} which conversations were left in note mode */
const inNote = new Map();

class Composer extends View {
  start() {
    this.id_ = this.getAttribute("conversation") ?? "";
    const c = conversation(getState(), this.id_);
    const answers = answerable(getState(), c);
    this.mustNote = !answers || this.hasAttribute("notes");
    this.note = this.mustNote || (inNote.get(this.id_) ?? false);
    /** @type {Message | null} */
    this.replyTo = null;
    this.text = h("textarea", {
      rows: 1,
      dir: "auto",
      "data-testid": "composer-text",
      "aria-describedby": "composer-hint",
    });
    this.tray = h("div", { class: "upload-tray", hidden: true });
    this.quoted = h("div", { class: "composer-quote", hidden: true });
    this.letter = new LetterFields(() => this.#line()?.addresses ?? []);
    this.uploads = new Uploads(
      this.tray,
      () => Number(this.#line()?.attachmentBytesMax ?? 0),
      () => this.#buttons(),
    );
    this.modes = h("div", { class: "modes", role: "radiogroup", "aria-label": t("composer.mode") });
    this.answers = new AnswerChips(
      this.id_,
      () => this.#buttons(),
      () => this.text?.focus(),
    );
    this.lists = composerLists(this.text, this.id_, () => this.note === true);
    this.onLeave(() => this.lists?.leave());
    this.notice = h("p", { class: "composer-notice", role: "status", hidden: true, "data-testid": "composer-notice" });
    this.row = new ComposerRow(this.lists, {
      add: (files) => this.uploads?.add(files),
      answers: () => this.answers?.toggle(),
      template: () => void this.#template(),
      send: () => void this.#send(),
    });
    this.hint = h("span", { class: "hint", id: "composer-hint" });
    this.box = h(
      "div",
      { class: "composer" },
      h("div", { class: "composer-top" }, this.modes, this.hint),
      this.letter.node,
      this.answers.node,
      this.quoted,
      this.text,
      this.notice,
      this.tray,
      this.row.node,
    );
    this.letter.node.addEventListener("input", () => this.#buttons());
    this.#listeners(this.text);
    replace(
      this,
      !answers && noAnswer(c?.medium),
      this.box,
    );
    this.#load();
    this.#mode(this.note);
  }

  /** @param {HTMLTextAreaElement} text */
  #listeners(text) {
    text.addEventListener("input", () => this.#typed());
    text.addEventListener("blur", () => this.#left());
    text.addEventListener("keydown", (event) => this.#key(event));
    this.onLeave(
      acceptFiles({
        zone: this.closest("sb-thread") ?? this,
        text,
        mark: (on) => this.box?.classList.toggle("dropping", on),
        allowed: () => this.#mayAttach(),
        add: (files) => this.uploads?.add(files),
      }),
    );
    this.addEventListener("sb-reply", (event) => this.#quote(/** @type {CustomEvent<Message>} */ (event).detail));
    this.addEventListener("sb-letter", (event) => this.#write(/** @type {CustomEvent<LetterAct>} */ (event).detail));
    this.addEventListener("sb-refill", (event) => {
      this.#load();
      if (!this.note) this.answers?.fill(/** @type {CustomEvent<string[] | null>} */ (event).detail ?? []);
    });
    this.addEventListener("sb-answers", () => this.answers?.toggle());
    this.addEventListener("sb-template", () => void this.#template());
    this.addEventListener("sb-mode", (event) => {
      this.#mode(/** @type {CustomEvent<boolean>} */ (event).detail);
      this.text?.focus();
    });
    this.addEventListener("sb-begin", (event) => this.lists?.begin(/** @type {CustomEvent<string>} */ (event).detail));
    this.onLeave(whenPrefsChange(() => this.#buttons()));
    this.onLeave(() => {
      this.#left();
      this.uploads?.clear();
    });
  }

  /** @param {State} state */
  watch(state) {
    return [state.lines, state.connection, state.timelines];
  }

  render() {
    this.#buttons();
  }

  #line() {
    const state = getState();
    return state.lines[conversation(state, this.id_ ?? "")?.lineId ?? ""];
  }

  #mayAttach() {
    const state = getState();
    return !this.note && can(state, conversation(state, this.id_ ?? ""), "files");
  }

  #load() {
    if (!this.text) return;
    const id = this.id_ ?? "";
    this.text.value = (this.note ? notes.get(id) : getState().drafts[id]) ?? "";
    this.#grow();
  }

  /** @param {boolean} note */
  #mode(note) {
    const changed = this.note !== note && !this.mustNote;
    this.note = note || this.mustNote === true;
    inNote.set(this.id_ ?? "", this.note);
    if (changed) this.#load();
    if (this.note) {
      stopTyping();
      this.#quote(null);
      this.answers?.clear();
    }
    this.box?.classList.toggle("note", this.note);
    drawModes(this.modes, this.note, this.mustNote === true, (wanted, byKey) => {
      this.#mode(wanted);
      if (!byKey) this.text?.focus();
    });
    this.#buttons();
  }

  #buttons() {
    const { row, text, uploads, hint, notice, answers } = this;
    if (!row || !text || !uploads || !hint || !notice || !answers) return;
    const state = getState();
    const c = conversation(state, this.id_ ?? "");
    const note = this.note === true;
    row.draw(state, c, note, !answers.node.hidden);
    drawHints(text, hint, channelName(state, c?.lineId, c?.channel), note);
    drawNotice(notice, text.value, note, this.id_ ?? "", () => void this.#template());
    const over = drawLength(row.count, text.value, note ? 0 : (this.#line()?.textLengthMax ?? 0));
    const hasText = text.value.trim() !== "";
    answers.remind(hasText);
    const something = hasText || (!note && uploads.results.length > 0 && answers.labels.length === 0);
    const closed = notice.dataset.kind === "closed" && !notice.hidden;
    row.send.disabled = closed || !something || uploads.busy || over || (!note && !this.letter?.complete);
  }

  #typed() {
    const { text } = this;
    const id = this.id_ ?? "";
    if (!text) return;
    if (this.note) notes.set(id, text.value);
    else {
      draft(id, text.value);
      if (text.value.trim()) typing(id);
      else stopTyping();
    }
    this.#grow();
  }

  #grow() {
    if (!this.text) return;
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, innerHeight * 0.4)}px`;
    this.#buttons();
  }

  #left() {
    saveDraft(this.id_ ?? "");
    stopTyping();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.lists?.key(event)) return;
    const enter = event.code === "Enter" || event.code === "NumpadEnter";
    if (enter && !event.isComposing && !event.shiftKey && (event.ctrlKey || event.metaKey || pref("enterSends"))) {
      event.preventDefault();
      void this.#send();
    } else if (event.code === "Escape") {
      event.stopPropagation();
      if (this.replyTo) this.#quote(null);
      else this.text?.blur();
    }
  }

  /** A letter with its own addresses and subject. @param {LetterAct} act */
  #write({ message, mode }) {
    if (this.note) this.#mode(false);
    if (this.note || !this.text) return;
    this.#quote(mode === "forward" ? null : message);
    this.text.value += this.letter?.open(message, mode) ?? "";
    this.#typed();
  }

  /** @param {Message | null} message */
  #quote(message) {
    if (message && this.note) this.#mode(false);
    if (message && this.note) return;
    this.replyTo = message;
    drawQuote(this.quoted, message ? excerpt(message) : "", () => this.#quote(null));
    if (message) this.text?.focus();
  }

  async #template() {
    if (this.mustNote) return;
    if (await templateDialog(this.id_ ?? "")) this.text?.focus();
  }

  async #send() {
    const { text, uploads, row, answers } = this;
    if (!text || !uploads || !answers || !row || row.send.disabled) return;
    const id = this.id_ ?? "";
    const note = this.note === true;
    if (!answers.settle() || row.send.disabled) return;
    if (!note && !(await mayGo(text.value))) {
      text.focus();
      return;
    }
    this.lists?.close();
    send(id, {
      note,
      text: text.value.trim(),
      uploads: note ? [] : uploads.results,
      replyToMessageId: this.replyTo?.id ?? "",
      mentions: note ? namedIn(text.value) : [],
      cannedReplyIds: note ? [] : takeUsed(id, text.value),
      letter: note ? undefined : this.letter?.value(),
      buttons: answers.labels,
    });
    text.value = "";
    if (note) notes.delete(id);
    else {
      uploads.clear();
      draft(id, "");
      saveDraft(id);
    }
    if (!note) this.letter?.close();
    answers.clear();
    this.#quote(null);
    stopTyping();
    this.#grow();
    text.focus();
  }
}
customElements.define("sb-composer", Composer);
