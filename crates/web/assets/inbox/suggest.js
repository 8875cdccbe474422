// A list under the caret: what could be meant by the word that is being typed. The
// focus stays in the text; arrows choose, Enter and Tab insert, Esc closes.

import { caretBox } from "./caret.js";
import { h, replace } from "./dom.js";
import { t } from "./i18n.js";
import { wordAfter } from "./matching.js";

/**
 * @typedef {object} Choice
 * @property {Node[]} shown
 * @property {string} insert what stands in the text afterwards
 * @property {() => void} [picked]
 */

/**
 * @typedef {object} Source
 * @property {string} mark the character that opens the list at the start of a word
 * @property {string} code the key that writes the mark on an English layout
 * @property {boolean} shift whether with Shift
 * @property {number} spaces how many the word may hold
 * @property {boolean} eager opens before a letter is typed also when the key wrote something else
 * @property {string} label
 * @property {() => boolean} on
 * @property {(query: string) => Promise<Choice[]> | Choice[]} find
 * @property {(query: string) => string} nothing said when nothing fits; empty closes the list
 */

// As in the style sheet, with its edges.
const LIST_HEIGHT_MAX = 340;

let count = 0;

export class Suggest {
  /** @param {HTMLTextAreaElement} text @param {Source[]} sources */
  constructor(text, sources) {
    count += 1;
    this.text = text;
    this.sources = sources;
    this.id = `suggest-${count}`;
    this.list = h("div", { class: "suggest-list", role: "listbox", id: this.id });
    this.status = h("p", { class: "suggest-status", role: "status", "aria-live": "polite" });
    this.box = h("div", { class: "suggest", hidden: true, "data-testid": "suggest" }, this.list, this.status);
    /** @type {Choice[]} */
    this.choices = [];
    this.current = 0;
    /** @type {{ source: Source, start: number, query: string } | null} */
    this.word = null;
    /** Where a mark's key wrote another layout's character, and which. @type {Map<Source, { at: number, key: string }>} */
    this.soft = new Map();
    this.dismissed = -1;
    this.turn = 0;
    text.setAttribute("aria-autocomplete", "list");
    text.setAttribute("aria-haspopup", "listbox");
    text.setAttribute("aria-controls", this.id);
    // The text keeps the focus.
    this.box.addEventListener("pointerdown", (event) => event.preventDefault());
    const stop = new AbortController();
    const { signal } = stop;
    this.stop = stop;
    text.addEventListener("input", () => this.update(), { signal });
    text.addEventListener("blur", () => this.close(), { signal });
    text.addEventListener("click", () => this.update(), { signal });
    text.addEventListener("keyup", (event) => /^(Arrow(Left|Right)|Home|End)$/.test(event.code) && this.update(), {
      signal,
    });
    window.addEventListener("resize", () => this.close(), { signal });
    document.body.append(this.box);
  }

  get open() {
    return !this.box.hidden;
  }

  /** Takes a key that is for the list. @param {KeyboardEvent} event @returns {boolean} */
  key(event) {
    if (event.isComposing) return false;
    this.#soften(event);
    if (!this.open) return false;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    const step = plain ? { ArrowDown: 1, ArrowUp: -1 }[event.code] : undefined;
    if (event.code === "Escape") {
      this.dismissed = this.word?.start ?? -1;
      this.close();
    } else if (step && this.choices.length > 0) {
      this.current = (this.current + step + this.choices.length) % this.choices.length;
      this.#point();
    } else if (plain && /^(Enter|NumpadEnter|Tab)$/.test(event.code) && this.choices[this.current]) {
      this.#pick(this.choices[this.current]);
    } else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  /** Remembers that a mark's key wrote what it writes on another layout. @param {KeyboardEvent} event */
  #soften(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const source = this.sources.find((one) => one.code === event.code && one.shift === event.shiftKey && one.on());
    if (!source || event.key === source.mark || event.key.length !== 1) return;
    this.soft.set(source, { at: this.text.selectionStart, key: event.key });
  }

  /** Types a mark at the caret, as its button does. @param {string} mark */
  begin(mark) {
    const { text } = this;
    text.focus();
    const before = text.value.slice(0, text.selectionStart);
    this.dismissed = -1;
    type(text, (before === "" || /\s$/.test(before) ? "" : " ") + mark);
    this.update();
  }

