// Questions to the state.

/**
 * @import { Conversation, Operator } from "./types/api.js"
 * @import { PendingMessage, State } from "./types/state.js"
 */

import { inFolder, isMentioned, listKey, sortFolder, takesPart } from "./order.js";

/**
 * The conversations of the open folder, in its order, within the loaded window.
 *
 * @param {State} state
 * @returns {Conversation[]}
 */
export function listed(state) {
  if (!state.me) return [];
  const me = state.me.id;
  const order = sortFolder(state.folder);
  const edge = state.lists[listKey(state.folder, state.queueId)]?.edge;
  return Object.values(state.conversations)
    .filter((c) => inFolder(c, state.folder, state.queueId, me) && inScope(state, c))
    .filter((c) => !edge || order(c, edge) <= 0)
    .sort(order);
}

/** @param {State} state @param {string} id */
export function conversation(state, id) {
  const known = state.conversations[id];
  if (known) return known;
  for (const timeline of Object.values(state.timelines)) {
    if (timeline.conversations[id]) return timeline.conversations[id];
  }
  return undefined;
}

/** @param {State} state @param {string} id */
export function offerOf(state, id) {
  return Object.values(state.offers).find((offer) => offer.conversationId === id);
}

/** @param {State} state @param {string} conversationId @returns {PendingMessage[]} */
export function pendingOf(state, conversationId) {
  return Object.values(state.pending)
    .filter((p) => p.conversationId === conversationId)
    .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
}

/** @param {State} state @param {Conversation | undefined} c */
export function mayWrite(state, c) {
  return (
    c !== undefined &&
    state.me !== null &&
    c.state !== "CLOSED" &&
    ((c.operatorId === state.me.id && c.state !== "OFFERED") || (c.participantIds ?? []).includes(state.me.id))
  );
}

/** An operator sees their queues, and what they take part in. @param {State} state @param {Conversation} c */
export function maySee(state, c) {
  return inScope(state, c) || isMentioned(c, state.me?.id ?? "");
}

/** Belongs to the operator's folders; what is seen for a mention alone does not. @param {State} state @param {Conversation} c */
export function inScope(state, c) {
  return isSupervisor(state) || takesPart(c, state.me?.id ?? "") || (c.queueId ?? "") in state.queues;
}

/** @param {State} state @param {Conversation | undefined} c @param {string} capability */
export function can(state, c, capability) {
  return (state.lines[c?.lineId ?? ""]?.capabilities ?? []).includes(capability);
}

/** A form and a call have no way back in writing. @param {State} state @param {Conversation | undefined} c */
export function answerable(state, c) {
  return can(state, c, "reply");
}

/** @param {State} state @param {string | undefined} id @returns {Operator | undefined} */
export function operator(state, id) {
  return id ? state.operators[id] : undefined;
}

/** @param {State} state */
export function isSupervisor(state) {
  return state.me?.role === "SUPERVISOR" || state.me?.role === "ADMIN";
}

/** @param {State} state */
export function isAdmin(state) {
  return state.me?.role === "ADMIN";
}

/** Colleagues other than the caller who write in a conversation just now. @param {State} state @param {string} id */
export function colleaguesTyping(state, id) {
  return Object.keys(state.typing[id] ?? {}).filter((who) => who !== "" && who !== state.me?.id);
}

/** @param {State} state @param {string} id */
export function clientTyping(state, id) {
  return "" in (state.typing[id] ?? {});
}

/** What the title and the icon count. @param {State} state */
export function attention(state) {
  const offers = Object.keys(state.offers).length;
  const due = Object.values(state.promises).filter(
    (p) => p.operatorId === state.me?.id && p.stage === "OBLIGATION_STAGE_DUE",
  ).length;
  return { offers, unread: (state.counts.MINE?.unread ?? 0) + state.mentions, due };
}
