// How single things enter the state: conversations, messages, contacts, operators.

/**
 * @import { Conversation, Message } from "./types/api.js"
 * @import { State, TimelineState } from "./types/state.js"
 */

import { compareMessages, inFolder, isMentioned, newerMessage } from "./order.js";
import { inScope } from "./selectors.js";

/**
 * @param {State} state
 * @param {Conversation} conversation
 * @returns {State}
 */
export function upsertConversation(state, conversation) {
  const before = state.conversations[conversation.id];
  if (isStale(before, conversation)) return state;
  // The answer to handing it on comes before or after the news that it is gone.
  const gone = state.gone[conversation.id];
  if (gone !== undefined && BigInt(conversation.version ?? 0) <= BigInt(gone)) return state;
  const next = leaveTimelines(countChange(state, before, conversation), conversation);
  const timeline = next.timelines[conversation.contact?.id ?? ""];
  return adoptOrphans({
    ...next,
    gone: without(next.gone, conversation.id),
    // What comes back into sight is read anew.
    details: next.details[conversation.id]?.status === "gone" ? without(next.details, conversation.id) : next.details,
    conversations: { ...next.conversations, [conversation.id]: conversation },
    timelines: timeline
      ? {
          ...next.timelines,
          [conversation.contact?.id ?? ""]: {
            ...timeline,
            conversations: { ...timeline.conversations, [conversation.id]: conversation },
          },
        }
      : next.timelines,
  });
}

/**
 * A conversation that is another contact's now, as after a merge was taken back,
 * takes its messages with it; the other's history is read anew.
 *
 * @param {State} state
 * @param {Conversation} conversation
 * @returns {State}
 */
function leaveTimelines(state, { id, contact }) {
  const left = Object.entries(state.timelines).filter(
    ([of, { conversations }]) => of !== contact?.id && id in conversations,
  );
  if (left.length === 0) return state;
  const timelines = without({ ...state.timelines }, contact?.id ?? "");
  for (const [of, timeline] of left) {
    timelines[of] = {
      ...timeline,
      conversations: without(timeline.conversations, id),
      messages: timeline.messages.filter((message) => message.conversationId !== id),
    };
  }
  const details = Object.entries(state.details).filter(([, detail]) => detail.contactId !== contact?.id);
  return { ...state, timelines, details: Object.fromEntries(details) };
}

/**
 * Forgets a conversation that went out of sight: to a queue that is not the
 * operator's.
 *
 * @param {State} before
 * @param {Conversation} after all that is told of it
 * @returns {State}
 */
export function dropConversation(before, { id, version = "0" }) {
  const state = { ...before, gone: { ...before.gone, [id]: version } };
  const known = state.conversations[id];
  if (!known) return state;
  const next = countChange(state, known, { ...known, state: "CLOSED" });
  const dropped = { ...next, conversations: without(next.conversations, id), details: without(next.details, id) };
  // The server would not tell of what is open here any more.
  return id === state.selectedId ? patchDetail(dropped, id, { status: "gone" }) : dropped;
}

/**
 * @param {State} state
 * @param {Conversation | undefined} before
 * @param {Conversation} after
 * @returns {State}
 */
function countChange(state, before, after) {
  if (!before || !state.me) return state;
  const me = state.me.id;
  // Seen for a mention alone: the server counts it in no folder of theirs.
  const guest = (/** @type {Conversation} */ c) => isMentioned(c, me) && !inScope(state, c);
  if (guest(before) && guest(after)) return state;
  const counts = { ...state.counts };
  for (const folder of /** @type {const} */ (["MINE", "WAITING", "ALL_OPEN", "SNOOZED"])) {
    const was = inFolder(before, folder, "", me) ? 1 : 0;
    const is = inFolder(after, folder, "", me) ? 1 : 0;
    const unread = (is && (after.unreadCount ?? 0) > 0 ? 1 : 0) - (was && (before.unreadCount ?? 0) > 0 ? 1 : 0);
    const count = counts[folder];
    if (count && (was !== is || unread !== 0)) {
      counts[folder] = { count: Math.max(0, count.count + is - was), unread: Math.max(0, count.unread + unread) };
    }
  }
  const waited = inFolder(before, "WAITING", "", me);
  const waits = inFolder(after, "WAITING", "", me);
  let queues = state.queues;
  if (waited) queues = moveWaiting(queues, before.queueId, -1);
  if (waits) queues = moveWaiting(queues, after.queueId, 1);
  return { ...state, counts, queues: waited === waits && before.queueId === after.queueId ? state.queues : queues };
}

/**
 * @param {State["queues"]} queues
 * @param {string | undefined} id
 * @param {number} change
 */
export function moveWaiting(queues, id, change) {
  const queue = queues[id ?? ""];
  if (!queue) return queues;
  return { ...queues, [queue.id]: { ...queue, waiting: Math.max(0, (queue.waiting ?? 0) + change) } };
}

