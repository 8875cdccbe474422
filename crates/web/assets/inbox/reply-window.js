// How long a client may be written to after their last message, where the channel has such
// a rule. The server refuses later ones: this is so that nobody writes in vain.

import { conversation } from "./selectors.js";

/** @import { State } from "./types/state.js" */

/**
 * For how many hours a client has to have written, when they have not; 0 while they may be
 * written to.
 *
 * @param {State} state
 * @param {string} id of the conversation
 * @param {number} now
 */
export function windowClosed(state, id, now) {
  const c = conversation(state, id);
  const line = state.lines[c?.lineId ?? ""];
  const seconds = Number(line?.replyWindowS ?? 0);
  if (!c || seconds === 0) return 0;
  const last = lastWritten(state, c.contact?.id ?? "", c.lineId ?? "");
  // What is not loaded is not known: the server will say.
  if (last === 0 || now < last + seconds * 1000) return 0;
  return Math.round(seconds / 3600);
}

/** @param {State} state @param {string} contactId @param {string} lineId */
function lastWritten(state, contactId, lineId) {
  const written = (state.timelines[contactId]?.messages ?? [])
    .filter((message) => message.direction === "INBOUND" && message.lineId === lineId)
    .map((message) => Date.parse(message.sentAt ?? ""));
  return Math.max(0, ...written.filter((at) => !Number.isNaN(at)));
}