  update() {
    this.word = this.#find();
    if (!this.word) {
      this.dismissed = -1;
      this.close();
      return;
    }
    if (this.word.start !== this.dismissed) void this.#ask(this.word);
  }

  #find() {
    const { value, selectionStart: caret, selectionEnd } = this.text;
    if (caret !== selectionEnd) return null;
    for (const source of this.sources.filter((one) => one.on())) {
      const soft = this.soft.get(source);
      const at = soft && value[soft.at] === soft.key ? soft.at : -1;
      const word = wordAfter(value, caret, source.mark, source.spaces, at);
      if (!word) continue;
      if (value[word.start] !== source.mark && !source.eager && word.query === "") continue;
      return { source, ...word };
    }
    return null;
  }

  /** @param {{ source: Source, query: string }} word */
  async #ask({ source, query }) {
    const turn = (this.turn += 1);
    const choices = await source.find(query);
    // Something else was typed meanwhile, or the field was left.
    if (turn !== this.turn || !this.text.isConnected || document.activeElement !== this.text) return;
    const nothing = choices.length === 0 ? source.nothing(query) : "";
    if (choices.length === 0 && nothing === "") {
      this.close();
      return;
    }
    this.choices = choices;
    this.current = 0;
    this.#draw(source.label, nothing);
  }

  /** @param {string} label @param {string} nothing */
  #draw(label, nothing) {
    this.list.setAttribute("aria-label", label);
    replace(
      this.list,
      this.choices.map((choice, i) =>
        h(
          "div",
          {
            class: "suggest-item",
            role: "option",
            id: `${this.id}-${i}`,
            "data-testid": "suggest-item",
            onclick: () => this.#pick(choice),
            onpointermove: () => {
              if (this.current === i) return;
              this.current = i;
              this.#point(false);
            },
          },
          ...choice.shown,
        ),
      ),
    );
    this.list.hidden = this.choices.length === 0;
    this.status.classList.toggle("sr", nothing === "");
    replace(this.status, nothing || t("suggest.count", { n: this.choices.length }));
    this.box.hidden = false;
    this.#place();
    this.#point();
  }

  /** @param {boolean} [scroll] */
  #point(scroll = true) {
    const nodes = [...this.list.children];
    nodes.forEach((node, i) => node.setAttribute("aria-selected", String(i === this.current)));
    const node = nodes[this.current];
    if (!node) {
      this.text.removeAttribute("aria-activedescendant");
      return;
    }
    this.text.setAttribute("aria-activedescendant", node.id);
    if (scroll) node.scrollIntoView({ block: "nearest" });
  }

  #place() {
    const { box, text } = this;
    const at = caretBox(text, this.word?.start ?? 0);
    const gap = 6;
    box.style.maxHeight = "";
    const { offsetWidth: width, offsetHeight: height } = box;
    const above = at.top - gap - 8;
    const below = innerHeight - at.bottom - gap - 8;
    // On the side where the longest list fits, so that it does not jump as it gets shorter.
    const up = below < LIST_HEIGHT_MAX && above > below;
    box.style.maxHeight = `${Math.max(96, up ? above : below)}px`;
    const shown = Math.min(height, up ? above : below);
    box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    box.style.top = `${Math.max(8, up ? at.top - gap - shown : at.bottom + gap)}px`;
  }

  /** @param {Choice} choice */
  #pick(choice) {
    const { word, text } = this;
    if (!word) return;
    const end = text.selectionStart;
    this.close();
    text.focus();
    text.setSelectionRange(word.start, end);
    type(text, choice.insert);
    this.soft.delete(word.source);
    choice.picked?.();
    // What could not be filled in is selected, to be written over.
    const gap = /\{\{[^{}\n]*\}\}/.exec(choice.insert);
    if (gap) text.setSelectionRange(word.start + gap.index, word.start + gap.index + gap[0].length);
  }

  close() {
    this.turn += 1;
    this.box.hidden = true;
    this.choices = [];
    this.text.removeAttribute("aria-activedescendant");
  }

  /** Takes the list off the page. */
  leave() {
    this.stop.abort();
    this.box.remove();
  }
}

/**
 * Writes into a field as if it were typed, so that it can be undone.
 *
 * @param {HTMLTextAreaElement} field
 * @param {string} words in place of what is selected
 */
export function type(field, words) {
  if (document.execCommand("insertText", false, words)) return;
  field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}
