// Keys by their place on the keyboard, so that they work on any layout. A single
// letter never changes anything.

import { getState } from "./app.js";
import { showKeys } from "./help.js";
import { acceptOffer, askDecline } from "./offers.js";
import { FOLDERS } from "./order.js";
import { openPalette } from "./palette.js";
import { toggleContact, urgentOffer } from "./palette-acts.js";
import { goToConversation } from "./route.js";
import { conversation, listed } from "./selectors.js";
import { openFolder } from "./sidebar.js";
import { conversationActs } from "./thread-head.js";

let installed = false;

/** Starts to listen, once for the page. */
export function installKeys() {
  if (installed) return;
  installed = true;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || getState().phase !== "ready") return;
    if (handle(event)) event.preventDefault();
  });
}

/** @param {KeyboardEvent} event @returns {boolean} */
function handle(event) {
  const ctrl = event.ctrlKey || event.metaKey;
  if (document.querySelector("dialog[open]")) return false;
  if (ctrl && !event.altKey && event.code === "KeyK") {
    openPalette();
    return true;
  }
  if (event.altKey && !ctrl && !event.shiftKey) return withAlt(event.code);
  const target = event.target instanceof Element ? event.target : document.body;
  if (ctrl || event.altKey || target.closest("input, textarea, select, [contenteditable]")) return false;
  if (event.key === "?" || (event.shiftKey && event.code === "Slash")) {
    showKeys();
    return true;
  }
  return event.shiftKey ? false : plain(event.code);
}

/** @param {string} code */
function withAlt(code) {
  const state = getState();
  const offer = urgentOffer(state);
  const digit = /^Digit([1-5])$/.exec(code);
  if (digit) openFolder(FOLDERS[Number(digit[1]) - 1], "");
  else if (code === "ArrowDown") step(1);
  else if (code === "ArrowUp") step(-1);
  else if (code === "KeyA" && offer) void acceptOffer(offer.id);
  else if (code === "KeyX" && offer) void askDecline(offer.id);
  else if (code === "KeyO" && offer) goToConversation(offer.conversationId ?? "");
  else if (code === "KeyM") location.hash = "#/mentions";
  else if (code === "KeyJ") act("join");
  else if (code === "KeyT") act("transfer");
  else if (code === "KeyS") act("snooze");
  else if (code === "KeyE") act("finish");
  else if (code === "KeyC") act("promise");
  else if (code === "KeyW") act("why");
  else return false;
  return true;
}

/** @param {string} code */
function plain(code) {
  if (code === "KeyJ") step(1);
  else if (code === "KeyK") step(-1);
  else if (code === "KeyR") compose(false);
  else if (code === "KeyN") compose(true);
  else if (code === "KeyI") toggleContact();
  else if (code === "Slash") openPalette();
  else return false;
  return true;
}

/** @param {string} id of an act of the open conversation, if it makes sense now */
function act(id) {
  const state = getState();
  conversationActs(state, conversation(state, state.selectedId))
    .find((one) => one.id === id)
    ?.run();
}

/** @param {boolean} note */
function compose(note) {
  document.querySelector("sb-composer")?.dispatchEvent(new CustomEvent("sb-mode", { detail: note }));
}

/** @param {1 | -1} by */
function step(by) {
  const state = getState();
  const list = listed(state);
  const at = list.findIndex((c) => c.id === state.selectedId);
  const next = at === -1 ? (by === 1 ? list[0] : list.at(-1)) : list[at + by];
  if (!next) return;
  goToConversation(next.id);
  document.querySelector(`[data-conversation="${CSS.escape(next.id)}"]`)?.scrollIntoView({ block: "nearest" });
}
