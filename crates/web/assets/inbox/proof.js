// What the gateway has checked of its own routing, and what it found.

import { call } from "./api.js";
import { getState } from "./app.js";
import { everySecond } from "./clock.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { momentText, t } from "./i18n.js";
import { Page, table } from "./page.js";
import { operatorName } from "./parts.js";
import { conversationHref } from "./route.js";
import { exactTime } from "./why-parts.js";

/** @import { Key } from "./i18n.js" */
/** @import { GetProofResponse, Violation } from "./types/why.js" */

const EVERY_S = 5;

/** int64 comes as a string. @param {string | undefined} number */
const count = (number) => Number(number ?? 0);

class Proof extends Page {
  start() {
    this.frame(t("page.proof"), t("proof.text"));
    const read = () => call("Routing/GetProof", {});
    const show = (/** @type {GetProofResponse} */ answer) => this.#draw(answer);
    void this.load(read, show);
    let seconds = 0;
    this.onLeave(
      everySecond(() => {
        seconds += 1;
        if (seconds % EVERY_S === 0 && document.visibilityState === "visible") void this.load(read, show, true);
      }),
    );
  }

  /** @param {GetProofResponse} answer */
  #draw(answer) {
    const laws = answer.laws ?? [];
    const broken = laws.reduce((sum, law) => sum + count(law.violations), 0);
    const notJudged = count(answer.offersNotJudged);
    const inPart = count(answer.offersInPart);
    const violations = answer.violations ?? [];
    this.show(
      h(
        "div",
        { class: `proof-verdict ${broken > 0 ? "bad" : "good"}`, "data-testid": "proof-verdict", "data-broken": broken },
        icon(broken > 0 ? "warning" : "verified"),
        h(
          "div",
          null,
          h("b", null, broken > 0 ? t("proof.bad", { n: broken }) : t("proof.good")),
          broken > 0 && h("p", null, t("proof.badText")),
        ),
      ),
      h(
        "dl",
        { class: "proof-figures" },
        figure(t("proof.offers"), count(answer.offers).toLocaleString(document.documentElement.lang), "proof-offers"),
        figure(t("proof.rows"), count(answer.rows).toLocaleString(document.documentElement.lang), "proof-rows"),
        figure(t("proof.since"), momentText(answer.since), "proof-since"),
        figure(t("proof.looked"), exactTime(answer.lookedAt), "proof-looked"),
      ),
      notJudged > 0 && h("p", { class: "muted" }, t("proof.notJudged", { n: notJudged })),
      inPart > 0 && h("p", { class: "muted" }, t("proof.inPart", { n: inPart })),
      table(
        t("proof.laws"),
        [t("proof.law"), t("proof.violations")],
        laws.map((law) => [lawText(law.name), violationCount(count(law.violations))]),
        "proof-laws",
      ),
      violations.length > 0 && h("h2", null, t("proof.found")),
      violations.length > 0 &&
        table(
          t("proof.found"),
          [t("proof.found.at"), t("proof.found.law"), t("proof.found.where"), t("proof.found.detail")],
          violations.map((found) => [
            momentText(found.at),
            h("span", { class: "wrap" }, lawText(found.law)),
            where(found),
            h("span", { class: "wrap" }, found.detail ?? ""),
          ]),
          "proof-violations",
        ),
    );
  }
}
customElements.define("sb-proof", Proof);

/** @param {string | undefined} name */
function lawText(name) {
  return t(/** @type {Key} */ (`proof.law.${name}`));
}

/** @param {string} label @param {string} value @param {string} testid */
function figure(label, value, testid) {
  return h("div", null, h("dt", null, label), h("dd", { "data-testid": testid }, value));
}

/** @param {number} n */
function violationCount(n) {
  return h(
    "span",
    { class: `number proof-count ${n > 0 ? "bad" : "good"}` },
    icon(n > 0 ? "warning" : "check"),
    n.toLocaleString(document.documentElement.lang),
  );
}

/** @param {Violation} found */
function where({ conversationId, operatorId }) {
  const operator = operatorId ? operatorName(getState().operators[operatorId]) : "";
  return h(
    "span",
    null,
    conversationId &&
      h("a", { class: "link", href: conversationHref(conversationId) }, `${t("proof.conversation")} ${conversationId}`),
    conversationId && operator && " · ",
    operator || (!conversationId && "—"),
  );
}
