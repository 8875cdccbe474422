// One approved wording: a field for each of its gaps, and what the client will read.

import { errorBox, field, showError } from "./dialog.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { language, t } from "./i18n.js";
import { pills } from "./parts.js";
import { VALUE_LENGTH_MAX, isWhole, languageTag, oneLine, pieces, suits } from "./templates.js";
import { Uploads } from "./uploads.js";

/** @import { Template } from "./types/api.js" */

/** @param {string} words */
const capital = (words) => words.charAt(0).toLocaleUpperCase() + words.slice(1);

/** @param {Template} template */
export function languageName({ language: own = "" }) {
  try {
    return capital(new Intl.DisplayNames([language()], { type: "language" }).of(languageTag(own)) ?? own);
  } catch {
    return own;
  }
}

/** @param {Template} template */
export function categoryName({ category = "" }) {
  if (category === "utility" || category === "marketing" || category === "authentication")
    return t(`template.category.${category}`);
  return capital(category);
}

/** What tells a template from others beside its name. @param {Template} template */
export const templateTags = (template) =>
  [languageName(template), categoryName(template)].filter(Boolean).map((name) => h("span", { class: "tag" }, name));

/** A variable's name in words. @param {Template} template @param {string} id */
function variableName(template, id) {
  const [, part, own] = /^(header|button) (.+)$/.exec(id) ?? ["", "", id];
  if (part === "button") return t("template.ofButton", { name: template.buttons?.[Number(own)] ?? own });
  const name = /^\d+$/.test(own) ? t("template.variable", { name: own }) : capital(own.replaceAll("_", " "));
  return part === "header" ? t("template.ofHeader", { name }) : name;
}

/** What kind of file goes with a template. @param {Template} template */
function fileLabel({ fileKind }) {
  if (fileKind === "image/") return t("template.file.image");
  return fileKind === "video/" ? t("template.file.video") : t("template.file.any");
}

export class TemplateForm {
  /**
   * @param {Template} template
   * @param {() => number} bytesMax of a file
   * @param {() => void} onChange
   */
  constructor(template, bytesMax, onChange) {
    this.template = template;
    this.onChange = onChange;
    this.fields = (template.variables ?? []).map(({ id, example }) => {
      const input = h("input", {
        type: "text",
        autocomplete: "off",
        dir: "auto",
        maxlength: VALUE_LENGTH_MAX,
        placeholder: example,
        "data-testid": "template-value",
        oninput: () => this.draw(),
        onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
      });
      return { id, name: variableName(template, id), input };
    });
    const tray = h("div", { class: "upload-tray", hidden: true });
    this.uploads = new Uploads(tray, bytesMax, () => this.draw());
    this.problem = errorBox("template-error");
    this.preview = h("div", {
      class: "reply-preview template-preview",
      dir: "auto",
      "data-testid": "template-preview",
    });
    this.node = h(
      "div",
      { class: "template-form" },
      h(
        "div",
        { class: "template-fields" },
        template.takesFile && this.#file(tray),
        this.problem,
        ...this.fields.map(({ name, input }) => field(name, input)),
        this.fields.length === 0 && !template.takesFile && h("p", { class: "hint" }, t("template.noGaps")),
      ),
      h("div", { class: "template-seen" }, h("b", null, t("template.preview")), this.preview),
    );
    this.draw();
  }

  /** @returns {Record<string, string>} */
  get values() {
    return Object.fromEntries(this.fields.map(({ id, input }) => [id, oneLine(input.value)]));
  }

  get whole() {
    return !this.uploads.busy && isWhole(this.template, this.values, this.uploads.results);
  }

  /** To where something is missing. */
  focus() {
    const gap = this.fields.find(({ input }) => oneLine(input.value) === "");
    const missing = this.template.takesFile && this.uploads.entries.length === 0 ? this.choose : gap?.input;
    missing?.focus();
    return missing !== undefined;
  }

  draw() {
    const { template, preview, values, uploads } = this;
    if (!preview || !uploads) return;
    const wrong = uploads.entries.find(({ file, result }) => !suits(template, result?.mediaType ?? file.type));
    showError(this.problem, wrong ? t("template.wrongFile", { name: wrong.file.name }) : "");
    const names = new Map(this.fields.map(({ id, name }) => [id, name]));
    replace(
      preview,
      uploads.entries.map(({ file: { name } }) =>
        h("p", { class: "chip" }, icon("file"), h("span", { class: "chip-name" }, name)),
      ),
      h(
        "div",
        { class: "text" },
        pieces(template.text ?? "", [...names.keys()]).map((one) => {
          if ("words" in one) return one.words;
          return values[one.id] || h("mark", { class: "variable empty" }, names.get(one.id) ?? one.id);
        }),
      ),
      pills(template.buttons),
    );
    this.onChange();
  }

  /** @param {HTMLElement} tray */
  #file(tray) {
    const { fileKind } = this.template;
    const picker = h("input", {
      type: "file",
      hidden: true,
      accept: fileKind ? `${fileKind}*` : null,
      "data-testid": "template-file",
      onchange: () => {
        const [file] = picker.files ?? [];
        if (file) {
          // One takes another's place.
          this.uploads.clear();
          this.uploads.add([file]);
        }
        picker.value = "";
        this.choose?.focus();
      },
    });
    this.choose = h(
      "button",
      { type: "button", class: "button", onclick: () => picker.click(), "data-testid": "template-choose-file" },
      icon("attach"),
      fileLabel(this.template),
    );
    return h("div", { class: "template-file" }, this.choose, picker, tray);
  }

  /** Enter goes on to what is missing. @param {KeyboardEvent} event */
  #key(event) {
    const enter = event.code === "Enter" || event.code === "NumpadEnter";
    if (!enter || event.isComposing || this.whole) return;
    event.preventDefault();
    this.focus();
  }
}
