// What the tests of the inbox's reducer are made of.

import { listed } from "../inbox/selectors.js";
import { initialState, reduce } from "../inbox/store.js";

export const at = (second) => new Date(Date.UTC(2026, 0, 1, 9, 0, second)).toISOString();
export const conversation = (id, over = {}) => ({
  id,
  lineId: "site",
  queueId: "main",
  state: "ACTIVE",
  operatorId: "me",
  contact: { id: `contact-${id}` },
  lastMessageAt: at(0),
  version: "1",
  ...over,
});
export const message = (id, over = {}) => ({
  id,
  conversationId: "a",
  direction: "INBOUND",
  storedAt: at(1),
  text: { plain: id },
  ...over,
});
export const me = { operator: { id: "me", role: "OPERATOR" }, queues: [{ id: "main" }], lines: [{ id: "site" }], cursor: "1" };
export const event = (kind, cursor = "2") => ({ type: "step", now: 0, step: { cursor, event: kind } });
export const list = (conversations, over = {}) => ({
  type: "list",
  folder: "MINE",
  queueId: "",
  more: false,
  response: {
    conversations,
    counts: [
      { folder: "MINE", count: conversations.length },
      { folder: "WAITING" },
      { folder: "ALL_OPEN", count: conversations.length },
      { folder: "SNOOZED" },
    ],
    ...over,
  },
});
export const run = (...actions) => [{ type: "me", response: me }, ...actions].reduce(reduce, initialState());
export const ids = (state) => listed(state).map((c) => c.id);
export const timeline = (messages, over = {}) => ({
  type: "timeline",
  contactId: "contact-a",
  older: false,
  response: { messages, conversations: [conversation("a")], ...over },
});
export const texts = (state) => state.timelines["contact-a"].messages.map((m) => m.text.plain);
