// Addresses of letters: read, written, and whom an answer goes to.

/** @import { LetterAddress, Message } from "./types/api.js" */

/**
 * An address as it is shown and written: whatever a stranger's name holds, it looks like
 * no other address, and is read as this one.
 *
 * @param {LetterAddress | undefined} of
 */
export function addressText(of) {
  const { name = "", address = "" } = of ?? {};
  const plain = name.replaceAll(/["<>]/g, "").trim();
  if (!plain || plain === address) return address;
  return /[,;@]/.test(plain) ? `"${plain}" <${address}>` : `${plain} <${address}>`;
}

/** @param {LetterAddress[] | undefined} list */
export const addressList = (list) => (list ?? []).map(addressText).join(", ");

/**
 * Reads "Anna <anna@example.org>, boris@example.org".
 *
 * @param {string} text
 * @returns {LetterAddress[]}
 */
export function readAddresses(text) {
  /** @type {LetterAddress[]} */
  const read = [];
  // Commas and semicolons part addresses, except between quotes.
  for (const part of text.match(/(?:"[^"]*"|[^,;])+/g) ?? []) {
    const [, name = "", inside] = /^\s*"?([^"<]*?)"?\s*<([^>]*)>\s*$/.exec(part) ?? [];
    const address = (inside ?? part).trim();
    if (address) read.push(name ? { name, address } : { address });
  }
  return read;
}

/** In a field this would be read as more than one address, or as another. */
const SEVERAL = /[\s,;<>"]/;

/** @param {LetterAddress[]} list @param {Set<string>} without */
function distinct(list, without) {
  const seen = new Set(without);
  return list.filter(({ address = "" }) => {
    const key = address.toLowerCase();
    return key && !SEVERAL.test(key) && !seen.has(key) && seen.add(key);
  });
}

/**
 * Whom a letter is answered to.
 *
 * @param {Message} message
 * @param {boolean} all everybody who got it, too
 * @param {string[]} own our addresses on the line
 */
export function answerTo(message, all, own) {
  const letter = message.letter ?? {};
  const ours = new Set(own.map((address) => address.toLowerCase()));
  const inbound = message.direction === "INBOUND";
  // Whoever forges an address asks for the answer at another.
  const asked = letter.warnings?.includes("FORGED") ? [] : (letter.replyTo ?? []);
  const sender = asked.length ? asked : letter.from ? [letter.from] : [];
  const to = distinct(inbound ? sender : (letter.to ?? []), ours);
  const named = new Set([...ours, ...to.map(({ address = "" }) => address.toLowerCase())]);
  const others = inbound ? [...(letter.to ?? []), ...(letter.cc ?? [])] : (letter.cc ?? []);
  return { to, cc: all ? distinct(others, named) : [] };
}
