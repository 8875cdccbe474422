// Why the router decided as it did, in words: of an offer, of somebody who waits, and
// of somebody who gets nothing.

import { ApiError, call } from "./api.js";
import { getState } from "./app.js";
import { openDialog } from "./dialog.js";
import { h, replace } from "./dom.js";
import { momentText, t, timeText } from "./i18n.js";
import { empty, failed, operatorName, skeleton } from "./parts.js";
import { errorText } from "./refusals.js";
import { outlook } from "./why-me.js";
import { exactTime, person, ruleGroups, skillNames, span, strategyText } from "./why-parts.js";

/** @import { Child } from "./dom.js" */
/** @import { ExplainOfferResponse, WhyStillWaitingResponse } from "./types/why.js" */

/**
 * A dialog that reads what it shows.
 *
 * @template T
 * @param {string} title
 * @param {string} testid
 * @param {() => Promise<T>} read
 * @param {(answer: T, rename: (title: string) => void) => Child[]} draw
 * @param {(error: unknown) => Child[] | null} [instead] for an error that says something
 */
async function explain(title, testid, read, draw, instead) {
  const body = h("div", { class: "why", "aria-live": "polite" }, skeleton(3));
  const { dialog } = openDialog({ title, testid, cancel: false, body: [body] });
  const rename = (/** @type {string} */ text) => replace(dialog.querySelector("h2") ?? body, text);
  const load = async () => {
    replace(body, skeleton(3));
    try {
      replace(body, ...draw(await read(), rename));
    } catch (error) {
      const said = instead?.(error);
      replace(body, ...(said ?? [failed(errorText(error), () => void load())]));
    }
  };
  await load();
}

/** @param {string} operatorId */
const nameOfOperator = (operatorId) => operatorName(getState().operators[operatorId]);

/** Why an offer, or what somebody has, went to them. @param {{ offerId?: string, conversationId?: string }} which */
export function showWhyOffer(which) {
  const read = () => call("Routing/ExplainOffer", which);
  void explain(
    t("why.ask"),
    "why-offer",
    read,
    (answer, rename) => {
      rename(t("why.offer.title", { name: nameOfOperator(answer.chosen?.operatorId ?? "") }));
      return offer(answer);
    },
    (error) =>
      error instanceof ApiError && error.code === "not_found"
        ? [empty("hand", t("why.offer.none"), t("why.offer.noneText"))]
        : null,
  );
}

/** @param {ExplainOfferResponse} answer @returns {Child[]} */
function offer(answer) {
  const chosen = answer.chosen ?? { operatorId: "" };
  const name = nameOfOperator(chosen.operatorId);
  const cause = answer.cause ?? "queue";
  const owner = getState().conversations[answer.offer?.conversationId ?? ""]?.operatorId;
  const decided = answer.decidedAt ?? "";
  const byOrder = cause === "queue" || cause === "sticky" || cause === "ring";
  return [
    h(
      "p",
      { class: "why-lead" },
      t(/** @type {any} */ (`why.cause.${cause}`), { name }),
      cause === "queue" && ` ${strategyText(answer.strategy)}`,
    ),
    owner && owner !== chosen.operatorId && h("p", { class: "notice" }, t("why.taken", { name: nameOfOperator(owner) })),
    byOrder &&
      h(
        "ul",
        { class: "why-facts" },
        h("li", null, t("why.waited", { time: span(answer.eligibleAt, decided) })),
        (answer.round ?? 1) > 1 && h("li", null, t("why.round", { n: answer.round ?? 1 })),
        (answer.skills ?? []).length > 0 && h("li", null, t("why.needs", { name: skillNames(answer.skills) })),
      ),
    byOrder && h("h3", null, t("why.order")),
    byOrder &&
      h(
        "ol",
        { class: "why-order", "data-testid": "why-order" },
        person(chosen, t(cause === "ring" ? "why.asked" : "why.chosen"), answer.strategy, decided, true),
        answer.runnerUp && person(answer.runnerUp, t("why.runnerUp"), answer.strategy, decided),
      ),
    byOrder && !answer.runnerUp && h("p", { class: "muted" }, t("why.alone")),
    ...ruleGroups(t("why.excluded"), answer.excluded),
    h("p", { class: "hint" }, t("why.at", { time: momentText(decided) })),
  ];
}

