// node --test: what the server refuses, in the reader's words.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

// A browser that speaks Russian.
globalThis.localStorage = { getItem: () => null, setItem: () => {} };
globalThis.window = { addEventListener: () => {} };
Object.defineProperty(globalThis, "navigator", { value: { languages: ["ru-RU"] }, configurable: true });
const { ApiError } = await import("../inbox/api.js");
const { enRefusals } = await import("../inbox/en-refusals.js");
const { errorText, refusalText } = await import("../inbox/refusals.js");

const said = (reason, values = {}) => refusalText({ reason, values });

test("there are words for every reason of the engine's", () => {
  const source = readFileSync(new URL("../../../engine/src/reason.rs", import.meta.url), "utf8");
  const [, variants] = /pub enum Reason \{\n([^]*?)\n\}/.exec(source) ?? [];
  const names = [...(variants ?? "").matchAll(/^ {4}([A-Z]\w+)/gm)].map(([, name]) => name);
  const codes = names.map((name) => name.replace(/(?<!^)[A-Z]/g, "_$&").toUpperCase());
  assert.ok(codes.length > 60, `${codes.length} found`);
  // Whoever sends what makes no sense reads English.
  const spoken = codes.filter((code) => code !== "MALFORMED");
  assert.deepEqual([...spoken, "NOT_FOUND"].map((code) => `refusal.${code}`).sort(), Object.keys(enRefusals).sort());
});

test("a reason is said with its values, in its plural", () => {
  assert.equal(said("LOGIN_TAKEN", { login: "anna" }), "Логин anna уже занят.");
  assert.equal(said("TOO_MANY_TRIES", { seconds: "2" }), "Слишком много попыток: подождите 2 секунды.");
  assert.match(said("RANGE_TOO_LONG", { max: "31" }), /не длиннее 31 дня/);
  assert.match(said("FILE_TOO_LARGE", { bytes: "20971520" }), /^Файл больше 20\sМБ\.$/);
});

test("what has no words of ours is said as the server says it", () => {
  const known = { reason: "NO_ROOM", values: {} };
  assert.match(errorText(new ApiError("failed_precondition", "no room", known)), /^Вы загружены полностью/);
  assert.equal(errorText(new ApiError("failed_precondition", "too odd", { reason: "ODD" })), "too odd");
  assert.equal(errorText(new ApiError("failed_precondition", "too odd", { reason: "toString" })), "too odd");
  assert.equal(errorText(new ApiError("failed_precondition", "too odd")), "too odd");
});
