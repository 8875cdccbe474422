// node --test: wordings that a provider has approved, and answers to press.

import assert from "node:assert/strict";
import { test } from "node:test";
import { answerLabel, answerProblem } from "../inbox/answers.js";
import { filled, findTemplates, isWhole, pieces, sample } from "../inbox/templates.js";

const ready = {
  name: "order_ready",
  language: "ru",
  text: "Заказ {{1}} готов, {{2}}.",
  variables: [{ id: "1", example: "17" }, { id: "2" }],
};
const picture = { name: "novelty", language: "en_US", text: "New!", takesFile: true, fileKind: "image/" };
const png = { mediaType: "image/png" };

test("gaps are filled once and with what is known, as the server does", () => {
  const values = { 1: "Anna {{2}}", 2: "7" };
  assert.equal(filled("Hi {{1}}, {{2}}!", values), "Hi Anna {{2}}, 7!");
  assert.equal(filled("{{3}} {{1", values), "{{3}} {{1");
  assert.equal(filled("{{3 {{2}}", values), "{{3 7");
  assert.equal(filled("", values), "");
  assert.equal(filled("{{constructor}}", {}), "{{constructor}}");
});

test("a text is shown piece by piece", () => {
  assert.deepEqual(pieces("{{a}}{{b}} end {{c}}", ["a", "b"]), [{ id: "a" }, { id: "b" }, { words: " end {{c}}" }]);
  assert.equal(sample(ready), "Заказ 17 готов, ….");
});

test("it is whole when every gap has a value in one line and the file is of its kind", () => {
  assert.ok(isWhole(ready, { 1: "42", 2: "Anna" }, []));
  assert.ok(!isWhole(ready, { 1: "42" }, []));
  assert.ok(!isWhole(ready, { 1: "42", 2: " \n " }, []));
  assert.ok(isWhole(ready, { 1: "42", 2: "x".repeat(1024) }, []));
  assert.ok(!isWhole(ready, { 1: "42", 2: "x".repeat(1025) }, []));
  assert.ok(!isWhole(ready, { 1: "42", 2: "Anna" }, [png]));
  assert.ok(isWhole(picture, {}, [png]));
  assert.ok(isWhole({ ...picture, fileKind: undefined }, {}, [{ mediaType: "application/pdf" }]));
  assert.ok(!isWhole(picture, {}, [{ mediaType: "application/pdf" }]));
  assert.ok(!isWhole(picture, {}, [png, png]));
  assert.ok(!isWhole(picture, {}, []));
});

test("templates are found by name, words and what else they are called, the client's language first", () => {
  const names = (/** @type {[string, string, any?]} */ ...asked) =>
    findTemplates([picture, ready], ...asked).map(({ name }) => name);
  assert.deepEqual(names("", ""), ["novelty", "order_ready"]);
  assert.deepEqual(names("", "ru-RU"), ["order_ready", "novelty"]);
  assert.deepEqual(names("order ready", ""), ["order_ready"]);
  assert.deepEqual(names("готов", "en"), ["order_ready"]);
  assert.deepEqual(names("english", "", () => "English"), ["novelty", "order_ready"]);
  assert.deepEqual(names("nothing", ""), []);
});

test("answers are short, few, and each there once", () => {
  assert.equal(answerLabel("  Yes,\n please "), "Yes, please");
  assert.equal(answerProblem("Yes", []), "");
  assert.equal(answerProblem("", []), "empty");
  assert.equal(answerProblem("😀".repeat(20), []), "");
  assert.equal(answerProblem("x".repeat(21), []), "long");
  assert.equal(answerProblem("Yes", ["No", "Yes"]), "twice");
  const ten = Array.from({ length: 10 }, (_, i) => `${i}`);
  assert.equal(answerProblem("9", ten.slice(0, 9)), "");
  assert.equal(answerProblem("eleventh", ten), "many");
});
