// A note's words with the colleagues it names marked.

import { h, linked } from "./dom.js";
import { t } from "./i18n.js";
import { named } from "./matching.js";
import { operatorName } from "./parts.js";

/** @import { Message } from "./types/api.js" */
/** @import { State } from "./types/state.js" */

/**
 * @param {State} state
 * @param {Message} message
 * @param {string} text
 * @param {(text: string) => (Node | string)[]} [plain] how the rest is written
 * @returns {(Node | string)[]}
 */
export function withMentions(state, message, text, plain = linked) {
  const ids = message.mentions ?? [];
  if (ids.length === 0) return plain(text);
  const people = ids.map((id) => ({ id, name: operatorName(state.operators[id]) }));
  const parts = named(text, people);
  const found = new Set(parts.map((part) => part.id));
  // Whoever goes by another name now, or wrote the name otherwise, is told of at the end.
  const others = people.filter(({ id }) => !found.has(id));
  return [
    ...parts.flatMap((part) => (part.id ? [mark(state, part.id, part.text)] : plain(part.text))),
    ...others.flatMap(({ id, name }) => [" ", mark(state, id, `@${name}`)]),
  ];
}

/** @param {State} state @param {string} id @param {string} text */
function mark(state, id, text) {
  const me = id === state.me?.id;
  return h(
    "span",
    { class: `mention${me ? " me" : ""}`, "data-testid": "mention", title: me ? t("mentions.you") : null },
    text,
  );
}
