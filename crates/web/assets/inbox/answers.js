// Answers that a client may give by a press: what may stand on them. No DOM.

/** As SendMessage takes. */
export const ANSWERS_MAX = 10;
export const ANSWER_LENGTH_MAX = 20;

/** What was typed, as it would stand on the button. @param {string} typed */
export function answerLabel(typed) {
  return typed.replace(/\s+/gu, " ").trim();
}

/**
 * Why an answer cannot be offered beside others; empty when it can.
 *
 * @param {string} label
 * @param {string[]} others
 * @returns {"" | "empty" | "long" | "twice" | "many"}
 */
export function answerProblem(label, others) {
  if (label === "") return "empty";
  if ([...label].length > ANSWER_LENGTH_MAX) return "long";
  if (others.includes(label)) return "twice";
  return others.length >= ANSWERS_MAX ? "many" : "";
}
