// Signals of writing: drafts kept on the server, typing told to others, reading.

import { call } from "./api.js";
import { dispatch, getState } from "./app.js";

const DRAFT_MS = 800;
const TYPING_AGAIN_MS = 4_000;
const TYPING_IDLE_MS = 5_000;

/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const unsaved = new Map();

/** @param {string} id @param {string} text */
export function draft(id, text) {
  dispatch({ type: "draft", id, text });
  clearTimeout(unsaved.get(id));
  unsaved.set(
    id,
    setTimeout(() => saveDraft(id), DRAFT_MS),
  );
}

/** Saves at once what is not saved yet. @param {string} id @param {boolean} [leaving] the page goes away */
export function saveDraft(id, leaving = false) {
  const timer = unsaved.get(id);
  if (timer === undefined) return;
  clearTimeout(timer);
  unsaved.delete(id);
  // Lost only if the browser dies before the next keystroke: no reason to disturb.
  call("Inbox/SaveDraft", { conversationId: id, text: getState().drafts[id] ?? "" }, { keepalive: leaving }).catch(
    () => {},
  );
}

window.addEventListener("pagehide", () => {
  for (const id of [...unsaved.keys()]) saveDraft(id, true);
});

/** @type {Promise<unknown>} one call at a time: "stopped" must not overtake "began" */
let typingTold = Promise.resolve();

/** @param {string} conversationId @param {boolean} active */
function tellTyping(conversationId, active) {
  typingTold = typingTold.then(() => call("Inbox/SetTyping", { conversationId, active })).catch(() => {});
}

let typingId = "";
let typingToldAt = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let typingTimer;

/** The operator has pressed a key in a reply. @param {string} id */
export function typing(id) {
  const now = performance.now();
  if (typingId !== id) stopTyping();
  if (typingId !== id || now - typingToldAt > TYPING_AGAIN_MS) {
    typingId = id;
    typingToldAt = now;
    tellTyping(id, true);
  }
  clearTimeout(typingTimer);
  typingTimer = setTimeout(stopTyping, TYPING_IDLE_MS);
}

export function stopTyping() {
  clearTimeout(typingTimer);
  if (!typingId) return;
  tellTyping(typingId, false);
  typingId = "";
}

/** @type {Map<string, string>} the last message said to be read, by conversation */
const readUpTo = new Map();

/** The operator sees the newest message of a conversation. @param {string} id @param {string} messageId */
export function markRead(id, messageId) {
  const conversation = getState().conversations[id];
  if (!conversation?.unreadCount || readUpTo.get(id) === messageId) return;
  readUpTo.set(id, messageId);
  call("Inbox/MarkRead", { conversationId: id, messageId }).then(
    () => {
      const current = getState().conversations[id];
      if (current) dispatch({ type: "conversation", conversation: { ...current, unreadCount: 0 } });
    },
    () => readUpTo.delete(id),
  );
}
