// A promise as several places draw it.

/**
 * @import { Conversation, Obligation } from "./types/api.js"
 * @import { State } from "./types/state.js"
 * @import { IconName } from "./icons.js"
 * @import { MenuItem } from "./menu.js"
 */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { lengthText, shortText, t, timeText } from "./i18n.js";
import { iconButton, withMenu } from "./menu.js";
import { operatorName } from "./parts.js";
import { assignDialog, moveDialog, promiseDialog, waiveDialog } from "./promise-dialogs.js";
import { isOverdue, maySettle, promisesTo } from "./promise-state.js";
import { resolve } from "./promises.js";
import { serverNow } from "./clock.js";

const KINDS = /** @type {const} */ ({
  OBLIGATION_KIND_CALLBACK: { icon: "voice", key: "promise.kind.callback" },
  OBLIGATION_KIND_REPLY: { icon: "chat", key: "promise.kind.reply" },
  OBLIGATION_KIND_OTHER: { icon: "note", key: "promise.kind.other" },
});

/** @param {Obligation} p @returns {{ icon: IconName, key: import("./i18n.js").Key }} */
export function kindOf(p) {
  return KINDS[p.kind ?? "OBLIGATION_KIND_CALLBACK"];
}

/** "14:30", "Tomorrow, 9:00", "3 Dec, 9:00". @param {string | undefined} time @param {number} now */
export function whenText(time, now) {
  if (!time) return "";
  const days = Math.round((new Date(time).setHours(0, 0, 0, 0) - new Date(now).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return timeText(time);
  if (days === 1) return t("promise.tomorrow", { time: timeText(time) });
  return `${shortText(time, now)}, ${timeText(time)}`;
}

// Nearer than this the time left says more than the time.
const SOON_MS = 3_600_000;

/** The time, how long there is, and whether it has passed. @param {Obligation} p @param {number} now */
export function dueMark(p, now) {
  const left = Date.parse(p.dueAt ?? "") - now;
  const overdue = isOverdue(p, now);
  const text = overdue
    ? -left < 60_000
      ? t("promise.now")
      : t("promise.overdueBy", { time: lengthText(-left) })
    : left < SOON_MS
      ? t("promise.in", { time: lengthText(left) })
      : "";
  return h(
    "span",
    { class: `due${overdue ? " overdue" : left < SOON_MS ? " soon" : ""}`, "data-testid": "promise-due" },
    icon(overdue ? "alarm" : "clock"),
    h("time", { datetime: p.dueAt ?? "" }, whenText(p.dueAt, now)),
    text && h("small", null, text),
  );
}

/** Whose it is. @param {State} state @param {Obligation} p */
export function ownerText(state, p) {
  if (!p.operatorId) return t("promise.everybody", { name: queueName(state, p.queueId) });
  return p.operatorId === state.me?.id ? t("promise.yours") : operatorName(state.operators[p.operatorId]);
}

/** @param {State} state @param {string | undefined} id */
export function queueName(state, id = "") {
  return state.queues[id]?.displayName || state.otherQueues.find((q) => q.id === id)?.displayName || id;
}

/** The phone or address, which a phone can be dialled from. @param {Obligation} p */
export function reachLink(p) {
  // A visitor's own mark tells nobody where they are.
  if (!p.reach || /^[0-9a-f]{32}$/.test(p.reach)) return null;
  const phone = /^\+?[\d\s().-]{5,}$/.test(p.reach);
  return phone
    ? h("a", { href: `tel:${p.reach.replace(/[^\d+]/g, "")}`, class: "reach", "data-testid": "promise-reach" }, p.reach)
    : h("span", { class: "reach", "data-testid": "promise-reach" }, p.reach);
}

/** @param {State} state @param {Obligation} p @returns {MenuItem[]} */
export function promiseActs(state, p) {
  const may = maySettle(state, p);
  const mine = p.operatorId === state.me?.id;
  /** @type {(MenuItem | false)[]} */
  const acts = [
    !mine && {
      label: t("promise.takeOver"),
      icon: "hand",
      testid: "promise-take",
      run: () => void resolve(p, { assigned: { operatorId: state.me?.id } }),
    },
    may && { label: t("promise.move"), icon: "clock", testid: "promise-move", run: () => void moveDialog(p) },
    may && { label: t("promise.assign"), icon: "transfer", testid: "promise-assign", run: () => void assignDialog(p) },
    may && {
      label: t("promise.waive"),
      icon: "close",
      separated: true,
      testid: "promise-waive",
      run: () => void waiveDialog(p),
    },
  ];
  return acts.filter((act) => !!act);
}

/**
 * One click says that it was done; everything else stands in the menu.
 *
 * @param {State} state
 * @param {Obligation} p
 * @param {boolean} [likely] it looks as if it was done
 */
export function promiseButtons(state, p, likely = false) {
  return h(
    "span",
    { class: "promise-buttons" },
    maySettle(state, p)
      ? h(
          "button",
          {
            type: "button",
            class: `button small${likely ? " primary" : ""}`,
            "data-testid": "promise-kept",
            onclick: () => void resolve(p, { kept: {} }),
          },
          icon("check"),
          t("promise.kept"),
        )
      : h(
          "button",
          {
            type: "button",
            class: "button small",
            "data-testid": "promise-take",
            onclick: () => void resolve(p, { assigned: { operatorId: state.me?.id } }),
          },
          icon("hand"),
          t("promise.takeOver"),
        ),
    maySettle(state, p) &&
      withMenu(iconButton("more", t("promise.more"), { "data-testid": "promise-more" }), () => promiseActs(state, p)),
  );
}

/** Who promised it, and what else there is to know. @param {State} state @param {Obligation} p @param {number} now */
export function madeText(state, p, now) {
  const rule = { on_abandoned: "promise.rule.abandoned", on_missed_call: "promise.rule.missed", on_diverted: "promise.rule.diverted" };
  const key = /** @type {import("./i18n.js").Key | undefined} */ (
    rule[/** @type {keyof typeof rule} */ (p.createdByRule ?? "")]
  );
  const by = key
    ? t(key)
    : p.createdByOperatorId
      ? t("promise.by", { name: operatorName(state.operators[p.createdByOperatorId]) })
      : t("promise.byProgram");
  const told =
    p.promisedFor && p.promisedFor !== p.dueAt ? t("promise.toldFor", { time: whenText(p.promisedFor, now) }) : "";
  return [by, told].filter(Boolean).join(" · ");
}

/** The promises on the contact card. @param {State} state @param {Conversation} c */
export function promisesSection(state, c) {
  const now = serverNow();
  const promises = promisesTo(state, c.contact?.id);
  return h(
    "section",
    { class: "contact-section", "data-testid": "contact-promises" },
    h("h3", null, promises.length > 0 ? t("promise.section", { n: promises.length }) : t("page.promises")),
    promises.length > 0 &&
      h(
        "ul",
        { class: "plain" },
        promises.map((p) =>
          h(
            "li",
            { class: "card-promise", "data-testid": "card-promise" },
            h("span", { class: "card-promise-top" }, icon(kindOf(p).icon), h("b", null, t(kindOf(p).key)), dueMark(p, now)),
            p.note && h("span", { class: "card-promise-note" }, p.note),
            h(
              "span",
              { class: "card-promise-foot" },
              h("small", { class: "muted" }, ownerText(state, p)),
              promiseButtons(state, p),
            ),
          ),
        ),
      ),
    h(
      "button",
      { type: "button", class: "button quiet", onclick: () => void promiseDialog(c), "data-testid": "card-promise-new" },
      icon("plus"),
      t("action.promise"),
    ),
  );
}
