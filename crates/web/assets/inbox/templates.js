// Wordings that a provider has approved: found, filled, whole. No DOM.

import { holds } from "./matching.js";

/** @import { Template } from "./types/api.js" */

/** The longest value of a variable, in characters: as SendMessage takes. */
export const VALUE_LENGTH_MAX = 1024;

/**
 * A text piece by piece: its words, and the variables that stand between them.
 *
 * @param {string} text
 * @param {string[]} ids of the variables; what else stands in braces is words
 * @returns {({ words: string } | { id: string })[]}
 */
export function pieces(text, ids) {
  /** @type {({ words: string } | { id: string })[]} */
  const found = [];
  let words = "";
  let rest = text;
  for (let start = rest.indexOf("{{"); start >= 0; start = rest.indexOf("{{")) {
    const end = rest.indexOf("}}", start + 2);
    const id = end < 0 ? "" : rest.slice(start + 2, end);
    if (end >= 0 && ids.includes(id)) {
      found.push({ words: words + rest.slice(0, start) }, { id });
      words = "";
      rest = rest.slice(end + 2);
    } else {
      words += rest.slice(0, start + 2);
      rest = rest.slice(start + 2);
    }
  }
  found.push({ words: words + rest });
  return found.filter((one) => "id" in one || one.words !== "");
}

/** The words with their gaps filled, as the server fills them. @param {string} text @param {Record<string, string>} values */
export function filled(text, values) {
  return pieces(text, Object.keys(values))
    .map((one) => ("id" in one ? values[one.id] : one.words))
    .join("");
}

/** A value as it goes: in one line. @param {string} typed */
export function oneLine(typed) {
  return typed.replace(/\s+/gu, " ").trim();
}

/** The words as they could be, to recognise a template by. @param {Template} template */
export function sample(template) {
  const examples = (template.variables ?? []).map(({ id, example }) => [id, example || "…"]);
  return oneLine(filled(template.text ?? "", Object.fromEntries(examples)));
}

/** Whether a file may go with a template. @param {Template} template @param {string} mediaType */
export function suits(template, mediaType) {
  return mediaType.startsWith(template.fileKind ?? "");
}

/**
 * Whether nothing is missing.
 *
 * @param {Template} template
 * @param {Record<string, string>} values
 * @param {{ mediaType: string }[]} files
 */
export function isWhole(template, values, files) {
  const said = (template.variables ?? []).every(({ id }) => {
    const value = oneLine(values[id] ?? "");
    return value !== "" && [...value].length <= VALUE_LENGTH_MAX;
  });
  const wanted = template.takesFile ? 1 : 0;
  return said && files.length === wanted && files.every(({ mediaType }) => suits(template, mediaType));
}

/** A language as it is written in the web: `pt_BR` is `pt-BR`. @param {string | undefined} language */
export function languageTag(language = "") {
  return language.replaceAll("_", "-");
}

/**
 * The templates that have what was typed, those in the client's language first.
 *
 * @param {Template[]} templates
 * @param {string} query
 * @param {string} locale of the client; may be empty
 * @param {(template: Template) => string} also further words by which one is found
 */
export function findTemplates(templates, query, locale, also = () => "") {
  const spoken = (/** @type {string | undefined} */ tag) => languageTag(tag).toLowerCase().split("-")[0];
  const foreign = (/** @type {Template} */ one) => (locale !== "" && spoken(one.language) !== spoken(locale) ? 1 : 0);
  const words = (/** @type {Template} */ one) =>
    [one.name ?? "", (one.name ?? "").replaceAll("_", " "), one.text ?? "", also(one)].join(" ");
  return templates
    .filter((one) => query.trim() === "" || holds(words(one), query))
    .sort((a, b) => foreign(a) - foreign(b));
}
