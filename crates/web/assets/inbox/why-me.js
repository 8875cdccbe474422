// Why an operator gets nothing: what keeps them from everything, then queue by queue.

import { getState } from "./app.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { momentText, t } from "./i18n.js";
import { empty, operatorName, waitTimer } from "./parts.js";
import { exactTime, skillNames } from "./why-parts.js";

/** @import { Child } from "./dom.js" */
/** @import { Key } from "./i18n.js" */
/** @import { QueueHead, QueueOutlook, WhyNotMeResponse } from "./types/why.js" */

/** @param {string | undefined} id */
const queueName = (id = "") => getState().queues[id]?.displayName || id;

/** @param {string | undefined} id */
const colleague = (id = "") => operatorName(getState().operators[id]);

/**
 * @param {WhyNotMeResponse} answer
 * @param {boolean} mine the reader asks about themselves
 * @returns {Child[]}
 */
export function outlook(answer, mine) {
  const queues = answer.queues ?? [];
  return [
    h(
      "p",
      { class: answer.barred ? "why-lead why-barred" : "why-lead", "data-testid": "why-barred" },
      answer.barred && icon("warning"),
      barred(answer, mine),
    ),
    queues.length === 0 && empty("queue", t("why.me.noQueues"), t("why.me.noQueuesText")),
    queues.length > 0 && h("h3", null, t(mine ? "why.me.queues" : "why.they.queues")),
    queues.length > 0 && h("ul", { class: "why-queues" }, queues.map((queue) => card(queue, answer, mine))),
    answer.partial && h("p", { class: "muted" }, t("why.partial")),
    h("p", { class: "hint" }, t("why.at", { time: momentText(answer.at) })),
  ];
}

/** @param {WhyNotMeResponse} answer @param {boolean} mine */
function barred(answer, mine) {
  const rule = answer.barred;
  if (!rule) return t(mine ? "why.me.none" : "why.they.none");
  if (!mine) return t(/** @type {Key} */ (`why.rule.${rule}`));
  return t(/** @type {Key} */ (`why.me.${rule}`), { time: exactTime(answer.coolDownUntil) });
}

/** @param {QueueOutlook} queue @param {WhyNotMeResponse} answer @param {boolean} mine */
function card(queue, answer, mine) {
  const before = queue.beforeMe ?? 0;
  const head = queue.head;
  // What keeps somebody from everything was said above.
  const reason = head ? (head.why === answer.barred ? "" : headText(head, queue, mine)) : t("why.me.quiet");
  const order =
    head || answer.barred || queue.strategy === "manual" || queue.strategy === "ring_all"
      ? ""
      : before > 0
        ? t(mine ? "why.me.before" : "why.they.before", { n: before })
        : t(mine ? "why.me.next" : "why.they.next");
  return h(
    "li",
    { "data-testid": "why-queue", "data-why": head?.why ?? "quiet" },
    h(
      "span",
      { class: "why-queue-head" },
      h("b", null, queueName(queue.queueId)),
      head && h("span", { class: "tag" }, t("why.me.waiting", { n: queue.waiting ?? 0 })),
      head && waitTimer(head.eligibleAt),
    ),
    h("span", { class: "muted" }, [reason, order].filter(Boolean).join(" ")),
  );
}

/** Why the first that waits is not theirs. @param {QueueHead} head @param {QueueOutlook} queue @param {boolean} mine */
function headText(head, queue, mine) {
  const values = {
    name: colleague(head.operatorId),
    time: exactTime(head.until),
  };
  switch (head.why) {
    case "missing_skill": {
      const key = head.until ? "why.me.missing_skillUntil" : "why.me.missing_skill";
      const name = skillNames(head.missingSkills);
      return mine ? t(key, { ...values, name }) : t("why.needs", { name });
    }
    case "has_better":
      return t(mine ? "why.me.has_better" : "why.they.has_better", { name: queueName(head.queueId || queue.queueId) });
    case "held_for_other":
    case "paused":
      return t(`why.me.${head.why}`, values);
    case "other_first":
    case "yours":
      return t(`${mine ? "why.me" : "why.they"}.${head.why}`, values);
    case "take_it":
      return t(mine ? "why.me.take_it" : "why.strategy.manual");
    default:
      return t(/** @type {Key} */ (`${mine ? "why.me" : "why.rule"}.${head.why}`), values);
  }
}
