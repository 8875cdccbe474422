// What an operator does, as calls with their effect on the state.

/**
 * @import { Conversation, Folder, Message, Presence } from "./types/api.js"
 * @import { PendingMessage } from "./types/state.js"
 */

import { ApiError, call, clientId } from "./api.js";
import { dispatch, getState } from "./app.js";
import { t } from "./i18n.js";
import { listKey } from "./order.js";
import { errorText } from "./refusals.js";
import { toast } from "./toasts.js";

const PAGE = 50;
// Signed links live five minutes; they are renewed a little before.
const LINKS_LIVE_MS = 4 * 60_000;

/** @param {Conversation | undefined} c @returns {string} */
export function nameOf(c) {
  const { displayName, address = "" } = c?.contact ?? {};
  return displayName || addressName(address) || t("contact.unnamed");
}

/** A visitor's own mark is no name: its beginning tells them apart. @param {string} address */
export function addressName(address) {
  return /^[0-9a-f]{32}$/.test(address) ? t("contact.visitor", { name: address.slice(0, 4).toUpperCase() }) : address;
}

/** @param {unknown} error */
export function toastError(error) {
  if (error instanceof ApiError && error.code === "unauthenticated") return;
  toast({ text: errorText(error), kind: "error" });
}

/**
 * Runs a call that answers with the conversation's new state.
 *
 * @param {Promise<Conversation>} answer
 * @param {string} [done] said when it worked
 * @returns {Promise<Conversation | null>}
 */
async function change(answer, done) {
  try {
    const conversation = await answer;
    dispatch({ type: "conversation", conversation });
    if (done) toast({ text: done });
    return conversation;
  } catch (error) {
    toastError(error);
    return null;
  }
}

/** @param {Folder} folder @param {string} queueId @param {boolean} [more] */
export async function loadList(folder, queueId, more = false) {
  const key = listKey(folder, queueId);
  const list = getState().lists[key];
  if (more && (!list?.nextPageToken || list.status === "loading")) return;
  dispatch({ type: "listLoading", key });
  try {
    const pageToken = more ? list.nextPageToken : undefined;
    const response = await call("Inbox/ListConversations", {
      folder,
      queueId: queueId || undefined,
      pageSize: PAGE,
      pageToken,
    });
    dispatch({ type: "list", folder, queueId, response, more });
  } catch (error) {
    dispatch({ type: "listFailed", key, error: errorText(error) });
  }
}

export async function loadCounts() {
  try {
    const [response, me] = await Promise.all([
      call("Inbox/ListConversations", { folder: "MINE", pageSize: 1 }),
      call("Inbox/GetMe", {}),
    ]);
    dispatch({ type: "counts", response });
    dispatch({ type: "me", response: me });
  } catch {
    // Asked again with the next event.
  }
}

/** @type {Map<string, number>} how often a conversation was asked for */
const asked = new Map();

/** Loads a conversation, then its contact's timeline. @param {string} id */
export async function loadOpen(id) {
  const turn = (asked.get(id) ?? 0) + 1;
  asked.set(id, turn);
  dispatch({ type: "detailLoading", id });
  try {
    const response = await call("Inbox/GetConversation", { conversationId: id });
    // Asked again meanwhile: this answer may be older than what made it so.
    if (asked.get(id) !== turn) return;
    dispatch({ type: "detail", id, response });
    const contactId = response.contact?.id ?? response.conversation.contact?.id;
    if (contactId) await loadTimeline(contactId);
  } catch (error) {
    dispatch({ type: "detailFailed", id, error: errorText(error) });
  }
}

/** @type {Map<string, number>} when a contact's links were last signed */
const linksSignedAt = new Map();

/** @param {string} contactId */
export async function loadTimeline(contactId) {
  dispatch({ type: "timelineLoading", contactId, older: false });
  try {
    const response = await call("Inbox/ListTimeline", { contactId, pageSize: PAGE });
    linksSignedAt.set(contactId, performance.now());
    dispatch({ type: "timeline", contactId, response, older: false });
  } catch (error) {
    dispatch({ type: "timelineFailed", contactId, error: errorText(error) });
  }
}

/** @param {string} contactId */
export async function loadOlder(contactId) {
  const timeline = getState().timelines[contactId];
  if (!timeline?.nextPageToken || timeline.loadingOlder) return;
  dispatch({ type: "timelineLoading", contactId, older: true });
  try {
    const response = await call("Inbox/ListTimeline", { contactId, pageSize: PAGE, pageToken: timeline.nextPageToken });
    dispatch({ type: "timeline", contactId, response, older: true });
  } catch (error) {
    dispatch({ type: "timelineFailed", contactId, error: errorText(error) });
    toastError(error);
  }
}

/**
 * A message with links that still open.
 *
 * @param {Message} message
 * @param {boolean} [force] the link was just refused
 * @returns {Promise<Message>}
 */
export async function freshLinks(message, force = false) {
  const conversationId = message.conversationId ?? "";
  const signedAt =
    linksSignedAt.get(conversationId) ??
    linksSignedAt.get(getState().conversations[conversationId]?.contact?.id ?? "") ??
    -Infinity;
  const complete = (message.attachments ?? []).every((a) => a.url);
  if (!force && complete && performance.now() - signedAt < LINKS_LIVE_MS) return message;
  const response = await call("Inbox/ListTimeline", { conversationId, pageSize: 200 });
  linksSignedAt.set(conversationId, performance.now());
  for (const one of response.messages ?? []) dispatch({ type: "message", message: one });
  return response.messages?.find((m) => m.id === message.id) ?? message;
}

