// How a conversation stands, in words and with an icon.

/** @import { Conversation, QueueSummary } from "./types/api.js" */
/** @import { State } from "./types/state.js" */
/** @import { Child } from "./dom.js" */
/** @import { Key } from "./i18n.js" */
/** @import { IconName } from "./icons.js" */

import { serverNow } from "./clock.js";
import { el, h } from "./dom.js";
import { icon } from "./icons.js";
import { dayText, t, timeText } from "./i18n.js";
import { isWaiting } from "./order.js";

/** @param {State} state @param {string | undefined} id */
export function nameById(state, id) {
  const known = state.operators[id ?? ""];
  return known?.displayName || known?.login || t("operator.unknown");
}

/** @param {State} state @param {string | undefined} id @returns {QueueSummary | undefined} also of queues that are not the operator's */
export function queueOf(state, id) {
  return state.queues[id ?? ""] ?? state.otherQueues.find((q) => q.id === id);
}

/** @param {State} state @param {string | undefined} id */
export function queueName(state, id) {
  return queueOf(state, id)?.displayName || id || "";
}

/** "14:05" today, else "Tomorrow, 09:00". @param {string | undefined} time */
export function untilText(time) {
  if (!time) return "";
  const now = serverNow();
  const today = new Date(time).toDateString() === new Date(now).toDateString();
  return today ? timeText(time) : `${dayText(time, now)}, ${timeText(time)}`;
}

/** @param {Conversation} c @param {string | undefined} who */
export function isAsked(c, who) {
  return c.state === "OFFERED" && (c.operatorId === who || (c.askedOperatorIds ?? []).includes(who ?? ""));
}

/** Who is asked, when it is offered. @param {State} state @param {Conversation} c */
export function askedText(state, c) {
  const me = state.me?.id;
  const others = (c.askedOperatorIds ?? []).filter((id) => id !== me).length;
  if (isAsked(c, me)) return others > 0 ? t("state.askedMe", { n: others }) : t("row.offeredToYou");
  return others > 1 ? t("state.askedMany", { n: others }) : t("row.offeredTo", { name: nameById(state, c.operatorId) });
}

/** How many others are asked at the same time. @param {State} state @param {Conversation} c */
export function othersText(state, c) {
  return t("offer.others", { n: (c.askedOperatorIds ?? []).filter((id) => id !== state.me?.id).length });
}

/** Why the queue's rules led it on. @param {Conversation} c */
export function overflowText(c) {
  return t(/** @type {Key} */ (`overflow.${c.overflowReason || "max_wait"}`));
}

/** Why it ended when nobody finished it, or the verdict. @param {Conversation} c */
export function closedText(c) {
  if (c.disposition) return t("segment.closedAs", { name: c.disposition });
  if (c.closeReason === "abandoned") return t("segment.closedAs", { name: t("closed.abandoned") });
  if (c.closeReason !== "diverted") return t("segment.closed");
  const exit = ["voicemail", "form", "callback"].includes(c.overflowExit ?? "") ? c.overflowExit : "diverted";
  return t("segment.closedAs", { name: t(/** @type {Key} */ (`closed.${exit}`)) });
}

/** @param {State} state @param {Conversation} c */
export function stateText(state, c) {
  const mine = c.operatorId === state.me?.id;
  switch (c.state) {
    case "QUEUED":
      return t("state.QUEUED");
    case "OFFERED":
      return askedText(state, c);
    case "ACTIVE":
      return mine ? "" : t("state.ACTIVE", { name: nameById(state, c.operatorId) });
    case "PARKED":
      return t("state.PARKED");
    case "WRAPPING_UP":
      return mine ? t("state.WRAPPING_UP.mine") : t("state.WRAPPING_UP", { name: nameById(state, c.operatorId) });
    case "DEFERRED":
      return t("state.DEFERRED");
    case "ABANDONED":
      return t("state.ABANDONED");
    case "CLOSED":
      return closedText(c);
    default:
      return "";
  }
}

/**
 * The operator of before gets it first for a while, if they are there.
 *
 * @param {State} state
 * @param {Conversation} c
 */
export function isKept(state, c) {
  return c.state === "QUEUED" && state.operators[c.preferredOperatorId ?? ""]?.presence === "READY";
}

/** @param {IconName} name @param {Child} content @param {string} testid @param {boolean} [warn] */
function tag(name, content, testid, warn = false) {
  return h("span", { class: `tag${warn ? " warn" : ""}`, "data-testid": `tag-${testid}` }, icon(name), content);
}

/**
 * The marks of a list row: where it stands, and what is special about it.
 *
 * @param {State} state
 * @param {Conversation} c
 * @returns {Child[]}
 */
export function stateTags(state, c) {
  const mine = c.operatorId === state.me?.id;
  const until = untilText(c.stateUntil);
  return [
    c.state === "WRAPPING_UP" &&
      h(
        "span",
        { class: "tag", "data-testid": "tag-wrap-up" },
        icon("edit"),
        t("state.WRAPPING_UP.mine"),
        el("sb-timer", { until: c.stateUntil ?? "" }),
      ),
    c.state === "DEFERRED" && tag("moon", t("state.opens", { time: until }), "deferred"),
    c.state === "ABANDONED" && tag("leave", t("state.left", { time: until }), "abandoned", true),
    (c.state === "ACTIVE" || c.state === "WRAPPING_UP") && !mine && tag("person", nameById(state, c.operatorId), "owner"),
    c.state === "OFFERED" && tag("bell", askedText(state, c), "offered"),
    ...originTags(state, c),
    c.overCapacity && c.state === "ACTIVE" && tag("layers", t("state.over"), "over", true),
  ];
}

/**
 * How it came to wait, also for whoever is asked.
 *
 * @param {State} state
 * @param {Conversation} c
 * @returns {Child[]}
 */
export function originTags(state, c) {
  return [
    c.callbackPhone && c.state !== "CLOSED" && tag("voice", t("state.call", { phone: c.callbackPhone }), "callback"),
    c.returned &&
      h("span", { class: "tag warn", "data-testid": "returned" }, icon("returned"), t("row.returned")),
    isKept(state, c) && tag("person", t("state.first", { name: nameById(state, c.preferredOperatorId) }), "preferred"),
    isWaiting(c) &&
      c.overflowExit === "queue" &&
      tag("transfer", t("state.from", { name: queueName(state, c.overflowFromQueueId) }), "overflow"),
    isWaiting(c) && c.overflowExit === "any_skills" && tag("people", t("state.anySkills"), "overflow"),
  ];
}
