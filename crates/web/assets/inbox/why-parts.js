// What the router's explanations are drawn of.

import { serverNow } from "./clock.js";
import { getState } from "./app.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { locale, lengthText, t } from "./i18n.js";
import { avatar, operatorName } from "./parts.js";

/** @import { Child } from "./dom.js" */
/** @import { Key } from "./i18n.js" */
/** @import { CandidateKeys, Exclusion } from "./types/why.js" */

/** So many names of a group are written out. */
const NAMES = 8;

/** @param {string | undefined} strategy */
export function strategyText(strategy) {
  return t(/** @type {Key} */ (`why.strategy.${strategy || "longest_idle"}`));
}

/** @param {string[] | undefined} skills */
export function skillNames(skills) {
  return new Intl.ListFormat(locale(), { type: "conjunction" }).format(skills ?? []);
}

/** "14:05:09": what ends within a minute needs its seconds. @param {string | undefined} time */
export function exactTime(time) {
  if (!time) return "";
  return new Intl.DateTimeFormat(locale(), { timeStyle: "medium" }).format(new Date(time));
}

/** How long from one time to another, in one unit. @param {string | undefined} from @param {string | undefined} to */
export function span(from, to) {
  const end = to ? Date.parse(to) : serverNow();
  const ms = Math.max(0, end - (from ? Date.parse(from) : end));
  return ms < 90_000 ? t("why.seconds", { n: Math.round(ms / 1000) }) : lengthText(ms);
}

/**
 * An operator as the router saw them.
 *
 * @param {CandidateKeys} keys
 * @param {string} role what they are here
 * @param {string | undefined} strategy says which of the keys counted
 * @param {string} at
 * @param {boolean} [first]
 * @param {string} [more]
 */
export function person(keys, role, strategy, at, first = false, more = "") {
  const known = getState().operators[keys.operatorId];
  const idle = keys.idleSince && Date.parse(keys.idleSince) > 0;
  const facts = [
    t("why.load", { load: keys.load ?? 0, capacity: keys.capacity ?? 0 }),
    strategy === "least_busy" && t("why.open", { n: keys.open ?? 0 }),
    strategy === "strict_list" && t("why.position", { n: keys.position ?? 0 }),
    idle && strategy !== "round_robin" && strategy !== "strict_list" && t("why.idle", { time: span(keys.idleSince, at) }),
    more,
  ];
  return h(
    "li",
    { class: first ? "why-person first" : "why-person" },
    avatar(operatorName(known)),
    h(
      "span",
      { class: "why-who" },
      h("b", null, operatorName(known)),
      h("small", { class: "muted" }, facts.filter(Boolean).join(" · ")),
    ),
    h("span", { class: first ? "tag ok" : "tag" }, first && icon("check"), role),
  );
}

/** @param {string[]} ids */
function names(ids) {
  const operators = getState().operators;
  const all = ids.map((id) => operatorName(operators[id])).sort((a, b) => a.localeCompare(b));
  const shown = all.slice(0, NAMES).join(", ");
  return all.length > NAMES ? `${shown} ${t("why.more", { n: all.length - NAMES })}` : shown;
}

/**
 * Everybody by the rule that keeps them out.
 *
 * @param {string} title
 * @param {Exclusion[] | undefined} groups
 * @returns {Child[]}
 */
export function ruleGroups(title, groups = []) {
  if (groups.length === 0) return [];
  return [
    h("h3", null, title),
    h(
      "dl",
      { class: "why-groups", "data-testid": "why-groups" },
      groups.flatMap((group) => [
        h(
          "dt",
          { "data-rule": group.rule || "none" },
          t(/** @type {Key} */ (`why.rule.${group.rule || "none"}`)),
          h("span", { class: "count" }, (group.operatorIds ?? []).length),
        ),
        h("dd", null, names(group.operatorIds ?? [])),
      ]),
    ),
  ];
}
