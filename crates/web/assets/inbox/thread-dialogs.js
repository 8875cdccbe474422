// Transfer, snooze and finish ask for their particulars.

import { snooze, transfer } from "./actions.js";
import { getState } from "./app.js";
import { ask, checkbox, field, openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t, timeText, dayText } from "./i18n.js";
import { operatorName, presenceDot, presenceText } from "./parts.js";
import { queueOf } from "./states.js";
import { finishAndLeave, hasWrapUp } from "./wrap-up.js";

/** @import { Conversation } from "./types/api.js" */

const DISPOSITIONS = /** @type {const} */ ([
  "disposition.solved",
  "disposition.sale",
  "disposition.noAnswer",
  "disposition.other",
]);

/** @param {Conversation} c */
export async function transferDialog(c) {
  const state = getState();
  const rank = { READY: 0, AWAY: 1, OFFLINE: 2 };
  const operators = Object.values(state.operators)
    .filter((o) => o.id !== state.me?.id && o.id !== c.operatorId && !o.disabled)
    .sort(
      (a, b) =>
        rank[a.presence ?? "OFFLINE"] - rank[b.presence ?? "OFFLINE"] ||
        (a.load ?? 0) - (b.load ?? 0) ||
        operatorName(a).localeCompare(operatorName(b)),
    );
  /** @param {string} value @param {boolean} may @param {import("./dom.js").Child[]} content */
  const choice = (value, may, ...content) =>
    h(
      "label",
      { class: `choice${may ? "" : " muted"}` },
      h("input", { type: "radio", name: "target", value, required: true, disabled: !may }),
      ...content,
    );
  const list = h(
    "fieldset",
    { class: "choices" },
    h("legend", null, t("transfer.to")),
    h(
      "div",
      { class: "choice-list", "data-testid": "transfer-targets" },
      state.queueIds
        .map((id) => state.queues[id])
        .map((q) =>
          choice(
            `queue ${q.id}`,
            true,
            icon("queue"),
            h("span", { class: "choice-name" }, q.displayName || q.id),
            h("small", null, t("transfer.waiting", { n: q.waiting ?? 0 })),
          ),
        ),
      state.otherQueues.map((q) =>
        choice(`queue ${q.id}`, true, icon("queue"), h("span", { class: "choice-name" }, q.displayName || q.id)),
      ),
      operators.map((o) =>
        choice(
          `operator ${o.id}`,
          o.presence === "READY",
          presenceDot(o),
          h("span", { class: "choice-name" }, operatorName(o)),
          h(
            "small",
            null,
            presenceText(o),
            ` · ${o.load ?? 0}/${o.capacity ?? 100}`,
          ),
        ),
      ),
    ),
  );
  const data = await ask({
    title: t("action.transfer"),
    submit: t("transfer.submit"),
    testid: "transfer-dialog",
    body: [
      list,
      field(t("transfer.note"), h("textarea", { name: "note", rows: 3 }), t("transfer.noteHint")),
      checkbox(t("transfer.reset"), { name: "reset" }),
    ],
  });
  if (!data) return;
  const [kind, id] = String(data.get("target") ?? "").split(" ");
  if (!id) return;
  const to = kind === "queue" ? { queueId: id } : { operatorId: id };
  await transfer(c.id, { ...to, note: String(data.get("note") ?? "").trim(), resetAge: data.has("reset") });
}

/** @returns {{ label: string, at: Date }[]} */
function presets() {
  const now = new Date();
  const at = (/** @type {number} */ days, /** @type {number} */ hour) => {
    const day = new Date(now);
    day.setDate(day.getDate() + days);
    day.setHours(hour, 0, 0, 0);
    return day;
  };
  const monday = (8 - now.getDay()) % 7 || 7;
  return [
    { label: t("snooze.hour"), at: new Date(now.getTime() + 3_600_000) },
    { label: t("snooze.hours"), at: new Date(now.getTime() + 3 * 3_600_000) },
    { label: t("snooze.tomorrow"), at: at(1, 9) },
    { label: t("snooze.monday"), at: at(monday, 9) },
  ];
}

/** @param {Conversation} c */
export async function snoozeDialog(c) {
  const own = h("input", { type: "datetime-local", name: "at", "data-testid": "snooze-at" });
  const local = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000 + 60_000);
  own.min = local.toISOString().slice(0, 16);
  const { dialog, form, closed } = openDialog({
    title: t("action.snooze"),
    testid: "snooze-dialog",
    body: [
      h("p", { class: "muted" }, t("snooze.text")),
      h(
        "div",
        { class: "presets" },
        presets().map(({ label, at }) =>
          h(
            "button",
            { type: "button", class: "button preset", onclick: () => dialog.close(at.toISOString()) },
            h("span", null, label),
            h("small", null, `${dayText(at.toISOString(), Date.now())}, ${timeText(at.toISOString())}`),
          ),
        ),
        h(
          "button",
          { type: "button", class: "button preset", onclick: () => dialog.close("client") },
          h("span", null, t("snooze.client")),
        ),
      ),
      field(t("snooze.at"), own),
    ],
    buttons: [
      h("button", { class: "button primary", value: "own", "data-testid": "snooze-submit" }, t("action.snooze")),
    ],
  });
  form.addEventListener("submit", (event) => {
    if (own.value) return;
    event.preventDefault();
    own.focus();
  });
  const choice = await closed;
  if (choice === "") return;
  const until = choice === "client" ? undefined : choice === "own" ? new Date(own.value).toISOString() : choice;
  await snooze(c.id, until);
}

/** @param {Conversation} c */
export async function finishDialog(c) {
  const state = getState();
  const queue = queueOf(state, c.queueId);
  const own = queue?.dispositions ?? [];
  const later = hasWrapUp(state, c) && c.state === "ACTIVE";
  const owned = c.operatorId && c.state !== "OFFERED";
  const needed = Boolean(queue?.dispositionRequired && owned && !later && !c.disposition);
  const free = own.length === 0;
  const before = c.disposition ?? "";
  /** @param {string} value @param {string} text @param {boolean} checked */
  const choice = (value, text, checked) =>
    h(
      "label",
      { class: "check" },
      h("input", { type: "radio", name: "disposition", value, checked, required: needed }),
      h("span", null, text),
    );
  const data = await ask({
    title: t("finish.title"),
    submit: t("action.finish"),
    testid: "finish-dialog",
    body: [
      later && h("p", { class: "muted" }, t("finish.wrapUp")),
      h(
        "fieldset",
        { class: "choices" },
        h("legend", null, t("finish.disposition")),
        free
          ? DISPOSITIONS.map((key, i) => choice(t(key), t(key), i === 0))
          : own.map((text) => choice(text, text, text === before)),
        !free && !needed && choice("", t("finish.none"), !own.includes(before)),
      ),
      free && field(t("finish.own"), h("input", { name: "own", maxlength: 100 })),
    ],
  });
  if (!data) return;
  await finishAndLeave(c, String(data.get("own") || data.get("disposition") || ""));
}
