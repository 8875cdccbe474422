// The days and groups of a report: which they are, and what they are called.

import { getState } from "./app.js";
import { locale, t } from "./i18n.js";
import { channelOf, operatorName } from "./parts.js";

/** @import { GetMetricsResponse, Grouping, MetricsRow } from "./types/metrics.js" */

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
export const DAYS_MAX = 400;
export const DAYS_BY_HOUR_MAX = 31;

/** @typedef {"today" | "yesterday" | "week" | "month" | "quarter" | "own"} RangeName */
/** @typedef {{ range: RangeName, first: string, last: string, grouping: Grouping, queueId: string, target: number }} Choice */

/** The beginning of a day here, so many days from another. @param {Date} day @param {number} by */
function dayFrom(day, by) {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + by);
}

/** "2026-11-26" as a day here. @param {string} text */
function dayOf(text) {
  const [year, month, day] = text.split("-").map(Number);
  const found = new Date(year, month - 1, day);
  return text && !Number.isNaN(found.getTime()) ? found : null;
}

/** @param {Date} day */
export function dayInput(day) {
  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${day.getFullYear()}-${pad(day.getMonth() + 1)}-${pad(day.getDate())}`;
}

/**
 * The moments between which a report counts, or what is wrong with the choice.
 *
 * @param {Choice} choice
 * @param {number} now
 * @returns {{ from: Date, to: Date } | { error: import("./i18n.js").Key }}
 */
export function rangeOf(choice, now) {
  const today = dayFrom(new Date(now), 0);
  const back = { today: 0, yesterday: -1, week: -6, month: -29, quarter: -89, own: 0 }[choice.range];
  let from = dayFrom(today, back);
  let to = choice.range === "yesterday" ? today : dayFrom(today, 1);
  if (choice.range === "own") {
    const first = dayOf(choice.first);
    const last = dayOf(choice.last);
    if (!first || !last || last < first) return { error: "reports.badRange" };
    from = first;
    to = dayFrom(last, 1);
  }
  const days = Math.round((to.getTime() - from.getTime()) / DAY_MS);
  const most = choice.grouping === "BY_HOUR" ? DAYS_BY_HOUR_MAX : DAYS_MAX;
  return days > most ? { error: "reports.longRange" } : { from, to };
}

/** @param {string | undefined} time @param {Intl.DateTimeFormatOptions} options */
const format = (time, options) => new Intl.DateTimeFormat(locale(), options).format(new Date(time ?? 0));

/** What a row is called. @param {MetricsRow} row @param {Grouping} grouping @param {boolean} [oneDay] */
export function rowName(row, grouping, oneDay = false) {
  const state = getState();
  const key = row.key ?? "";
  switch (grouping) {
    case "BY_HOUR":
      return oneDay
        ? format(row.startsAt, { hour: "2-digit", minute: "2-digit" })
        : format(row.startsAt, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    case "BY_DAY":
      return format(row.startsAt, { day: "numeric", month: "short" });
    case "BY_HOUR_OF_DAY":
      return `${key.padStart(2, "0")}:00`;
    case "BY_QUEUE":
      return state.queues[key]?.displayName || key || t("reports.nobody");
    case "BY_LINE":
      return state.lines[key]?.displayName || key || t("reports.nobody");
    case "BY_CHANNEL":
      return channelOf(Object.values(state.lines).find((line) => line.channel === key), key);
    case "BY_OPERATOR":
      return key ? operatorName(state.operators[key]) : t("reports.nobody");
  }
}

/**
 * The rows with those in between of which nothing is told, so that a chart's hours and days are
 * equally far apart. What has not come yet is left out.
 *
 * @param {GetMetricsResponse} answer
 * @param {Grouping} grouping
 * @param {number} now
 * @returns {MetricsRow[]}
 */
export function evenRows(answer, grouping, now) {
  const rows = answer.rows ?? [];
  if (grouping === "BY_HOUR_OF_DAY") {
    const known = new Map(rows.map((row) => [Number(row.key), row]));
    return Array.from({ length: 24 }, (_, hour) => known.get(hour) ?? { key: String(hour) });
  }
  if (grouping !== "BY_HOUR" && grouping !== "BY_DAY") return rows;
  const known = new Map(rows.map((row) => [Date.parse(row.startsAt ?? ""), row]));
  const end = Math.min(Date.parse(answer.to ?? ""), now);
  /** @type {MetricsRow[]} */
  const even = [];
  let at = new Date(answer.from ?? "");
  if (grouping === "BY_DAY") at = dayFrom(at, 0);
  while (at.getTime() < end) {
    even.push(known.get(at.getTime()) ?? { startsAt: at.toISOString() });
    at = grouping === "BY_DAY" ? dayFrom(at, 1) : new Date(at.getTime() + HOUR_MS);
  }
  return even;
}

/**
 * Whether a row's metric says something: who waits and leaves is with nobody, and so no part of what
 * anybody answered.
 *
 * @param {MetricsRow | undefined} row
 * @param {Grouping} grouping
 * @param {string} name
 */
export function isSense(row, grouping, name) {
  if (grouping !== "BY_OPERATOR") return true;
  if (!row?.key) return !["service_level", "abandonment_rate", "answered", "handled"].includes(name);
  return !["offered", "abandoned", "abandonment_rate"].includes(name);
}
