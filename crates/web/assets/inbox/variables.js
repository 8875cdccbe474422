// The variables of canned replies, filled in before the operator's eyes. What has
// no value stays as it is written, so that nobody overlooks it. No DOM.

/** What may stand between the braces. */
export const VARIABLES = /** @type {const} */ ([
  "client.name",
  "client.first_name",
  "operator.name",
  "queue.name",
  "line.name",
  "conversation.id",
]);

/** @typedef {(typeof VARIABLES)[number]} Variable */
/** @typedef {Record<Variable, string>} Values an empty one is not known */

// A name, and after a bar what to say when it is not known.
const MARK = /\{\{([^{}|\n]{0,100})(?:\|([^{}\n]{0,200}))?\}\}/g;

/**
 * @typedef {object} Part
 * @property {string} text as it is shown
 * @property {"plain" | "filled" | "fallback" | "empty" | "unknown"} kind
 */

/**
 * A text piece by piece: what was filled in, and what could not be.
 *
 * @param {string} text
 * @param {Values} values
 * @returns {Part[]}
 */
export function parts(text, values) {
  /** @type {Part[]} */
  const found = [];
  let end = 0;
  for (const match of text.matchAll(MARK)) {
    const [mark, name = "", fallback] = match;
    if (match.index > end) found.push({ text: text.slice(end, match.index), kind: "plain" });
    end = match.index + mark.length;
    found.push(part(mark, name.trim(), fallback, values));
  }
  if (end < text.length) found.push({ text: text.slice(end), kind: "plain" });
  return found;
}

/** @param {string} mark @param {string} name @param {string | undefined} fallback @param {Values} values @returns {Part} */
function part(mark, name, fallback, values) {
  const known = VARIABLES.find((one) => one === name);
  const value = known ? values[known].trim() : "";
  if (value) return { text: value, kind: "filled" };
  // An unknown name is a mistake of whoever wrote the text: its fallback would hide it.
  if (!known) return { text: mark, kind: "unknown" };
  if (fallback !== undefined) return { text: fallback.trim(), kind: "fallback" };
  return { text: mark, kind: "empty" };
}

/** @param {string} text @param {Values} values */
export function filled(text, values) {
  return parts(text, values)
    .map((one) => one.text)
    .join("");
}

/**
 * What still stands in braces, each once.
 *
 * @param {string} text
 * @returns {string[]}
 */
export function unfilled(text) {
  return [...new Set(text.match(/\{\{[^{}\n]{0,300}\}\}/g) ?? [])];
}

/** The first word of a name. @param {string} name */
export function firstName(name) {
  return name.trim().split(/\s+/)[0] ?? "";
}

/**
 * The text of a canned reply in a client's language.
 *
 * @param {{ text?: string, variants?: { locale?: string, text?: string }[] }} reply
 * @param {string} locale such as "ru-RU"; empty when it is not known
 */
export function textIn(reply, locale) {
  const tag = locale.toLowerCase().replace("_", "-");
  const variants = reply.variants ?? [];
  const tagOf = (/** @type {{ locale?: string }} */ one) => (one.locale ?? "").toLowerCase();
  const found =
    variants.find((one) => tagOf(one) === tag) ??
    variants.find((one) => tag !== "" && tagOf(one).split("-")[0] === tag.split("-")[0]);
  return found?.text ?? reply.text ?? "";
}
