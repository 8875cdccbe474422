// Going offline while clients are in a live chat or call.

import { setPresence } from "./actions.js";
import { call } from "./api.js";
import { getState } from "./app.js";
import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

/** @import { Conversation } from "./types/api.js" */

/** Those that do not wait for an operator who has gone. @param {Conversation} c @param {string | undefined} me */
const isLive = (c, me) => c.operatorId === me && c.state === "ACTIVE" && (c.medium === "CHAT" || c.medium === "VOICE");

/** How many are in hand, by the server; by what is loaded when it does not answer. */
async function liveCount() {
  const { me, conversations } = getState();
  if ((me?.load ?? 0) === 0) return 0;
  const all = await call("Inbox/ListConversations", { folder: "MINE", pageSize: 200 }).then(
    (answer) => answer.conversations ?? [],
    () => Object.values(conversations),
  );
  return all.filter((c) => isLive(c, me?.id)).length;
}

/** Says what becomes of live conversations first, if there are any. */
export async function goOffline() {
  const n = await liveCount();
  if (n === 0) {
    await setPresence("OFFLINE", "", false);
    return;
  }
  const { closed } = openDialog({
    title: t("offline.title"),
    testid: "offline-dialog",
    body: [h("p", null, t("offline.text", { n }))],
    buttons: [
      h("button", { class: "button danger", value: "now", "data-testid": "offline-now" }, t("offline.now")),
      h("button", { class: "button primary", value: "idle", "data-testid": "offline-idle" }, t("offline.idle")),
    ],
  });
  const choice = await closed;
  if (choice !== "") await setPresence("OFFLINE", "", choice === "idle");
}
