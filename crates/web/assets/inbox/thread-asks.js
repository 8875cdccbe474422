// The acts of the thread's head that ask first.

import { finish, nameOf, toastError } from "./actions.js";
import { call, clientId } from "./api.js";
import { dispatch, getState } from "./app.js";
import { block } from "./contact-actions.js";
import { ask, field } from "./dialog.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { queueOf } from "./states.js";
import { finishDialog } from "./thread-dialogs.js";
import { done, finishAndLeave, hasWrapUp, isFinishingUp } from "./wrap-up.js";

/** @import { Conversation } from "./types/api.js" */

/** What is mine and is finished up afterwards needs no question: the verdict comes then. @param {Conversation} c */
export function askFinish(c) {
  const state = getState();
  if (isFinishingUp(state, c)) done(c);
  else if (c.operatorId === state.me?.id && c.state === "ACTIVE" && hasWrapUp(state, c)) void finishAndLeave(c, "");
  else void finishDialog(c);
}

/** @param {Conversation} c */
export async function moveToFront(c) {
  const data = await ask({
    title: t("action.front"),
    submit: t("action.front"),
    testid: "front-dialog",
    body: [
      h("p", { class: "muted" }, t("front.text")),
      field(t("front.reason"), h("input", { name: "reason", maxlength: 200 })),
    ],
  });
  if (!data) return;
  try {
    dispatch({
      type: "conversation",
      conversation: await call("Routing/MoveToFront", {
        conversationId: c.id,
        reason: String(data.get("reason") ?? ""),
        clientId: clientId(),
      }),
    });
  } catch (error) {
    toastError(error);
  }
}

/** @param {Conversation} c */
export async function askBlock(c) {
  const sender = getState().details[c.id]?.sender;
  if (!sender) return;
  const data = await ask({
    title: t("block.title"),
    submit: t("block.submit"),
    danger: true,
    testid: "block-dialog",
    body: [
      h("p", null, t("block.text", { name: nameOf(c), address: sender.value ?? "" })),
      field(t("block.reason"), h("input", { name: "reason", maxlength: 200 })),
    ],
  });
  if (data) await block(sender, String(data.get("reason") ?? ""));
}

/** @param {Conversation} c */
export async function askSpam(c) {
  const data = await ask({
    title: t("spam.title"),
    submit: t("spam.submit"),
    danger: true,
    testid: "spam-dialog",
    body: [h("p", null, t("spam.text", { name: nameOf(c) }))],
  });
  // A queue with verdicts of its own takes no other.
  const own = queueOf(getState(), c.queueId)?.dispositions ?? [];
  if (data) await finish(c.id, own.length > 0 ? "" : t("disposition.spam"), true);
}
