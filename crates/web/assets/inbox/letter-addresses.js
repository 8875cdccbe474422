// Addresses of letters: read, written, and whom an answer goes to.

/** @import { LetterAddress, Message } from "./types/api.js" */

/** @param {LetterAddress | undefined} of */
export function addressText(of) {
  if (!of) return "";
  const { name = "", address = "" } = of;
  return name && name !== address ? `${name} <${address}>` : address;
}

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

/** @param {LetterAddress[]} list @param {Set<string>} without */
function distinct(list, without) {
  const seen = new Set(without);
  return list.filter(({ address = "" }) => {
    const key = address.toLowerCase();
    return key && !seen.has(key) && seen.add(key);
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
