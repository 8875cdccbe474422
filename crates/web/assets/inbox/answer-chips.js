// The answers offered with a message: a row of chips above the text.

import { ANSWERS_MAX, ANSWER_LENGTH_MAX, answerLabel, answerProblem } from "./answers.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { iconButton } from "./menu.js";

/** Answers of messages in the making, by conversation. @type {Map<string, string[]>} */
const kept = new Map();

/** The chips of one composer. */
export class AnswerChips {
  /**
   * @param {string} id of the conversation
   * @param {() => void} onChange
   * @param {() => void} leave gives the focus back to the text
   */
  constructor(id, onChange, leave) {
    this.id = id;
    this.onChange = onChange;
    this.leave = leave;
    this.chips = h("ul", { class: "plain answer-chips" });
    this.input = h("input", {
      type: "text",
      class: "answer-input",
      autocomplete: "off",
      dir: "auto",
      "aria-label": t("answers.label"),
      "aria-describedby": "answers-said",
      placeholder: t("answers.placeholder"),
      "data-testid": "answer-input",
      oninput: () => this.#typed(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
    });
    this.length = h("span", { class: "length", hidden: true });
    this.said = h("p", { class: "answers-said", id: "answers-said", role: "status", "data-testid": "answers-said" });
    this.node = h(
      "div",
      { class: "answers", role: "group", "aria-label": t("answers.title"), hidden: true, "data-testid": "answers" },
      h("div", { class: "answers-row" }, this.chips, this.input, this.length),
      this.said,
      iconButton("close", t("answers.none"), {
        onclick: () => {
          this.clear();
          this.leave();
        },
        "data-testid": "answers-close",
      }),
    );
    if (this.labels.length > 0) this.#draw();
  }

  /** What stands on the buttons. @returns {string[]} */
  get labels() {
    return kept.get(this.id) ?? [];
  }

  /** Opens the row, to type into; closes one with nothing in it. */
  toggle() {
    const nothing = this.labels.length === 0 && this.input.value === "";
    if (!this.node.hidden && nothing) {
      this.clear();
      this.leave();
      return;
    }
    this.node.hidden = false;
    this.#draw();
    this.input.focus();
  }

  /** @param {string[]} labels */
  fill(labels) {
    kept.set(this.id, labels);
    this.#draw();
  }

  clear() {
    kept.delete(this.id);
    this.input.value = "";
    this.node.hidden = true;
    this.#draw();
  }

  /** Takes what is typed and not added yet; false when it cannot stay so. */
  settle() {
    if (answerLabel(this.input.value) === "" || this.#add()) return true;
    this.input.focus();
    return false;
  }

  /** Says what is still to be done before answers can go. @param {boolean} hasText */
  remind(hasText) {
    if (this.labels.length === 0 || this.said.dataset.kind === "problem") return;
    replace(this.said, hasText ? "" : t("answers.needText"));
  }

  #add() {
    const label = answerLabel(this.input.value);
    const problem = answerProblem(label, this.labels);
    if (problem === "empty") return false;
    if (problem) {
      const values = { n: problem === "long" ? ANSWER_LENGTH_MAX : ANSWERS_MAX, name: label };
      this.said.dataset.kind = "problem";
      replace(this.said, icon("warning"), t(`answers.${problem}`, values));
      return false;
    }
    this.input.value = "";
    this.fill([...this.labels, label]);
    return true;
  }

  /** @param {number} index */
  #remove(index) {
    this.fill(this.labels.filter((_, i) => i !== index));
    this.input.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return;
    const enter = event.code === "Enter" || event.code === "NumpadEnter";
    if (enter && this.input.value.trim() === "") this.leave();
    else if (enter) this.#add();
    else if (event.code === "Escape") {
      if (this.labels.length === 0) this.clear();
      this.leave();
    } else if (event.code === "Backspace" && this.input.value === "" && this.labels.length > 0) {
      this.#remove(this.labels.length - 1);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #typed() {
    const length = [...answerLabel(this.input.value)].length;
    this.length.hidden = length === 0;
    this.length.textContent = `${length} / ${ANSWER_LENGTH_MAX}`;
    this.length.classList.toggle("over", length > ANSWER_LENGTH_MAX);
    delete this.said.dataset.kind;
    replace(this.said);
    this.onChange();
  }

  #draw() {
    if (this.labels.length > 0) this.node.hidden = false;
    this.chips.hidden = this.labels.length === 0;
    replace(
      this.chips,
      this.labels.map((label, index) =>
        h(
          "li",
          { class: "pill", "data-testid": "answer-chip" },
          h("span", { dir: "auto" }, label),
          iconButton("close", t("answers.remove", { name: label }), {
            onclick: () => this.#remove(index),
            "data-testid": "answer-remove",
          }),
        ),
      ),
    );
    this.#typed();
  }
}
