// What a promise asks for: what, by when, who, and why not.

/** @import { Conversation, Obligation } from "./types/api.js" */

import { getState } from "./app.js";
import { serverNow } from "./clock.js";
import { ask, field } from "./dialog.js";
import { h } from "./dom.js";
import { dayText, momentText, t, timeText } from "./i18n.js";
import { operatorName } from "./parts.js";
import { resolve, schedule } from "./promises.js";

const KINDS = /** @type {const} */ ([
  ["OBLIGATION_KIND_CALLBACK", "promise.kind.callback"],
  ["OBLIGATION_KIND_REPLY", "promise.kind.reply"],
  ["OBLIGATION_KIND_OTHER", "promise.kind.other"],
]);
const EVERYBODY = "everybody";

/** The next full five minutes after so long. @param {number} minutes */
function after(minutes) {
  const step = 5 * 60_000;
  return new Date(Math.ceil((serverNow() + minutes * 60_000) / step) * step);
}

/** @param {number} days @param {number} hour */
function at(days, hour) {
  const day = new Date(serverNow());
  day.setDate(day.getDate() + days);
  day.setHours(hour, 0, 0, 0);
  return day;
}

/** For an input of a local time. @param {Date} date */
function local(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/**
 * A time with the usual ones beside it.
 *
 * @param {Date} first what stands there at the beginning
 */
function timeField(first) {
  const input = h("input", { type: "datetime-local", name: "at", required: true, "data-testid": "promise-at" });
  input.value = local(first);
  input.min = local(new Date(serverNow() + 60_000));
  input.max = local(at(365, 0));
  const presets = /** @type {const} */ ([
    ["promise.in15", after(15)],
    ["snooze.hour", after(60)],
    ["snooze.hours", after(180)],
    ["snooze.tomorrow", at(1, 9)],
  ]);
  return h(
    "div",
    { class: "promise-when" },
    field(t("promise.when"), input),
    h(
      "div",
      { class: "promise-presets", role: "group", "aria-label": t("promise.usual") },
      presets.map(([key, date]) =>
        h(
          "button",
          {
            type: "button",
            class: "button small",
            title: `${dayText(date.toISOString(), serverNow())}, ${timeText(date.toISOString())}`,
            onclick: () => {
              input.value = local(date);
              input.focus();
            },
          },
          t(key),
        ),
      ),
    ),
  );
}

/** @param {FormData} data */
function timeOf(data) {
  return new Date(String(data.get("at") ?? "")).toISOString();
}

/** @param {string} chosen an operator's id, or empty for everybody */
function ownerField(chosen) {
  const state = getState();
  const people = Object.values(state.operators)
    .filter((o) => !o.disabled)
    .sort((a, b) => Number(b.id === state.me?.id) - Number(a.id === state.me?.id) || operatorName(a).localeCompare(operatorName(b)));
  const select = h(
    "select",
    { name: "owner", "data-testid": "promise-owner" },
    people.map((o) => h("option", { value: o.id }, o.id === state.me?.id ? t("promise.me") : operatorName(o))),
    h("option", { value: EVERYBODY }, t("promise.wholeQueue")),
  );
  select.value = chosen || EVERYBODY;
  return field(t("promise.owner"), select);
}

/** Promises something to the client of a conversation. @param {Conversation} c */
export async function promiseDialog(c) {
  const state = getState();
  const known = state.contacts[c.contact?.id ?? ""]?.identities ?? [];
  const phones = known.filter((i) => i.kind === "phone").map((i) => i.value ?? "");
  const addresses = known.filter((i) => i.kind === "phone" || i.kind === "email").map((i) => i.value ?? "");
  const reach = h("input", {
    name: "reach",
    maxlength: 200,
    autocomplete: "off",
    list: "promise-addresses",
    "data-testid": "promise-reach-input",
  });
  reach.value = phones[0] ?? "";
  const data = await ask({
    title: t("action.promise"),
    submit: t("promise.submit"),
    testid: "promise-dialog",
    body: [
      h(
        "fieldset",
        { class: "choices promise-kinds" },
        h("legend", null, t("promise.what")),
        h(
          "div",
          { class: "promise-kind-list" },
          KINDS.map(([value, key], i) =>
            h(
              "label",
              { class: "check" },
              h("input", { type: "radio", name: "kind", value, checked: i === 0, "data-testid": value }),
              h("span", null, t(key)),
            ),
          ),
        ),
      ),
      timeField(after(60)),
      ownerField(state.me?.id ?? ""),
      field(t("promise.reach"), reach, t("promise.reachHint")),
      h(
        "datalist",
        { id: "promise-addresses" },
        addresses.map((value) => h("option", { value })),
      ),
      field(
        t("promise.note"),
        h("textarea", { name: "note", rows: 2, maxlength: 2000, "data-testid": "promise-note" }),
        t("transfer.noteHint"),
      ),
    ],
  });
  if (!data) return;
  const owner = String(data.get("owner") ?? "");
  await schedule({
    conversationId: c.id,
    kind: /** @type {import("./types/api.js").ObligationKind} */ (String(data.get("kind"))),
    dueAt: timeOf(data),
    note: String(data.get("note") ?? "").trim(),
    reach: String(data.get("reach") ?? "").trim(),
    ...(owner === EVERYBODY ? { wholeQueue: true } : { operatorId: owner }),
  });
}

/** @param {Obligation} p */
export async function moveDialog(p) {
  const missed = Date.parse(p.promisedFor ?? "") < serverNow();
  const choice = (/** @type {string} */ value, /** @type {import("./i18n.js").Key} */ key, checked = false) =>
    h(
      "label",
      { class: "check" },
      h("input", { type: "radio", name: "wish", value, required: true, checked, "data-testid": `wish-${value}` }),
      h("span", null, t(key)),
    );
  const data = await ask({
    title: t("promise.move"),
    submit: t("promise.moveSubmit"),
    testid: "promise-move-dialog",
    body: [
      timeField(after(60)),
      h(
        "fieldset",
        { class: "choices" },
        h("legend", null, t("promise.whoseWish")),
        choice("OBLIGATION_WISH_CLIENT", "promise.wish.client"),
        choice("OBLIGATION_WISH_OURS", "promise.wish.ours"),
      ),
      h(
        "p",
        { class: "hint" },
        t(missed ? "promise.missed" : "promise.wishHint", { time: momentText(p.promisedFor) }),
      ),
      field(t("promise.why"), h("input", { name: "reason", maxlength: 200 })),
    ],
  });
  if (!data) return;
  await resolve(p, {
    moved: {
      dueAt: timeOf(data),
      wish: /** @type {import("./types/api.js").ObligationWish} */ (String(data.get("wish"))),
      reason: String(data.get("reason") ?? "").trim(),
    },
  });
}

/** @param {Obligation} p */
export async function waiveDialog(p) {
  const data = await ask({
    title: t("promise.waive"),
    submit: t("promise.waiveSubmit"),
    testid: "promise-waive-dialog",
    body: [
      h("p", { class: "muted" }, t("promise.waiveText")),
      field(
        t("promise.why"),
        h("input", { name: "reason", maxlength: 200, required: true, "data-testid": "waive-reason" }),
      ),
    ],
  });
  if (data) await resolve(p, { waived: { reason: String(data.get("reason") ?? "").trim() } });
}

/** @param {Obligation} p */
export async function assignDialog(p) {
  const data = await ask({
    title: t("promise.assign"),
    submit: t("promise.assignSubmit"),
    testid: "promise-assign-dialog",
    body: [ownerField(p.operatorId ?? "")],
  });
  if (!data) return;
  const owner = String(data.get("owner") ?? "");
  await resolve(p, { assigned: { operatorId: owner === EVERYBODY ? "" : owner } });
}
