// Words in the reader's language: strings, plurals, dates, sizes.

import { en } from "./en.js";
import { pref, setPref } from "./prefs.js";
import { ru } from "./ru.js";

/** @typedef {keyof typeof en} Key */

/** @type {Record<string, Record<Key, string>>} */
const CATALOGUES = { en, ru };

export const LANGUAGES = [
  { id: "en", name: "English" },
  { id: "ru", name: "Русский" },
];

/** @returns {string} "en" or "ru" */
export function language() {
  const wished = [pref("language"), ...navigator.languages].map((tag) => tag.slice(0, 2).toLowerCase());
  return wished.find((tag) => tag in CATALOGUES) ?? "en";
}

/** Whose way of writing dates and numbers: the browser's own, if it is of the language. */
export function locale() {
  const spoken = language();
  return navigator.languages.find((tag) => tag.slice(0, 2).toLowerCase() === spoken) ?? spoken;
}

/** @param {string} id */
export function setLanguage(id) {
  setPref("language", id);
  document.documentElement.lang = language();
}

/** Whether there are words for it. @param {string} key @returns {key is Key} */
export function isKey(key) {
  return Object.hasOwn(en, key);
}

/**
 * The string of a key. `{name}` is replaced by the value; a string that depends
 * on the number `n` holds its forms as "one: … | few: … | many: … | other: …".
 *
 * @param {Key} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const text = CATALOGUES[language()][key] ?? en[key] ?? key;
  const form = "n" in values ? plural(text, Number(values.n)) : text;
  return form.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? value.toLocaleString(locale()) : (value ?? "");
  });
}

/** @param {string} text @param {number} n */
function plural(text, n) {
  if (!text.includes("other:")) return text;
  const forms = Object.fromEntries(
    text.split(" | ").map((form) => {
      const colon = form.indexOf(": ");
      return [form.slice(0, colon), form.slice(colon + 2)];
    }),
  );
  return forms[new Intl.PluralRules(language()).select(n)] ?? forms.other;
}

/** @param {string | undefined} time @param {Intl.DateTimeFormatOptions} options */
function format(time, options) {
  return time ? new Intl.DateTimeFormat(locale(), options).format(new Date(time)) : "";
}

/** "14:05". @param {string | undefined} time */
export function timeText(time) {
  return format(time, { hour: "2-digit", minute: "2-digit" });
}

/**
 * The time alone when it is on the day that it stands under.
 *
 * @param {string | undefined} time
 * @param {string | undefined} day
 */
export function timeOn(time, day) {
  const same = !time || !day || new Date(time).toDateString() === new Date(day).toDateString();
  return same ? timeText(time) : momentText(time);
}

/** "5 Mar 2026, 14:05". @param {string | undefined} time */
export function momentText(time) {
  return format(time, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

/** "Today", "Yesterday", "Tomorrow", "5 March". @param {string | undefined} time @param {number} now */
export function dayText(time, now) {
  if (!time) return "";
  const day = new Date(time);
  const today = new Date(now);
  const days = Math.round((new Date(today).setHours(0, 0, 0, 0) - new Date(day).setHours(0, 0, 0, 0)) / 86_400_000);
  if (Math.abs(days) <= 1) {
    const text = new Intl.RelativeTimeFormat(language(), { numeric: "auto" }).format(-days, "day");
    return text.charAt(0).toUpperCase() + text.slice(1);
  }
  return format(time, {
    day: "numeric",
    month: "long",
    year: day.getFullYear() === today.getFullYear() ? undefined : "numeric",
  });
}

/** The time today, else the day, for a list. @param {string | undefined} time @param {number} now */
export function shortText(time, now) {
  if (!time) return "";
  const sameDay = new Date(time).toDateString() === new Date(now).toDateString();
  return sameDay ? timeText(time) : format(time, { day: "numeric", month: "short" });
}

/** @param {string | number | undefined} bytes */
export function sizeText(bytes) {
  const n = Number(bytes ?? 0);
  const units = /** @type {const} */ (["byte", "kilobyte", "megabyte", "gigabyte"]);
  const power = n < 1 ? 0 : Math.min(3, Math.floor(Math.log(n) / Math.log(1024)));
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit: units[power],
    unitDisplay: "short",
    maximumFractionDigits: power > 1 ? 1 : 0,
  }).format(n / 1024 ** power);
}

/** "2 d", "14 min" — a length of time in one unit. @param {number} ms */
export function lengthText(ms) {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  const [value, unit] =
    minutes >= 2880
      ? [Math.round(minutes / 1440), "day"]
      : minutes >= 60
        ? [Math.round(minutes / 60), "hour"]
        : [minutes, "minute"];
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit: /** @type {string} */ (unit),
    unitDisplay: "short",
  }).format(Number(value));
}
