// The inbox's state as a pure function of what happened: snapshots, events,
// optimistic sends. No DOM, no clock, no network.

/** @import { Action, State } from "./types/state.js" */

import {
  adoptOrphans,
  blockSender,
  dropConversation,
  isStale,
  patchDetail,
  patchList,
  patchTimeline,
  upsertContact,
  upsertConversation,
  upsertMessage,
  upsertOperator,
  without,
} from "./entities.js";
import { applyEvent } from "./events.js";
import { keepPromises } from "./promise-state.js";
import { keepOpinions } from "./opinions.js";
import { maySee } from "./selectors.js";
import { compareMessages, inFolder, listKey, newerMessage, sortFolder } from "./order.js";

/** What a reload reads anew. */
const NOTHING = {
  conversations: {},
  counts: {},
  offers: {},
  lists: {},
  timelines: {},
  details: {},
  gone: {},
  contacts: {},
  opinions: {},
  promises: {},
  promisesGone: {},
  promisesLoaded: false,
  typing: {},
  orphans: [],
};

/** @returns {State} */
export function initialState() {
  return {
    phase: "starting",
    phaseError: "",
    me: null,
    operators: {},
    queues: {},
    queueIds: [],
    otherQueues: [],
    lines: {},
    cursor: "",
    connection: "connecting",
    folder: "MINE",
    queueId: "",
    selectedId: "",
    countsStale: false,
    pending: {},
    drafts: {},
    ...NOTHING,
    mentions: 0,
    repliesVersion: 0,
  };
}

/**
 * @param {State} state
 * @param {Action} action
 * @returns {State}
 */
export function reduce(state, action) {
  switch (action.type) {
    case "me":
      return applyMe(state, action.response);
    case "phase": {
      const kept = action.phase === "signedOut" ? { ...initialState(), folder: state.folder } : state;
      return { ...kept, phase: action.phase, phaseError: action.error ?? "" };
    }
    case "connection":
      return state.connection === action.connection ? state : { ...state, connection: action.connection };
    case "folder":
      return { ...state, folder: action.folder, queueId: action.queueId };
    case "select":
      return state.selectedId === action.id ? state : { ...state, selectedId: action.id };
    case "listLoading":
      return patchList(state, action.key, { status: "loading" });
    case "listFailed":
      return patchList(state, action.key, { status: "failed", error: action.error });
    case "list":
      return applyList(state, action);
    case "counts":
      return applyCounts({ ...state, countsStale: false }, action.response);
    case "conversation":
      // The answer to a transfer still tells what the feed tells no more.
      return maySee(state, action.conversation)
        ? upsertConversation(state, action.conversation)
        : dropConversation(state, action.conversation);
    case "detailLoading":
      return patchDetail(state, action.id, { status: "loading" });
    case "detailFailed":
      return patchDetail(state, action.id, { status: "failed", error: action.error });
    case "detail":
      return applyDetail(state, action);
    case "timelineLoading":
      return patchTimeline(state, action.contactId, action.older ? { loadingOlder: true } : { status: "loading" });
    case "timelineFailed":
      return patchTimeline(state, action.contactId, {
        status: state.timelines[action.contactId]?.messages.length ? "ready" : "failed",
        error: action.error,
        loadingOlder: false,
      });
    case "timeline":
      return applyTimeline(state, action);
    case "message":
      return upsertMessage(state, action.message, false);
    case "sending":
      return { ...state, pending: { ...state.pending, [action.pending.clientId]: action.pending } };
    case "sendFailed": {
      const pending = state.pending[action.clientId];
      if (!pending) return state;
      return {
        ...state,
        pending: { ...state.pending, [action.clientId]: { ...pending, status: "failed", error: action.error } },
      };
    }
    case "sendDropped":
      return { ...state, pending: without(state.pending, action.clientId) };
    case "draft":
      return { ...state, drafts: { ...state.drafts, [action.id]: action.text } };
    case "contact":
      return upsertContact(state, action.contact);
    case "suggestionGone": {
      const detail = state.details[action.conversationId];
      if (!detail) return state;
      return patchDetail(state, action.conversationId, {
        suggestions: detail.suggestions.filter((s) => s.id !== action.id),
      });
    }
    case "senderBlocked":
      return blockSender(state, action.sender, action.blocked);
    case "offerGone":
      return { ...state, offers: without(state.offers, action.id) };
    case "operator":
      return upsertOperator(state, action.operator);
    case "mentions":
      return state.mentions === action.unread ? state : { ...state, mentions: action.unread };
    case "promises":
      return keepPromises(state, action.promises);
    case "typingExpired":
      return expireTyping(state, action.now);
    case "step":
      return applyEvent(state, action.step, action.now);
    case "reset":
      return { ...state, ...NOTHING, repliesVersion: state.repliesVersion + 1 };
  }
}

/**
 * @param {State} state
 * @param {import("./types/api.js").GetMeResponse} me
 */
