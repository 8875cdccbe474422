// Finding by what was typed: also when it was typed on the other layout. No DOM.

const LATIN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.";
const CYRILLIC = "ёйцукенгшщзхъфывапролджэячсмитьбю";

/** @type {Map<string, string>} */
const OTHER = new Map();
[...LATIN].forEach((key, i) => {
  OTHER.set(key, CYRILLIC[i]);
  OTHER.set(CYRILLIC[i], key);
});

/** What the same keys write on the other layout. @param {string} text */
export function otherLayout(text) {
  return [...text.toLocaleLowerCase()].map((char) => OTHER.get(char) ?? char).join("");
}

/** As it is compared: few type "ё". @param {string} text */
function fold(text) {
  return text.toLocaleLowerCase().replaceAll("ё", "е");
}

/** The query, and what it is on the other layout. @param {string} query */
export function spellings(query) {
  const typed = query.trim().toLocaleLowerCase();
  const other = otherLayout(typed).trim();
  return other === typed ? [typed] : [typed, other];
}

/** Whether a text holds what was typed. @param {string} text @param {string} query */
export function holds(text, query) {
  const low = fold(text);
  return spellings(query).some((wanted) => low.includes(fold(wanted)));
}

/**
 * How well a canned reply fits: lower is better, null is not at all.
 *
 * @param {{ shortcut?: string, title?: string, text?: string, variants?: { text?: string }[] }} reply
 * @param {string} query
 */
function rank({ shortcut = "", title = "", text = "", variants = [] }, query) {
  const wanted = fold(query);
  const [key, name] = [fold(shortcut), fold(title)];
  if (wanted === "") return 0;
  if (key === wanted) return 1;
  if (key.startsWith(wanted)) return 2;
  if (name.startsWith(wanted) || name.includes(` ${wanted}`)) return 3;
  if (key.includes(wanted) || name.includes(wanted)) return 4;
  // A variable's name is none of the client's words.
  const words = (/** @type {string} */ one) => fold(one.replace(/\{\{[^{}\n]*\}\}/g, " "));
  return [text, ...variants.map((one) => one.text ?? "")].some((one) => words(one).includes(wanted)) ? 5 : null;
}

/**
 * The canned replies that fit, the best first, then those used most.
 *
 * @template {{ shortcut?: string, title?: string, text?: string, variants?: { text?: string }[], useCount?: string, personal?: boolean }} R
 * @param {R[]} replies
 * @param {string} query
 * @returns {R[]}
 */
export function ranked(replies, query) {
  const wishes = spellings(query);
  const fitting = replies.flatMap((reply) => {
    const ranks = wishes.map((wanted) => rank(reply, wanted)).filter((one) => one !== null);
    return ranks.length > 0 ? [{ reply, rank: Math.min(...ranks) }] : [];
  });
  const order = (/** @type {{ reply: R, rank: number }} */ a, /** @type {{ reply: R, rank: number }} */ b) =>
    a.rank - b.rank ||
    Number(b.reply.personal ?? false) - Number(a.reply.personal ?? false) ||
    Number(b.reply.useCount ?? 0) - Number(a.reply.useCount ?? 0) ||
    ((a.reply.shortcut ?? "") < (b.reply.shortcut ?? "") ? -1 : 1);
  return fitting.sort(order).map((one) => one.reply);
}

/**
 * Whether a text that was changed still has a sentence of the words that were put in.
 *
 * @param {string} text
 * @param {string} words
 */
export function stillHas(text, words) {
  return words
    .split(/[.!?…\n]+/)
    .map((sentence) => sentence.trim())
    .some((sentence) => sentence !== "" && text.includes(sentence));
}

/**
 * The word being typed after a mark that begins it, if the caret stands in one.
 *
 * @param {string} text
 * @param {number} caret
 * @param {string} mark one character
 * @param {number} spaces how many the word may hold
 * @param {number} [softAt] where another character was typed by the mark's key
 * @returns {{ start: number, query: string } | null}
 */
export function wordAfter(text, caret, mark, spaces, softAt = -1) {
  for (let start = caret - 1; start >= Math.max(0, caret - 64); start -= 1) {
    const char = text[start];
    if (char === "\n") return null;
    const begins = start === 0 || /[\s([{«"]/.test(text[start - 1] ?? "");
    if ((char === mark || start === softAt) && begins) {
      const query = text.slice(start + 1, caret);
      const gaps = query.split(" ").length - 1;
      return gaps <= spaces && !query.startsWith(" ") && !query.includes("  ") ? { start, query } : null;
    }
  }
  return null;
}

/**
 * A note piece by piece, with the colleagues it names.
 *
 * @param {string} text
 * @param {{ id: string, name: string }[]} people
 * @returns {{ text: string, id: string }[]} `id` is empty for what names nobody
 */
export function named(text, people) {
  const known = people.filter(({ name }) => name !== "").sort((a, b) => b.name.length - a.name.length);
  /** @type {{ text: string, id: string }[]} */
  const found = [];
  let end = 0;
  for (let at = text.indexOf("@"); at !== -1; at = text.indexOf("@", at + 1)) {
    // Part of an address.
    if (at < end || /[\p{L}\p{N}]/u.test(text[at - 1] ?? "")) continue;
    const rest = text.slice(at + 1);
    const person = known.find(
      ({ name }) =>
        rest.slice(0, name.length).toLocaleLowerCase() === name.toLocaleLowerCase() &&
        !/[\p{L}\p{N}]/u.test(rest[name.length] ?? ""),
    );
    if (!person) continue;
    if (at > end) found.push({ text: text.slice(end, at), id: "" });
    end = at + 1 + person.name.length;
    found.push({ text: text.slice(at, end), id: person.id });
  }
  if (end < text.length) found.push({ text: text.slice(end), id: "" });
  return found;
}

/**
 * Whom a note names. Of several with one name only who was chosen from the list.
 *
 * @param {string} text
 * @param {{ id: string, name: string }[]} people
 * @param {Set<string>} [chosen]
 * @returns {string[]} ids, each once
 */
export function mentioned(text, people, chosen = new Set()) {
  const names = new Map(people.map(({ id, name }) => [id, name.toLocaleLowerCase()]));
  const alike = (/** @type {string} */ id) => people.filter((one) => one.name.toLocaleLowerCase() === names.get(id));
  const ids = named(text, people)
    .filter(({ id }) => id !== "")
    .flatMap(({ id }) => {
      const same = alike(id);
      return same.length === 1 ? [id] : same.map((one) => one.id).filter((one) => chosen.has(one));
    });
  return [...new Set(ids)];
}
