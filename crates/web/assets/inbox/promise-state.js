// Promises to clients: what is known of those that are to be done.

/**
 * @import { Obligation } from "./types/api.js"
 * @import { State } from "./types/state.js"
 */

import { isStale, without } from "./entities.js";
import { isSupervisor } from "./selectors.js";

/** @param {Obligation} p */
export function isOpen(p) {
  return p.state === "OBLIGATION_STATE_OPEN";
}

/**
 * What has ended, or went out of sight and so comes without its contact, is forgotten.
 *
 * @param {State} state
 * @param {Obligation} promise
 * @returns {State}
 */
export function upsertPromise(state, promise) {
  const { id, version = "0" } = promise;
  const gone = state.promisesGone[id];
  if (isStale(state.promises[id], promise)) return state;
  if (gone !== undefined && BigInt(version) <= BigInt(gone)) return state;
  if (isOpen(promise) && promise.contact) {
    return {
      ...state,
      promises: { ...state.promises, [id]: promise },
      promisesGone: without(state.promisesGone, id),
    };
  }
  return {
    ...state,
    promises: without(state.promises, id),
    promisesGone: { ...state.promisesGone, [id]: version },
  };
}

/** @param {State} state @param {Obligation[]} promises @returns {State} */
export function keepPromises(state, promises) {
  return { ...promises.reduce(upsertPromise, state), promisesLoaded: true };
}

/** Whether the operator is to see to it: their own, what is everybody's of their queues, and as a supervisor what is
 * nobody's any more or overdue. @param {State} state @param {Obligation} p */
export function concerns(state, p) {
  const me = state.me;
  if (!me) return false;
  if (p.operatorId === me.id) return true;
  if (p.escalated && isSupervisor(state)) return true;
  return !p.operatorId && (me.queues ?? []).some((q) => q.queueId === p.queueId);
}

/** @param {Obligation} a @param {Obligation} b */
export function byDue(a, b) {
  return Date.parse(a.dueAt ?? "") - Date.parse(b.dueAt ?? "") || (a.id < b.id ? -1 : 1);
}

/** What the operator is to see to, the first due first. @param {State} state */
export function duePromises(state) {
  return Object.values(state.promises)
    .filter((p) => concerns(state, p))
    .sort(byDue);
}

/** Those to a contact. @param {State} state @param {string | undefined} contactId */
export function promisesTo(state, contactId) {
  return Object.values(state.promises)
    .filter((p) => p.contact?.id === contactId)
    .sort(byDue);
}

/** @param {Obligation} p @param {number} now */
export function isOverdue(p, now) {
  return isOpen(p) && Date.parse(p.dueAt ?? "") <= now;
}

/** Whether its end is the operator's to say. @param {State} state @param {Obligation} p */
export function maySettle(state, p) {
  return isSupervisor(state) || !p.operatorId || p.operatorId === state.me?.id;
}
