// Which conversation belongs where, and what comes before what.

/** @import { Conversation, DeliveryState, Folder, Message } from "./types/api.js" */

/** @type {Folder[]} */
export const FOLDERS = ["MINE", "WAITING", "ALL_OPEN", "SNOOZED", "ENDED"];

/** @param {Folder} folder @param {string} queueId */
export function listKey(folder, queueId) {
  return `${folder}|${queueId}`;
}

/** @param {Conversation} c */
export function isWaiting(c) {
  return c.state === "QUEUED" || c.state === "OFFERED";
}

/** Owned by somebody, offered to them or joined by them. @param {Conversation} c @param {string} who */
export function takesPart(c, who) {
  return c.operatorId === who || (c.participantIds ?? []).includes(who) || (c.askedOperatorIds ?? []).includes(who);
}

/** Seen for a note that names somebody. @param {Conversation} c @param {string} who */
export function isMentioned(c, who) {
  return (c.mentionedIds ?? []).includes(who);
}

/**
 * @param {Conversation} c
 * @param {Folder} folder
 * @param {string} queueId empty for all
 * @param {string} me
 */
export function inFolder(c, folder, queueId, me) {
  if (queueId !== "" && c.queueId !== queueId) return false;
  switch (folder) {
    case "MINE":
      return c.state !== "PARKED" && c.state !== "CLOSED" && takesPart(c, me);
    case "WAITING":
      return isWaiting(c);
    case "ALL_OPEN":
      return c.state !== "CLOSED";
    case "SNOOZED":
      return c.state === "PARKED" && c.operatorId === me;
    case "ENDED":
      return c.state === "CLOSED";
  }
}

/** @param {string | undefined} time */
const ms = (time) => (time ? Date.parse(time) : 0);

/**
 * Waiting ones in the order of the queue, others by the last message.
 *
 * @param {Folder} folder
 * @returns {(a: Conversation, b: Conversation) => number}
 */
export function sortFolder(folder) {
  if (folder === "WAITING") {
    return (a, b) =>
      (a.band ?? 0) - (b.band ?? 0) || ms(a.waitingSince) - ms(b.waitingSince) || compareText(a.id, b.id);
  }
  return (a, b) => ms(b.lastMessageAt ?? b.createdAt) - ms(a.lastMessageAt ?? a.createdAt) || compareText(b.id, a.id);
}

/** @param {Message} a @param {Message} b */
export function compareMessages(a, b) {
  return ms(a.storedAt ?? a.sentAt) - ms(b.storedAt ?? b.sentAt) || compareText(a.id, b.id);
}

/** @param {string} a @param {string} b */
function compareText(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @type {Record<DeliveryState, number>} */
const DELIVERY_RANK = { QUEUED: 1, SENT: 2, UNCERTAIN: 3, DELIVERED: 4, READ: 5, FAILED: 6 };

/**
 * Of two pictures of one message whose order is not known, the further one.
 *
 * @param {Message | undefined} a
 * @param {Message} b
 */
export function newerMessage(a, b) {
  if (!a) return b;
  const rank = (/** @type {Message} */ m) => (m.delivery ? (DELIVERY_RANK[m.delivery] ?? 0) : 0);
  const changed = Math.max(ms(a.editedAt), ms(a.deletedAt)) - Math.max(ms(b.editedAt), ms(b.deletedAt));
  if (changed > 0 || (changed === 0 && rank(a) > rank(b))) return a;
  return b;
}