/** Why a conversation still waits. @param {string} conversationId */
export function showWhyWaiting(conversationId) {
  void explain(
    t("why.waiting.title"),
    "why-waiting",
    async () => {
      const answer = await call("Routing/WhyStillWaiting", { conversationId });
      const asked = answer.offerId ? await call("Routing/ExplainOffer", { offerId: answer.offerId }) : null;
      return { answer, asked };
    },
    ({ answer, asked }) =>
      asked ? [h("p", { class: "why-lead" }, t("why.waiting.asked")), ...offer(asked)] : waiting(answer),
    (error) =>
      error instanceof ApiError && error.code === "failed_precondition"
        ? [empty("check", t("why.waiting.over"), t("why.waiting.overText"))]
        : null,
  );
}

/** @param {WhyStillWaitingResponse} answer @returns {Child[]} */
function waiting(answer) {
  const ahead = answer.ahead ?? 0;
  const staffed = answer.staffed ?? 0;
  const manual = answer.strategy === "manual";
  /** @type {(string | false | null | undefined)[]} */
  const facts = [
    answer.pausedUntil && t("why.waiting.paused", { time: exactTime(answer.pausedUntil) }),
    answer.held &&
      t("why.waiting.held", {
        name: nameOfOperator(answer.held.operatorId ?? ""),
        time: exactTime(answer.held.until),
      }),
    (answer.round ?? 1) > 1 && t("why.round", { n: answer.round ?? 1 }),
    (answer.skills ?? []).length > 0 && t("why.needs", { name: skillNames(answer.skills) }),
    answer.relaxesAt &&
      ((answer.skillsThen ?? []).length > 0
        ? t("why.waiting.relaxes", { time: timeText(answer.relaxesAt), name: skillNames(answer.skillsThen) })
        : t("why.waiting.relaxesAll", { time: timeText(answer.relaxesAt) })),
    answer.liftedAt && t("why.waiting.lifted", { time: timeText(answer.liftedAt) }),
    answer.leadsOnAt && t("why.waiting.leadsOn", { time: timeText(answer.leadsOnAt) }),
    answer.partial && t("why.partial"),
  ];
  const next = answer.next;
  const before = next?.before ?? 0;
  return [
    h(
      "p",
      { class: "why-lead" },
      ahead > 0 ? t("why.waiting.ahead", { n: ahead }) : t("why.waiting.first"),
      " ",
      staffed > 0 ? t("why.waiting.staffed", { n: staffed }) : t("why.waiting.nobody"),
    ),
    manual && h("p", { class: "notice" }, strategyText(answer.strategy)),
    h(
      "ul",
      { class: "why-facts" },
      facts.filter(Boolean).map((fact) => h("li", null, String(fact))),
    ),
    next?.operator && !manual && h("h3", null, t("why.waiting.next")),
    next?.operator &&
      !manual &&
      h(
        "ol",
        { class: "why-order", "data-testid": "why-next" },
        person(
          next.operator,
          t(next.free ? "why.waiting.free" : "why.waiting.busy"),
          answer.strategy,
          answer.at ?? "",
          next.free,
          before > 0 ? t("why.waiting.before", { n: before }) : "",
        ),
      ),
    ...ruleGroups(t("why.excludedNow"), answer.members),
    h("p", { class: "hint" }, t("why.at", { time: momentText(answer.at) })),
  ];
}

/** Why an operator gets nothing: oneself when nobody is named. @param {string} [operatorId] */
export function showWhyNotMe(operatorId = "") {
  const mine = !operatorId || operatorId === getState().me?.id;
  void explain(
    mine ? t("why.askMe") : t("why.askOperator", { name: nameOfOperator(operatorId) }),
    "why-me-dialog",
    () => call("Routing/WhyNotMe", { operatorId: operatorId || undefined }),
    (answer) => outlook(answer, mine),
  );
}
