// What the page knows of the queues, as the configuration changes them.

/**
 * @import { QueueSummary } from "./types/api.js"
 * @import { State } from "./types/state.js"
 */

import { isSupervisor } from "./selectors.js";

/**
 * Takes a queue as it is now. Their order, and the lines, which may have changed with
 * them, are asked for a moment later.
 *
 * @param {State} state
 * @param {QueueSummary} changed
 * @returns {State}
 */
export function takeQueue(state, changed) {
  const next = { ...state, countsStale: true };
  if (changed.removed) return dropQueue(next, changed.id);
  const { waiting, oldestWaitingSince } = state.queues[changed.id] ?? {};
  const queue = { ...changed, waiting, oldestWaitingSince };
  if (changed.id in state.queues || isSeen(state, changed.id)) {
    const queueIds = state.queueIds.includes(changed.id) ? state.queueIds : [...state.queueIds, changed.id];
    return { ...next, queues: { ...state.queues, [changed.id]: queue }, queueIds };
  }
  const known = state.otherQueues.some(({ id }) => id === changed.id);
  const otherQueues = known
    ? state.otherQueues.map((one) => (one.id === changed.id ? changed : one))
    : [...state.otherQueues, changed];
  return { ...next, otherQueues };
}

/** @param {State} state @param {string} id @returns {State} */
function dropQueue(state, id) {
  const { [id]: _, ...queues } = state.queues;
  return {
    ...state,
    queues,
    queueIds: state.queueIds.filter((known) => known !== id),
    otherQueues: state.otherQueues.filter((other) => other.id !== id),
    queueId: state.queueId === id ? "" : state.queueId,
  };
}

/** Whether its conversations are shown to whoever is signed in. @param {State} state @param {string} id */
function isSeen(state, id) {
  return isSupervisor(state) || (state.me?.queues ?? []).some((membership) => membership.queueId === id);
}
