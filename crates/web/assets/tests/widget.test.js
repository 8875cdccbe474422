// node --test: what the site chat says to who waits.

import assert from "node:assert/strict";
import { test } from "node:test";

import { translator } from "../widget/i18n.js";

globalThis.navigator ??= /** @type {Navigator} */ ({ languages: ["en-US"] });

const MINUTE = 60_000;
const en = translator("en-US");
const ru = translator("ru-RU");
const standing = (/** @type {Partial<Site.Standing>} */ known) => ({
  position: 0,
  callback: false,
  callback_left: false,
  ...known,
});

test("a place is said as people say it", () => {
  for (const [position, english, russian] of [
    [1, "You are next in line.", "Вы первые в очереди."],
    [2, "You are 2nd in line.", "Ваше место в очереди: 2."],
    [3, "You are 3rd in line.", "Ваше место в очереди: 3."],
    [4, "You are 4th in line.", "Ваше место в очереди: 4."],
    [11, "You are 11th in line.", "Ваше место в очереди: 11."],
    [21, "You are 21st in line.", "Ваше место в очереди: 21."],
    [112, "You are 112th in line.", "Ваше место в очереди: 112."],
  ]) {
    assert.equal(en.standing(standing({ position })), english);
    assert.equal(ru.standing(standing({ position })), russian);
  }
});

test("a wait is a range of minutes, later of hours", () => {
  // How a range is spaced changes from one browser to the next.
  const said = (/** @type {number} */ low, /** @type {number | undefined} */ high) =>
    en.standing(standing({ position: 1, expected_ms: low, low_ms: low, high_ms: high })).replace("You are next in line", "").replace(/\s*–\s*/, "–");
  // The published vector: k = 5, n = 10, AHT 180 s.
  assert.equal(said(43_800, 143_900), ", about 1–3 min.");
  assert.equal(said(0, 50_000), ", less than a minute.");
  assert.equal(said(2 * MINUTE, 5 * MINUTE), ", about 2–5 min.");
  assert.equal(said(2 * MINUTE, 2 * MINUTE), ", about 2 min.");
  assert.equal(said(80 * MINUTE, 200 * MINUTE), ", about 1–4 hr.");
  assert.equal(en.standing(standing({ position: 1, expected_ms: 3 * MINUTE })), "You are next in line, about 3 min.");
  assert.equal(
    ru.standing(standing({ position: 1, low_ms: 2 * MINUTE, high_ms: 5 * MINUTE })).replace(/\s*–\s*/, "–").replaceAll("\u00a0", " "),
    "Вы первые в очереди, примерно 2–5 мин.",
  );
});

test("a closed line says when it opens, and a number that was left is confirmed", () => {
  const tomorrow = new Date(Date.now() + 86_400_000).setHours(9, 0, 0, 0);
  const weekday = new Intl.DateTimeFormat("en", { weekday: "long" }).format(tomorrow);
  const closed = en.standing(standing({ closed_until: tomorrow, position: 3 }));
  assert.match(closed, new RegExp(`^We are closed. Open again: ${weekday}.* 0?9:00 AM. Write to us`));
  assert.doesNotMatch(closed, /line/);
  assert.match(ru.standing(standing({ closed_until: tomorrow })), /Откроемся: .*09:00/);
  assert.equal(
    en.standing(standing({ position: 2, callback_left: true })),
    "You are 2nd in line. We will call you back. Your place is kept.",
  );
});