function applyMe(state, me) {
  const operators = Object.fromEntries((me.colleagues ?? []).map((o) => [o.id, o]));
  operators[me.operator.id] = me.operator;
  return {
    ...state,
    me: me.operator,
    operators,
    queues: Object.fromEntries((me.queues ?? []).map((q) => [q.id, q])),
    queueIds: (me.queues ?? []).map((q) => q.id),
    otherQueues: me.otherQueues ?? [],
    mentions: me.unreadMentionCount ?? 0,
    lines: Object.fromEntries((me.lines ?? []).map((l) => [l.id, l])),
    cursor: state.cursor || (me.cursor ?? ""),
  };
}

/**
 * @param {State} state
 * @param {Extract<Action, { type: "list" }>} action
 * @returns {State}
 */
function applyList(state, { folder, queueId, response, more }) {
  const page = response.conversations ?? [];
  const nextPageToken = response.nextPageToken ?? "";
  let next = { ...state, conversations: { ...state.conversations } };
  if (!more && nextPageToken === "") {
    // The page is the whole folder: what it does not name has left it.
    const named = new Set(page.map((c) => c.id));
    for (const c of Object.values(state.conversations)) {
      if (!named.has(c.id) && c.id !== state.selectedId && state.me && inFolder(c, folder, queueId, state.me.id)) {
        delete next.conversations[c.id];
      }
    }
  }
  for (const conversation of page) {
    if (!isStale(next.conversations[conversation.id], conversation)) next.conversations[conversation.id] = conversation;
  }
  if (!more) {
    const offers = Object.fromEntries((response.offers ?? []).map((o) => [o.id, o]));
    next = applyCounts({ ...next, offers, countsStale: false }, response);
  }
  const edge = nextPageToken === "" ? null : ([...page].sort(sortFolder(folder)).at(-1) ?? null);
  const patched = patchList(next, listKey(folder, queueId), { status: "ready", error: undefined, nextPageToken, edge });
  return adoptOrphans(patched);
}

/**
 * @param {State} state
 * @param {import("./types/api.js").ListConversationsResponse} response
 * @returns {State}
 */
function applyCounts(state, response) {
  if (!response.counts) return state;
  const counts = { ...state.counts };
  for (const { folder, count, unread } of response.counts) {
    if (folder) counts[folder] = { count: count ?? 0, unread: unread ?? 0 };
  }
  return { ...state, counts };
}

/**
 * @param {State} state
 * @param {Extract<Action, { type: "detail" }>} action
 */
function applyDetail(state, { id, response }) {
  let next = keepOpinions(upsertConversation(state, response.conversation), response);
  if (response.contact) next = { ...next, contacts: { ...next.contacts, [response.contact.id]: response.contact } };
  if (response.offer?.state === "PENDING" && response.offer.operatorId === state.me?.id) {
    next = { ...next, offers: { ...next.offers, [response.offer.id]: response.offer } };
  }
  if (!(id in next.drafts)) next = { ...next, drafts: { ...next.drafts, [id]: response.draft ?? "" } };
  return patchDetail(next, id, {
    status: "ready",
    error: undefined,
    contactId: response.contact?.id ?? response.conversation.contact?.id ?? "",
    suggestions: response.suggestions ?? [],
    history: response.history ?? [],
    sender: response.sender ?? null,
    blocked: response.senderBlocked ?? false,
  });
}

/**
 * @param {State} state
 * @param {Extract<Action, { type: "timeline" }>} action
 */
function applyTimeline(state, { contactId, response, older }) {
  const before = state.timelines[contactId];
  const messages = new Map((before?.messages ?? []).map((m) => [m.id, m]));
  for (const message of response.messages ?? []) {
    messages.set(message.id, newerMessage(messages.get(message.id), message));
  }
  const conversations = { ...before?.conversations };
  for (const conversation of response.conversations ?? []) conversations[conversation.id] = conversation;
  // A reload of the newest page must not forget how far back one had read.
  const keepToken = !older && (before?.messages.length ?? 0) > (response.messages?.length ?? 0);
  const next = patchTimeline(state, contactId, {
    status: "ready",
    error: undefined,
    messages: [...messages.values()].sort(compareMessages),
    conversations,
    nextPageToken: keepToken ? before.nextPageToken : (response.nextPageToken ?? ""),
    loadingOlder: false,
  });
  const done = new Set((response.messages ?? []).map((m) => m.clientId));
  const pending = Object.fromEntries(Object.entries(next.pending).filter(([id]) => !done.has(id)));
  return adoptOrphans({ ...next, pending });
}

/** @param {State} state @param {number} now @returns {State} */
function expireTyping(state, now) {
  const typing = Object.fromEntries(
    Object.entries(state.typing)
      .map(([id, who]) => [id, Object.fromEntries(Object.entries(who).filter(([, until]) => until > now))])
      .filter(([, who]) => Object.keys(who).length > 0),
  );
  return { ...state, typing };
}
