// What the wallboard is drawn of.

import { getState } from "./app.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { asideIcon, asideText, avatar, waitTimer } from "./parts.js";

/** @import { OperatorNow } from "./types/metrics.js" */
/** @import { Child } from "./dom.js" */

/** @param {import("./i18n.js").Key} key @param {number} n */
export const told = (key, n) => (n > 0 ? t(key, { n }) : "");
/** @param {string[]} texts */
export const listed = (...texts) => texts.filter(Boolean).join(" · ");

/** @param {string} text */
export function number(text) {
  return h("span", { class: "number" }, text);
}

/**
 * A number to be read from afar. Its grade is a colour, an icon and a word.
 *
 * @param {"waiting" | "longest" | "level" | "asa" | "answered" | "abandoned" | "active" | "free"} name
 * @param {Child} value
 * @param {string} detail
 * @param {"good" | "fair" | "poor" | "none"} [grade]
 */
export function tile(name, value, detail, grade = "none") {
  return h(
    "section",
    { class: "tile", "data-grade": grade, "data-testid": `tile-${name}`, "aria-label": t(`wallboard.${name}`) },
    h("h2", null, t(`wallboard.${name}`)),
    h("p", { class: "tile-value" }, value),
    h(
      "p",
      { class: "tile-detail" },
      grade !== "none" &&
        h("b", { class: "grade" }, icon(grade === "good" ? "check" : "warning"), t(`wallboard.${grade}`)),
      detail,
    ),
  );
}

/** @param {OperatorNow} one */
export function person(one) {
  const name = one.displayName || getState().operators[one.operatorId]?.displayName || t("operator.unknown");
  const known = getState().operators[one.operatorId];
  const aside = asideText(known);
  const load = t("wallboard.load", { used: one.load ?? 0, all: one.capacity ?? 100 });
  return h(
    "li",
    { class: "crew-one" },
    avatar(name),
    h(
      "span",
      { class: "crew-name" },
      h("b", null, name),
      h("small", { class: "muted" }, one.awayReason || load),
      aside && h("span", { class: "tag", "data-testid": "crew-aside" }, asideIcon(known), aside),
    ),
    one.since && waitTimer(one.since),
  );
}
