// Numbers of metrics as people and as programs read them.

import { locale } from "./i18n.js";

/** @import { Metric, MetricsRow } from "./types/metrics.js" */

/** @param {MetricsRow | undefined} row @param {string} name @returns {Metric | undefined} */
export function metricOf(row, name) {
  return row?.metrics?.find((metric) => metric.name === name);
}

/** @param {MetricsRow | undefined} row @param {string} name @returns {number | null} */
export function valueOf(row, name) {
  return metricOf(row, name)?.value ?? null;
}

/** "81.1 %". @param {number | null | undefined} part */
export function percentText(part) {
  if (part === null || part === undefined) return "—";
  return part.toLocaleString(locale(), { style: "percent", maximumFractionDigits: 1 });
}

/** "8 s", "1:05", "2:03:10". @param {number | null | undefined} seconds */
export function durationText(seconds) {
  if (seconds === null || seconds === undefined) return "—";
  if (seconds < 60) {
    return seconds.toLocaleString(locale(), {
      style: "unit",
      unit: "second",
      unitDisplay: "short",
      maximumFractionDigits: seconds < 10 ? 1 : 0,
    });
  }
  const all = Math.round(seconds);
  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(all / 3600);
  const minutes = Math.floor(all / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(all % 60)}` : `${minutes}:${pad(all % 60)}`;
}

/** @param {number | null | undefined} number */
export function countText(number) {
  return number === null || number === undefined ? "—" : Math.round(number).toLocaleString(locale());
}

/** A value by what it is. @param {Metric | undefined} metric */
export function metricText(metric) {
  if (metric?.value === undefined) return "—";
  if (metric.unit === "ratio") return percentText(metric.value);
  if (metric.unit === "seconds") return durationText(metric.value);
  if (metric.unit === "score") return metric.value.toLocaleString(locale(), { maximumFractionDigits: 2 });
  return countText(metric.value);
}
