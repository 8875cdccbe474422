// A contact's messages as what is drawn: days, conversations as segments,
// messages, and those on their way.

import { serverNow } from "./clock.js";
import { h } from "./dom.js";
import { icon, mediumIcon } from "./icons.js";
import { dayText, momentText, t } from "./i18n.js";
import { drawMessage, drawPending } from "./message.js";
import { channelName, operatorName } from "./parts.js";
import { stars } from "./ratings.js";
import { conversationHref } from "./route.js";
import { stateText } from "./states.js";

/** @import { Conversation, Message } from "./types/api.js" */
/** @import { PendingMessage, State, TimelineState } from "./types/state.js" */

/**
 * @typedef {{ key: string, kind: "day", day: string, time: string }
 *   | { key: string, kind: "segment", conversation: Conversation | undefined, id: string, locked: boolean }
 *   | { key: string, kind: "message", message: Message, first: boolean, quoted: Message | undefined }
 *   | { key: string, kind: "pending", pending: PendingMessage, quoted: Message | undefined }} Item
 */

// Messages of one author within this time stand together.
const GROUP_MS = 5 * 60_000;

/**
 * @param {State} state
 * @param {Conversation | undefined} open
 * @param {TimelineState | undefined} timeline
 * @param {PendingMessage[]} pending
 * @returns {Item[]}
 */
export function timelineItems(state, open, timeline, pending) {
  /** @type {Item[]} */
  const items = [];
  const messages = timeline?.messages ?? [];
  const byId = new Map(messages.map((m) => [m.id, m]));
  const locked = lockedConversations(timeline);
  /** @type {Message | undefined} */
  let before;
  let day = "";
  for (const message of messages) {
    const time = message.storedAt ?? message.sentAt ?? "";
    while (locked[0] && (locked[0].createdAt ?? "") < time) items.push(...lockedItems(locked.shift()));
    const thisDay = new Date(time).toDateString();
    if (thisDay !== day) {
      day = thisDay;
      items.push({ key: `day ${day}`, kind: "day", day, time });
    }
    if (message.conversationId !== before?.conversationId) {
      const id = message.conversationId ?? "";
      items.push({
        key: `segment ${id} ${message.id}`,
        kind: "segment",
        id,
        conversation: state.conversations[id] ?? timeline?.conversations[id],
        locked: false,
      });
    }
    items.push({
      key: message.id,
      kind: "message",
      message,
      first: !together(before, message) || items.at(-1)?.kind !== "message",
      quoted: byId.get(message.replyToMessageId ?? ""),
    });
    before = message;
  }
  for (const one of locked) items.push(...lockedItems(one));
  if (open && open.state !== "CLOSED" && before && before.conversationId !== open.id && timeline?.status === "ready") {
    items.push({ key: `segment ${open.id} open`, kind: "segment", id: open.id, conversation: open, locked: false });
  }
  for (const one of pending) {
    items.push({
      key: `pending ${one.clientId}`,
      kind: "pending",
      pending: one,
      quoted: byId.get(one.replyToMessageId),
    });
  }
  return items;
}

/**
 * Conversations outside the caller's scope: known by title, without messages.
 * Those older than the loaded window may have messages that are not loaded yet.
 *
 * @param {TimelineState | undefined} timeline
 */
function lockedConversations(timeline) {
  if (!timeline) return [];
  const withMessages = new Set(timeline.messages.map((m) => m.conversationId));
  const first = timeline.nextPageToken ? (timeline.messages[0]?.storedAt ?? "") : "";
  return Object.values(timeline.conversations)
    .filter((c) => !withMessages.has(c.id) && !c.lastMessageText && (c.createdAt ?? "") > first)
    .sort((a, b) => ((a.createdAt ?? "") < (b.createdAt ?? "") ? -1 : 1));
}

/** @param {Conversation | undefined} c @returns {Item[]} */
function lockedItems(c) {
  return c ? [{ key: `locked ${c.id}`, kind: "segment", id: c.id, conversation: c, locked: true }] : [];
}

/** @param {Message | undefined} a @param {Message} b */
function together(a, b) {
  return (
    a !== undefined &&
    a.direction === b.direction &&
    a.operatorId === b.operatorId &&
    a.conversationId === b.conversationId &&
    Date.parse(b.storedAt ?? "") - Date.parse(a.storedAt ?? "") < GROUP_MS
  );
}

/**
 * @param {State} state
 * @param {Item} item
 * @param {Conversation | undefined} open
 * @returns {unknown[]}
 */
export function stampItem(state, item, open) {
  switch (item.kind) {
    case "day":
      return [item.day, new Date().toDateString()];
    case "segment":
      return [
        item.conversation?.state,
        item.conversation?.operatorId,
        item.conversation?.subject,
        item.conversation?.disposition,
        item.conversation?.closeReason,
        item.conversation?.askedOperatorIds?.length,
        item.id === open?.id,
        state.opinions[item.id]?.rating,
        Object.keys(state.lines).length,
      ];
    case "message":
      return [
        item.message,
        item.first,
        item.quoted,
        state.operators[item.message.operatorId ?? ""]?.displayName,
        open?.id,
        open?.state,
        open?.operatorId,
        open?.participantIds?.join(),
      ];
    case "pending":
      return [item.pending];
  }
}

/**
 * @param {State} state
 * @param {Item} item
 * @param {Conversation | undefined} open
 * @returns {HTMLElement}
 */
export function drawItem(state, item, open) {
  switch (item.kind) {
    case "day":
      return h("div", { class: "day" }, h("span", null, dayText(item.time, serverNow())));
    case "segment":
      return segment(state, item, open);
    case "message":
      return drawMessage(state, item.message, { first: item.first, quoted: item.quoted, open });
    case "pending":
      return drawPending(item.pending, item.quoted);
  }
}

/** @param {State} state @param {Extract<Item, { kind: "segment" }>} item @param {Conversation | undefined} open */
function segment(state, { conversation: c, id, locked }, open) {
  const line = state.lines[c?.lineId ?? ""];
  const title = c?.subject || line?.displayName || channelName(state, c?.lineId, c?.channel);
  const owned = c?.state === "ACTIVE" || c?.state === "PARKED";
  const status = !c ? "" : owned ? operatorName(state.operators[c.operatorId ?? ""]) : stateText(state, c);
  const content = [
    icon(locked ? "lock" : mediumIcon(c?.medium)),
    h("span", { class: "segment-title" }, title),
    h(
      "span",
      { class: "segment-meta" },
      [
        title === channelName(state, c?.lineId, c?.channel) ? "" : channelName(state, c?.lineId, c?.channel),
        status,
        locked ? t("segment.locked") : "",
      ]
        .filter(Boolean)
        .join(" · "),
    ),
    stars(state, id),
  ];
  const when = momentText(c?.createdAt);
  if (id === open?.id || locked)
    return h("div", { class: `segment${id === open?.id ? " current" : ""}`, title: when }, ...content);
  return h("a", { class: "segment", href: conversationHref(id), title: when }, ...content);
}
