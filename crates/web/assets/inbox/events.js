// How one step of the feed changes the state.

/**
 * @import { Contact, FeedEvent, SubscribeResponse } from "./types/api.js"
 * @import { State } from "./types/state.js"
 */

import {
  dropConversation,
  moveWaiting,
  upsertContact,
  upsertConversation,
  upsertMessage,
  upsertOperator,
  without,
} from "./entities.js";
import { rate, score } from "./opinions.js";
import { inFolder } from "./order.js";
import { upsertPromise } from "./promise-state.js";
import { takeQueue } from "./queue-state.js";

// Typing is told again every few seconds while it lasts.
const TYPING_LASTS_MS = 8_000;

/**
 * @param {State} state
 * @param {SubscribeResponse} step
 * @param {number} now local milliseconds
 * @returns {State}
 */
export function applyEvent(state, step, now) {
  const next = step.cursor ? { ...state, cursor: step.cursor } : state;
  return step.event ? apply(next, step.event, now) : next;
}

/** @param {State} state @param {FeedEvent} event @param {number} now @returns {State} */
function apply(state, event, now) {
  if (event.conversationOpened) return opened(state, event.conversationOpened);
  if (event.conversationChanged && !event.conversationChanged.contact) {
    return dropConversation(state, event.conversationChanged);
  }
  if (event.conversationChanged) {
    const known = event.conversationChanged.id in state.conversations;
    const next = upsertConversation(state, event.conversationChanged);
    return known ? next : { ...next, countsStale: true };
  }
  if (event.messageAdded) return stopTyping(upsertMessage(state, event.messageAdded, true), event.messageAdded);
  if (event.messageChanged) return upsertMessage(state, event.messageChanged, true);
  if (event.offerMade) {
    const { offer, conversation } = event.offerMade;
    const next = conversation ? upsertConversation(state, conversation) : state;
    if (offer.operatorId !== state.me?.id) return next;
    return { ...next, offers: { ...next.offers, [offer.id]: offer } };
  }
  if (event.offerEnded) return { ...state, offers: without(state.offers, event.offerEnded.id) };
  if (event.presenceChanged) return upsertOperator(state, event.presenceChanged);
  if (event.mentionsChanged) return { ...state, mentions: event.mentionsChanged.unreadCount ?? 0 };
  if (event.cannedRepliesChanged) return { ...state, repliesVersion: state.repliesVersion + 1 };
  if (event.queueChanged) return takeQueue(state, event.queueChanged);
  if (event.contactChanged?.profile) return upsertContact(state, event.contactChanged);
  if (event.contactChanged) return forgetDetails(state, event.contactChanged.id);
  if (event.contactsMerged?.contact) {
    return merged(state, event.contactsMerged.mergedContactId ?? "", event.contactsMerged.contact);
  }
  const promise = event.obligationChanged ?? event.obligationDue?.obligation;
  if (promise) return upsertPromise(state, promise);
  if (event.rated) return rate(state, event.rated);
  if (event.scored) return score(state, event.scored);
  if (event.typing) {
    const { conversationId = "", operatorId = "", active } = event.typing;
    const { [operatorId]: _, ...others } = state.typing[conversationId] ?? {};
    const who = active ? { ...others, [operatorId]: now + TYPING_LASTS_MS } : others;
    return { ...state, typing: { ...state.typing, [conversationId]: who } };
  }
  return state;
}

/** @param {State} state @param {import("./types/api.js").Conversation} conversation */
function opened(state, conversation) {
  if (conversation.id in state.conversations || !state.me) return upsertConversation(state, conversation);
  const counts = { ...state.counts };
  for (const folder of /** @type {const} */ (["MINE", "WAITING", "ALL_OPEN", "SNOOZED"])) {
    const count = counts[folder];
    if (count && inFolder(conversation, folder, "", state.me.id)) {
      counts[folder] = { count: count.count + 1, unread: count.unread + ((conversation.unreadCount ?? 0) > 0 ? 1 : 0) };
    }
  }
  const waits = inFolder(conversation, "WAITING", "", state.me.id);
  const queues = waits ? moveWaiting(state.queues, conversation.queueId, 1) : state.queues;
  return upsertConversation({ ...state, counts, queues }, conversation);
}

/** @param {State} state @param {import("./types/api.js").Message} message @returns {State} */
function stopTyping(state, message) {
  const author = message.direction === "INBOUND" ? "" : (message.operatorId ?? "");
  const who = state.typing[message.conversationId ?? ""];
  if (!who || !(author in who)) return state;
  return { ...state, typing: { ...state.typing, [message.conversationId ?? ""]: without(who, author) } };
}

/** @param {State} state @param {string} goneId @param {Contact} contact @returns {State} */
function merged(state, goneId, contact) {
  const conversations = { ...state.conversations };
  for (const c of Object.values(conversations)) {
    if (c.contact?.id === goneId) {
      conversations[c.id] = { ...c, contact: { ...c.contact, id: contact.id } };
    }
  }
  // Both histories are one now; what is open is read anew.
  const timelines = without(without(state.timelines, goneId), contact.id);
  const details = Object.fromEntries(
    Object.entries(state.details).filter(([, d]) => ![goneId, contact.id, ""].includes(d.contactId)),
  );
  const contacts = without(without(state.contacts, goneId), contact.id);
  const next = { ...state, conversations, timelines, details, contacts };
  return contact.profile ? upsertContact(next, contact) : next;
}

/**
 * The news is that a contact is not what it was: cards that are not open are read
 * anew when they are.
 *
 * @param {State} state
 * @param {string} contactId
 * @returns {State}
 */
function forgetDetails(state, contactId) {
  const details = Object.entries(state.details);
  const kept = details.filter(([id, detail]) => id === state.selectedId || detail.contactId !== contactId);
  return kept.length === details.length ? state : { ...state, details: Object.fromEntries(kept) };
}