/**
 * @param {State} state
 * @param {Message} message
 * @param {boolean} fromFeed the feed's order is the truth; an answer may be older than the feed
 * @returns {State}
 */
export function upsertMessage(state, message, fromFeed) {
  const pending =
    message.clientId && message.clientId in state.pending ? without(state.pending, message.clientId) : state.pending;
  const next = pending === state.pending ? state : { ...state, pending };
  const contactId = contactOf(next, message.conversationId ?? "");
  if (contactId === null) return { ...next, orphans: [...next.orphans.slice(-99), message] };
  const timeline = next.timelines[contactId];
  if (!timeline) return next;
  const before = timeline.messages.find((m) => m.id === message.id);
  const merged = fromFeed ? message : newerMessage(before, message);
  const messages = before
    ? timeline.messages.map((m) => (m.id === message.id ? merged : m))
    : [...timeline.messages, message].sort(compareMessages);
  return patchTimeline(next, contactId, { messages });
}

/**
 * @param {State} state
 * @param {string} conversationId
 */
function contactOf(state, conversationId) {
  const known = state.conversations[conversationId];
  if (known) return known.contact?.id ?? "";
  for (const [contactId, timeline] of Object.entries(state.timelines)) {
    if (conversationId in timeline.conversations) return contactId;
  }
  return null;
}

/** @param {State} state @returns {State} */
export function adoptOrphans(state) {
  const ready = state.orphans.filter((m) => contactOf(state, m.conversationId ?? "") !== null);
  if (ready.length === 0) return state;
  const rest = state.orphans.filter((m) => !ready.includes(m));
  return ready.reduce(
    (next, message) => upsertMessage(next, message, false),
    /** @type {State} */ ({ ...state, orphans: rest }),
  );
}

/**
 * @param {State} state
 * @param {import("./types/api.js").Contact} contact
 * @returns {State}
 */
export function upsertContact(state, contact) {
  const conversations = { ...state.conversations };
  for (const c of Object.values(conversations)) {
    if (c.contact?.id === contact.id) {
      conversations[c.id] = {
        ...c,
        contact: {
          ...c.contact,
          displayName: contact.profile?.displayName,
          avatarUrl: contact.profile?.avatarUrl,
          provisional: contact.provisional,
        },
      };
    }
  }
  return { ...state, conversations, contacts: { ...state.contacts, [contact.id]: contact } };
}

/**
 * @param {State} state
 * @param {import("./types/api.js").Operator} operator
 * @returns {State}
 */
export function upsertOperator(state, operator) {
  const before = state.operators[operator.id];
  const known = { ...operator, login: operator.login ?? before?.login };
  return {
    ...state,
    operators: { ...state.operators, [operator.id]: known },
    me: state.me?.id === operator.id ? known : state.me,
  };
}

/**
 * @param {State} state
 * @param {import("./types/api.js").Identity} sender
 * @param {boolean} blocked
 * @returns {State}
 */
export function blockSender(state, sender, blocked) {
  const details = Object.entries(state.details).map(([id, detail]) => [
    id,
    sameIdentity(detail.sender, sender) ? { ...detail, blocked } : detail,
  ]);
  return { ...state, details: Object.fromEntries(details) };
}

/**
 * @param {import("./types/api.js").Identity | null} a
 * @param {import("./types/api.js").Identity} b
 */
function sameIdentity(a, b) {
  return a?.kind === b.kind && a?.value === b.value && (a?.issuer ?? "") === (b.issuer ?? "");
}

/** @param {{ version?: string } | undefined} before @param {{ version?: string }} after */
export function isStale(before, after) {
  return before !== undefined && BigInt(before.version ?? 0) > BigInt(after.version ?? 0);
}

/** @param {State} state @param {string} key @param {Partial<import("./types/state.js").ListState>} patch */
export function patchList(state, key, patch) {
  const list = state.lists[key] ?? { status: "idle", nextPageToken: "", edge: null };
  return { ...state, lists: { ...state.lists, [key]: { ...list, ...patch } } };
}

/** @param {State} state @param {string} id @param {Partial<import("./types/state.js").DetailState>} patch */
export function patchDetail(state, id, patch) {
  const detail = state.details[id] ?? {
    status: "idle",
    contactId: "",
    suggestions: [],
    history: [],
    sender: null,
    blocked: false,
  };
  return { ...state, details: { ...state.details, [id]: { ...detail, ...patch } } };
}

/** @param {State} state @param {string} id @param {Partial<TimelineState>} patch */
export function patchTimeline(state, id, patch) {
  const timeline = state.timelines[id] ?? {
    status: "idle",
    messages: [],
    conversations: {},
    nextPageToken: "",
    loadingOlder: false,
  };
  return { ...state, timelines: { ...state.timelines, [id]: { ...timeline, ...patch } } };
}

/**
 * @template T
 * @param {Record<string, T>} record
 * @param {string} key
 * @returns {Record<string, T>}
 */
export function without(record, key) {
  if (!(key in record)) return record;
  const { [key]: _, ...rest } = record;
  return rest;
}
