// From the first question "who am I" to the live feed, and out again.

import { ringMessage, ringOffer } from "./alerts.js";
import { ApiError, call, whenSignedOut } from "./api.js";
import { dispatch, getState } from "./app.js";
import { setServerTime } from "./clock.js";
import { Feed } from "./feed.js";
import { t } from "./i18n.js";
import { loadCounts, loadList, loadOpen, nameOf } from "./actions.js";
import { announceMention } from "./mentions.js";
import { pref } from "./prefs.js";
import { announcePromise, loadPromises } from "./promises.js";
import { goToConversation, route } from "./route.js";
import { FOLDERS } from "./order.js";
import { errorText } from "./refusals.js";

// Counters that cannot be told from events are asked for at most this often.
const COUNTS_MS = 1_500;

/** @type {Feed | null} */
let feed = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let countsTimer;

/** Decides what the page shows, and starts it. */
export async function start() {
  whenSignedOut(() => {
    feed?.stop();
    feed = null;
    if (getState().phase !== "signedOut") dispatch({ type: "phase", phase: "signedOut" });
  });
  if (route().setUpToken) {
    dispatch({ type: "phase", phase: "setUp" });
    return;
  }
  await enter();
}

/** Loads the inbox of the session's operator. */
export async function enter() {
  dispatch({ type: "phase", phase: "starting" });
  try {
    await loadMe();
    const folder = FOLDERS.find((name) => name === pref("folder")) ?? "MINE";
    const queueId = getState().queues[pref("queueId")] ? pref("queueId") : "";
    dispatch({ type: "folder", folder, queueId });
    listen();
    dispatch({ type: "phase", phase: "ready" });
    void loadPromises();
    await loadList(folder, queueId);
  } catch (error) {
    if (error instanceof ApiError && error.code === "unauthenticated") return;
    dispatch({ type: "phase", phase: "failed", error: errorText(error) });
  }
}

async function loadMe() {
  const asked = performance.now();
  const response = await call("Inbox/GetMe", {});
  setServerTime(response.serverTime, performance.now() - asked);
  dispatch({ type: "me", response });
  return response;
}

function listen() {
  feed?.stop();
  feed = new Feed({
    cursor: () => getState().cursor,
    probe: loadMe,
    onConnection: (connection) => dispatch({ type: "connection", connection }),
    onReset: reload,
    onStep: (step) => {
      if (step.ready) setServerTime(step.ready.serverTime);
      dispatch({ type: "step", step, now: Date.now() });
      if (step.event) announce(step.event);
      if (getState().countsStale) countSoon();
    },
  });
}

/** Everything anew, after a gap that the feed could not bridge. */
export async function reload() {
  const response = await call("Inbox/GetMe", {});
  dispatch({ type: "reset" });
  dispatch({ type: "me", response });
  if (response.cursor) dispatch({ type: "step", step: { cursor: response.cursor }, now: Date.now() });
  setServerTime(response.serverTime);
  void loadPromises();
  const { folder, queueId, selectedId } = getState();
  await loadList(folder, queueId);
  if (selectedId) await loadOpen(selectedId);
}

function countSoon() {
  if (countsTimer !== undefined) return;
  countsTimer = setTimeout(() => {
    countsTimer = undefined;
    void loadCounts();
  }, COUNTS_MS);
}

/** @param {import("./types/api.js").FeedEvent} event */
function announce(event) {
  const state = getState();
  if (event.offerMade && event.offerMade.offer.operatorId === state.me?.id) {
    const { offer, conversation } = event.offerMade;
    const id = offer.conversationId ?? "";
    ringOffer(offer.id, nameOf(conversation), conversation?.lastMessageText ?? "", () => goToConversation(id));
  }
  const due = event.obligationDue;
  if (due?.obligation) announcePromise(due.obligation, due.notice);
  const changed = event.conversationChanged;
  if (changed && !changed.contact && changed.id === state.selectedId) goToConversation("");
  const { contactId } = state.details[state.selectedId] ?? {};
  if (event.contactChanged && event.contactChanged.id === contactId) void loadOpen(state.selectedId);
  const message = event.messageAdded;
  if (message) announceMention(message);
  if (message?.direction === "INBOUND") {
    const conversation = state.conversations[message.conversationId ?? ""];
    if (conversation?.operatorId !== state.me?.id || conversation?.state !== "ACTIVE") return;
    const text = message.text?.plain ?? t("message.attachment");
    ringMessage(message.id, nameOf(conversation), text, () => goToConversation(conversation?.id ?? ""));
  }
}

export async function signOut() {
  feed?.stop();
  feed = null;
  try {
    await call("Admin/Logout", {});
  } finally {
    dispatch({ type: "phase", phase: "signedOut" });
  }
}
