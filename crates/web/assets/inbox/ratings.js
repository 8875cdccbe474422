// What clients and supervisors think of conversations.

import { toastError } from "./actions.js";
import { call, clientId } from "./api.js";
import { dispatch, getState } from "./app.js";
import { ask, field } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { operatorName } from "./parts.js";

/** @import { Conversation, ConversationScore, Rating } from "./types/api.js" */
/** @import { State } from "./types/state.js" */

const SCORES = /** @type {const} */ ([5, 4, 3, 2, 1]);

/** @param {Rating} rating */
export function ratingText({ score = 0, comment }) {
  return comment ? t("rating.clientWhy", { score, why: comment }) : t("rating.client", { score });
}

/** @param {State} state @param {ConversationScore} scored */
export function scoreText(state, { scoredById, score = 0, comment }) {
  const name = scoredById ? operatorName(state.operators[scoredById]) : t("score.someone");
  return comment ? t("score.isWhy", { name, score, why: comment }) : t("score.is", { name, score });
}

/**
 * The client's rating beside a conversation's name; nothing where there is none.
 *
 * @param {State} state
 * @param {string} id the conversation
 */
export function stars(state, id) {
  const rating = state.opinions[id]?.rating;
  return rating && scoreMark(rating);
}

/** A rating's score in short. @param {Rating} rating */
export function scoreMark(rating) {
  return h(
    "span",
    { class: `stars${(rating.score ?? 0) < 3 ? " low" : ""}`, title: ratingText(rating), "data-testid": "rating" },
    icon("star"),
    h("span", null, t("rating.is", { score: rating.score ?? 0 })),
  );
}

/**
 * A supervisor's word on an operator's work.
 *
 * @param {Conversation} c
 */
export async function scoreDialog(c) {
  const known = getState().opinions[c.id]?.score;
  const why = h("textarea", { name: "comment", rows: 3, maxlength: 1000 });
  why.value = known?.comment ?? "";
  const data = await ask({
    title: t("action.score"),
    submit: t("score.submit"),
    testid: "score-dialog",
    body: [
      h("p", { class: "muted" }, t("score.text")),
      h(
        "fieldset",
        { class: "choices" },
        h("legend", null, t("score.score")),
        SCORES.map((score) =>
          h(
            "label",
            { class: "check" },
            h("input", { type: "radio", name: "score", value: score, required: true, checked: known?.score === score }),
            h("span", null, t(`score.${score}`)),
          ),
        ),
      ),
      field(t("score.why"), why),
    ],
  });
  if (!data) return;
  try {
    const scored = await call("Inbox/ScoreConversation", {
      conversationId: c.id,
      score: Number(data.get("score")),
      comment: String(data.get("comment") ?? "").trim(),
      clientId: clientId(),
    });
    dispatch({ type: "step", step: { event: { scored } }, now: Date.now() });
  } catch (error) {
    toastError(error);
  }
}
