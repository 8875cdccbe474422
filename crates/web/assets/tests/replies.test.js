// node --test: canned replies' variables, finding by what was typed, whom a note names.

import assert from "node:assert/strict";
import { test } from "node:test";
import { holds, mentioned, named, otherLayout, ranked, stillHas, wordAfter } from "../inbox/matching.js";
import { filled, firstName, parts, textIn, unfilled } from "../inbox/variables.js";

const values = {
  "client.name": "Vera Mills",
  "client.first_name": "Vera",
  "operator.name": "Ann Lee",
  "queue.name": "Sales",
  "line.name": "",
  "conversation.id": "17",
};

test("variables are filled in, and what cannot be stays in sight", () => {
  for (const [text, expected] of [
    ["Hello {{client.name}}!", "Hello Vera Mills!"],
    ["{{ client.first_name }}, {{operator.name|we}}", "Vera, Ann Lee"],
    ["by {{line.name|our site}}", "by our site"],
    ["by {{line.name|}}.", "by ."],
    ["by {{line.name}}", "by {{line.name}}"],
    ["{{client.nam|friend}}", "{{client.nam|friend}}"],
    ["{{}} {x} {{client.name", "{{}} {x} {{client.name"],
    ["{{constructor}}{{__proto__}}", "{{constructor}}{{__proto__}}"],
    ["two\n{{conversation.id}}\nlines", "two\n17\nlines"],
    ["{{{client.name}}}", "{Vera Mills}"],
  ]) {
    assert.equal(filled(text, values), expected, text);
  }
  const kinds = parts("a {{client.name}} {{line.name|b}} {{line.name}} {{what}}", values).map((one) => one.kind);
  assert.deepEqual(
    kinds.filter((kind) => kind !== "plain"),
    ["filled", "fallback", "empty", "unknown"],
  );
});

test("a client cannot write a variable by their name", () => {
  const sly = { ...values, "client.name": "{{operator.name}}" };
  assert.equal(filled("Hi {{client.name}}", sly), "Hi {{operator.name}}");
  assert.deepEqual(unfilled(filled("Hi {{client.name}}", sly)), ["{{operator.name}}"]);
});

test("what stands in braces is told, each once", () => {
  assert.deepEqual(unfilled("a {{x}} b {{x}} {{ y | z }} {w}"), ["{{x}}", "{{ y | z }}"]);
  assert.deepEqual(unfilled("{ { } } {{\n}}"), []);
});

test("names and languages", () => {
  assert.equal(firstName("  Vera  Mills "), "Vera");
  assert.equal(firstName(""), "");
  const reply = {
    text: "Hello",
    variants: [
      { locale: "pt-BR", text: "Oi" },
      { locale: "ru", text: "Привет" },
    ],
  };
  for (const [locale, expected] of [
    ["ru-RU", "Привет"],
    ["RU", "Привет"],
    ["pt_br", "Oi"],
    ["pt-PT", "Oi"],
    ["de", "Hello"],
    ["", "Hello"],
  ]) {
    assert.equal(textIn(reply, locale), expected, locale);
  }
});

test("the same keys on the other layout", () => {
  assert.equal(otherLayout("ghbdtn"), "привет");
  assert.equal(otherLayout("Руддщ"), "hello");
  assert.equal(otherLayout("123 -"), "123 -");
  assert.ok(holds("Завершить", "pfdth"));
  assert.ok(holds("Finish", "ашт"));
  assert.ok(holds("Тёмная", "ntvyfz"));
  assert.ok(holds("Алена", "алён"));
  assert.ok(!holds("Finish", "xyz"));
});

test("canned replies by shortcut, then title, then text, then use", () => {
  const replies = [
    { shortcut: "bye", title: "Farewell", text: "hello no more" },
    { shortcut: "say-hello", title: "Other" },
    { shortcut: "hello2", title: "Two", useCount: "1" },
    { shortcut: "hello", title: "Exactly" },
    { shortcut: "hello3", title: "Three", useCount: "20" },
    { shortcut: "y", title: "Y", text: "Dear {{client.hello}}" },
    { shortcut: "x", title: "A big hello", variants: [{ text: "ДОБРЫЙ" }] },
  ];
  const found = (query) => ranked(replies, query).map((one) => one.shortcut);
  assert.deepEqual(found("hello"), ["hello", "hello3", "hello2", "x", "say-hello", "bye"]);
  assert.deepEqual(found("руддщ")[0], "hello");
  assert.deepEqual(found("добрый"), ["x"]);
  assert.deepEqual(found("zzz"), []);
  assert.equal(found("")[0], "hello3");
});

test("a mark opens a list at the start of a word only", () => {
  const at = (text, mark = "/", spaces = 0, soft = -1) => wordAfter(text, text.length, mark, spaces, soft);
  assert.deepEqual(at("/"), { start: 0, query: "" });
  assert.deepEqual(at("Hi /hel"), { start: 3, query: "hel" });
  assert.deepEqual(at("one\n/two"), { start: 4, query: "two" });
  assert.deepEqual(at("(/a"), { start: 1, query: "a" });
  for (const text of ["", "and/or", "https://x", "/a b", "/a\nb", "5/"]) assert.equal(at(text), null, text);
  assert.deepEqual(at("@Boris Or", "@", 2), { start: 0, query: "Boris Or" });
  for (const text of ["@ Boris", "@a b c d", "a@b", "@a  b"]) assert.equal(at(text, "@", 2), null, text);
  // The key that writes "/" on another layout.
  assert.deepEqual(at("Да .при", "/", 0, 3), { start: 3, query: "при" });
  assert.equal(at("Да .при", "/", 0), null);
  assert.equal(wordAfter("/hello there", 3, "/", 0)?.query, "he");
});

const people = [
  { id: "1", name: "Boris" },
  { id: "2", name: "Boris Orlov" },
  { id: "3", name: "Анна" },
  { id: "4", name: "Twin" },
  { id: "5", name: "twin" },
];

test("a note names colleagues by their whole names", () => {
  assert.deepEqual(named("Ask @Boris Orlov, or @Анна.", people), [
    { text: "Ask ", id: "" },
    { text: "@Boris Orlov", id: "2" },
    { text: ", or ", id: "" },
    { text: "@Анна", id: "3" },
    { text: ".", id: "" },
  ]);
  for (const [text, ids] of [
    ["@boris knows", ["1"]],
    ["@Boris and @Boris", ["1"]],
    ["@Borislav", []],
    ["me@Boris", []],
    ["@", []],
    ["(@Анна)", ["3"]],
    ["@Boris @Boris Orlov", ["1", "2"]],
    ["@Twin", []],
  ]) {
    assert.deepEqual(mentioned(text, people), ids, text);
  }
  assert.deepEqual(mentioned("@Twin", people, new Set(["5"])), ["5"]);
  assert.equal(
    named("plain", [])
      .map((one) => one.text)
      .join(""),
    "plain",
  );
});

test("a canned reply counts while a sentence of it is left", () => {
  const words = "Good day, Vera! How can I help?\nAnn";
  for (const [text, expected] of [
    [words, true],
    ["Hi! How can I help? Ann", true],
    ["", false],
    ["/hello", false],
    ["Something else", false],
  ]) {
    assert.equal(stillHas(text, words), expected, text);
  }
  assert.equal(stillHas("anything", "..."), false);
});