/**
 * @param {string} conversationId
 * @param {Pick<PendingMessage, "note" | "text" | "uploads" | "replyToMessageId" | "mentions" | "cannedReplyIds" | "letter" | "buttons" | "template">} content
 */
export function send(conversationId, content) {
  /** @type {PendingMessage} */
  const pending = {
    ...content,
    conversationId,
    clientId: clientId(),
    createdAt: new Date().toISOString(),
    status: "sending",
  };
  void transmit(pending);
}

/** Sends once more under the same id, so that nothing is doubled. @param {string} id */
export function retry(id) {
  const pending = getState().pending[id];
  if (pending) void transmit({ ...pending, status: "sending", error: undefined });
}

/** @param {PendingMessage} pending */
async function transmit(pending) {
  dispatch({ type: "sending", pending });
  const { conversationId, text, clientId: id, template } = pending;
  try {
    const message = pending.note
      ? await call("Inbox/AddNote", { conversationId, text, clientId: id, mentionedOperatorIds: pending.mentions })
      : await call("Inbox/SendMessage", {
          conversationId,
          // A template brings its words and buttons.
          text: template ? "" : text,
          buttons: template ? undefined : pending.buttons,
          template,
          clientId: id,
          uploadIds: pending.uploads.map((u) => u.uploadId),
          replyToMessageId: pending.replyToMessageId || undefined,
          cannedReplyIds: pending.cannedReplyIds,
          letter: pending.letter,
        });
    dispatch({ type: "message", message: { ...message, clientId: message.clientId ?? id } });
    dispatch({ type: "sendDropped", clientId: id });
  } catch (error) {
    dispatch({ type: "sendFailed", clientId: id, error: errorText(error) });
  }
}

/**
 * @param {Promise<Message>} answer
 * @returns {Promise<boolean>}
 */
async function changeMessage(answer) {
  try {
    dispatch({ type: "message", message: await answer });
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}

/** @param {string} messageId @param {string} text */
export const editMessage = (messageId, text) =>
  changeMessage(call("Inbox/EditMessage", { messageId, text, clientId: clientId() }));
/** @param {string} messageId */
export const deleteMessage = (messageId) =>
  changeMessage(call("Inbox/DeleteMessage", { messageId, clientId: clientId() }));
/** @param {string} messageId @param {string} emoji */
export const react = (messageId, emoji) =>
  changeMessage(call("Inbox/React", { messageId, emoji, clientId: clientId() }));

/** @param {string} offerId */
export async function accept(offerId) {
  const offer = getState().offers[offerId];
  const conversation = await change(call("Inbox/AcceptOffer", { offerId, clientId: clientId() }));
  dispatch({ type: "offerGone", id: offerId });
  return conversation?.id ?? offer?.conversationId ?? "";
}

/** @param {string} offerId @param {string} reason */
export async function decline(offerId, reason) {
  await change(call("Inbox/DeclineOffer", { offerId, reason, clientId: clientId() }));
  dispatch({ type: "offerGone", id: offerId });
}

/** @param {string} conversationId */
export const take = (conversationId) =>
  change(call("Inbox/TakeConversation", { conversationId, clientId: clientId() }));
/** @param {string} conversationId @param {boolean} leave */
export const join = (conversationId, leave) =>
  change(call("Inbox/JoinConversation", { conversationId, leave, clientId: clientId() }));
/** @param {string} conversationId */
export const reopen = (conversationId) =>
  change(call("Inbox/ReopenConversation", { conversationId, clientId: clientId() }));
/** @param {string} threadId */
export const startConversation = (threadId) =>
  change(call("Inbox/StartConversation", { threadId, clientId: clientId() }));
/** @param {string} lineId @param {string} address @param {string} subject */
export const startLetter = (lineId, address, subject) =>
  change(call("Inbox/StartConversation", { lineId, address, subject, clientId: clientId() }));
/** @param {string} conversationId @param {{ operatorId?: string, queueId?: string, note: string, resetAge: boolean }} to */
export const transfer = (conversationId, to) =>
  change(call("Inbox/TransferConversation", { conversationId, ...to, clientId: clientId() }), t("done.transferred"));
/** @param {string} conversationId @param {string | undefined} until */
export const snooze = (conversationId, until) =>
  change(call("Inbox/SnoozeConversation", { conversationId, until, clientId: clientId() }), t("done.snoozed"));
/** @param {string} conversationId @param {string} disposition @param {boolean} spam */
export async function finish(conversationId, disposition, spam) {
  const before = getState().conversations[conversationId]?.state;
  const after = await change(
    call("Inbox/FinishConversation", { conversationId, disposition, spam, clientId: clientId() }),
  );
  // That there is time to finish up is said above the thread.
  if (after?.state !== "WRAPPING_UP") after && toast({ text: t(spam ? "done.spam" : "done.finished") });
  else if (before === "WRAPPING_UP") toast({ text: t("done.verdict") });
  return after;
}

/** @param {Presence} presence @param {string} awayReason @param {boolean} whenIdle */
export async function setPresence(presence, awayReason, whenIdle) {
  try {
    const operator = await call("Inbox/SetPresence", { presence, awayReason, whenIdle, clientId: clientId() });
    dispatch({ type: "operator", operator });
  } catch (error) {
    toastError(error);
  }
}
