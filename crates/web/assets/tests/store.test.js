// node --test: the inbox's reducer, from snapshots and events to what is shown.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { colleaguesTyping, mayWrite, pendingOf } from "../inbox/selectors.js";
import { reduce } from "../inbox/store.js";
import { at, conversation, message, me, event, list, run, ids, timeline, texts } from "./support.js";

test("a folder lists what belongs to it, in its order", () => {
  const conversations = [
    conversation("late", { state: "QUEUED", operatorId: "", waitingSince: at(9) }),
    conversation("front", { state: "QUEUED", operatorId: "", waitingSince: at(8), band: -1 }),
    conversation("early", { state: "OFFERED", operatorId: "other", waitingSince: at(3) }),
    conversation("mine", { lastMessageAt: at(1) }),
    conversation("mine-newer", { lastMessageAt: at(2) }),
    conversation("theirs", { operatorId: "other" }),
    conversation("ended", { state: "CLOSED" }),
  ];
  const state = run(list(conversations, { nextPageToken: "more" }));
  assert.deepEqual(ids({ ...state, lists: {} }), ["mine-newer", "mine"]);
  assert.deepEqual(ids(reduce({ ...state, lists: {} }, { type: "folder", folder: "WAITING", queueId: "" })), [
    "front",
    "early",
    "late",
  ]);
  assert.deepEqual(ids(reduce({ ...state, lists: {} }, { type: "folder", folder: "ENDED", queueId: "" })), ["ended"]);
});

test("nothing beyond the loaded window is shown while more follows", () => {
  const state = run(
    list([conversation("a", { lastMessageAt: at(9) })], { nextPageToken: "more" }),
    event({ conversationChanged: conversation("b", { lastMessageAt: at(5) }) }),
  );
  assert.deepEqual(ids(state), ["a"]);
});

test("a whole folder read anew drops what has left it", () => {
  assert.deepEqual(ids(run(list([conversation("a"), conversation("b")]), list([conversation("b")]))), ["b"]);
});

test("an older version never replaces a newer one", () => {
  const state = run(
    list([conversation("a", { version: "10" })]),
    event({ conversationChanged: conversation("a", { version: "9", state: "CLOSED" }) }),
  );
  assert.equal(state.conversations.a.state, "ACTIVE");
});

test("counters follow events, also when an event comes twice", () => {
  const opened = event({ conversationOpened: conversation("b", { state: "QUEUED", operatorId: "" }) });
  const taken = event({ conversationChanged: conversation("b", { version: "2", unreadCount: 1 }) });
  const state = run(list([conversation("a")]), opened, taken, taken);
  assert.deepEqual(state.counts.MINE, { count: 2, unread: 1 });
  assert.deepEqual(state.counts.WAITING, { count: 0, unread: 0 });
  assert.equal(state.queues.main.waiting, 0);
  assert.equal(state.countsStale, false);
});

test("a change of an unknown conversation asks for the counters", () => {
  assert.equal(run(list([]), event({ conversationChanged: conversation("z") })).countsStale, true);
});

test("events in order equal a reload", () => {
  const steps = [
    event({ conversationOpened: conversation("a", { state: "QUEUED", operatorId: "" }) }),
    event({ conversationChanged: conversation("a", { version: "2" }) }),
    event({ messageAdded: message("m1") }, "3"),
    event({ messageAdded: message("m2", { direction: "OUTBOUND", storedAt: at(2), delivery: "QUEUED" }) }, "4"),
    event({ messageChanged: message("m2", { direction: "OUTBOUND", storedAt: at(2), delivery: "READ" }) }, "5"),
  ];
  const live = run(list([]), timeline([]), ...steps);
  const reloaded = run(list([conversation("a", { version: "2" })]), timeline(live.timelines["contact-a"].messages));
  assert.deepEqual(ids(live), ids(reloaded));
  assert.deepEqual(live.timelines["contact-a"].messages, reloaded.timelines["contact-a"].messages);
  assert.deepEqual(live.counts.MINE, { count: 1, unread: 0 });
  assert.equal(live.cursor, "5");
});

test("a bubble on its way gives place to its message, by answer or by event", () => {
  const pending = {
    clientId: "c1",
    conversationId: "a",
    note: false,
    text: "hi",
    uploads: [],
    replyToMessageId: "",
    createdAt: at(3),
    status: "sending",
  };
  const sent = message("m3", { direction: "OUTBOUND", clientId: "c1", delivery: "QUEUED", storedAt: at(3) });
  const waiting = run(list([conversation("a")]), timeline([]), { type: "sending", pending });
  assert.equal(pendingOf(waiting, "a").length, 1);
  const both = [event({ messageAdded: sent }), { type: "message", message: sent }].reduce(reduce, waiting);
  assert.deepEqual(pendingOf(both, "a"), []);
  assert.deepEqual(texts(both), ["m3"]);
});

test("a failed send stays and is retried under the same id", () => {
  const pending = {
    clientId: "c1",
    conversationId: "a",
    note: false,
    text: "hi",
    uploads: [],
    replyToMessageId: "",
    createdAt: at(3),
    status: "sending",
  };
  const failed = run({ type: "sending", pending }, { type: "sendFailed", clientId: "c1", error: "no" });
  assert.equal(pendingOf(failed, "a")[0].status, "failed");
  assert.equal(pendingOf(reduce(failed, { type: "sending", pending }), "a").length, 1);
});

test("a late answer does not take a delivery back", () => {
  const out = (delivery) => message("m1", { direction: "OUTBOUND", delivery });
  const state = run(
    list([conversation("a")]),
    timeline([]),
    event({ messageAdded: out("SENT") }),
    event({ messageChanged: out("DELIVERED") }),
    { type: "message", message: out("QUEUED") },
  );
  assert.equal(state.timelines["contact-a"].messages[0].delivery, "DELIVERED");
});

test("older pages go before, nothing twice", () => {
  const state = run(list([conversation("a")]), timeline([message("m3", { storedAt: at(3) })], { nextPageToken: "p" }), {
    ...timeline([message("m1", { storedAt: at(1) }), message("m3", { storedAt: at(3) })]),
    older: true,
  });
  assert.deepEqual(texts(state), ["m1", "m3"]);
  assert.equal(state.timelines["contact-a"].nextPageToken, "");
});

test("a message before its conversation is kept until it is known", () => {
  const state = run(
    list([]),
    timeline([], { conversations: [] }),
    event({ messageAdded: message("m1", { conversationId: "new" }) }),
    event({ conversationOpened: conversation("new", { contact: { id: "contact-a" } }) }),
  );
  assert.deepEqual(texts(state), ["m1"]);
  assert.deepEqual(state.orphans, []);
});

test("only the caller's own offers are kept, until they end", () => {
  const made = (id, operatorId) =>
    event({
      offerMade: {
        offer: { id, operatorId, conversationId: "a" },
        conversation: conversation("a", { state: "OFFERED" }),
      },
    });
  const state = run(list([]), made("o1", "me"), made("o2", "other"));
  assert.deepEqual(Object.keys(state.offers), ["o1"]);
  assert.deepEqual(reduce(state, event({ offerEnded: { id: "o1", state: "TIMED_OUT" } })).offers, {});
});

test("typing ends by itself, and with the message", () => {
  const typing = (operatorId) => event({ typing: { conversationId: "a", operatorId, active: true } }, "");
  const state = run(list([conversation("a")]), typing("other"), typing("me"));
  assert.deepEqual(colleaguesTyping(state, "a"), ["other"]);
  assert.equal(state.cursor, "1");
  assert.deepEqual(colleaguesTyping(reduce(state, { type: "typingExpired", now: 60_000 }), "a"), []);
  assert.deepEqual(
    colleaguesTyping(
      reduce(state, event({ messageAdded: message("m", { direction: "OUTBOUND", operatorId: "other" }) })),
      "a",
    ),
    [],
  );
});

test("merged contacts share what follows", () => {
  const state = run(
    list([conversation("a"), conversation("b")]),
    timeline([message("m1")]),
    event({
      contactsMerged: { mergedContactId: "contact-a", contact: { id: "contact-b", profile: { displayName: "B" } } },
    }),
  );
  assert.equal(state.conversations.a.contact.id, "contact-b");
  assert.equal(state.conversations.a.contact.displayName, "B");
  assert.deepEqual(state.timelines, {});
});

test("news of a contact by its id alone makes closed cards be read anew", () => {
  const opened = (id) => ({
    type: "detail",
    id,
    response: { conversation: conversation(id), contact: { id: "contact-a", profile: { displayName: "A" } } },
  });
  const state = run(
    list([conversation("a")]),
    { type: "select", id: "a" },
    opened("a"),
    opened("b"),
    event({ contactChanged: { id: "contact-a" } }),
  );
  assert.deepEqual(Object.keys(state.details), ["a"]);
  assert.equal(state.contacts["contact-a"].profile.displayName, "A");
});

test("a conversation that goes out of sight leaves every folder", () => {
  const gone = { ...conversation("a"), contact: undefined, queueId: "other", operatorId: "", state: "QUEUED" };
  const state = run(list([conversation("a")]), event({ conversationChanged: gone }));
  assert.deepEqual(state.conversations, {});
  assert.equal(state.counts.MINE.count, 0);
  assert.equal(state.counts.ALL_OPEN.count, 0);
});

test("what goes out of sight while it is open is not asked for, and read anew when it is back", () => {
  const gone = { ...conversation("a"), contact: undefined, queueId: "other", operatorId: "", state: "QUEUED" };
  const steps = [list([conversation("a")]), { type: "select", id: "a" }, event({ conversationChanged: gone })];
  assert.equal(run(...steps).details.a.status, "gone");
  const late = { type: "conversation", conversation: conversation("a") };
  assert.deepEqual(run(...steps, late).conversations, {}, "an answer that comes late");
  const back = event({ conversationChanged: conversation("a", { version: "5" }) });
  assert.equal(run(...steps, back).details.a, undefined);
});

test("a blocked sender is blocked in each of their conversations", () => {
  const sender = { kind: "visitor", issuer: "site", value: "v" };
  const opened = (id, over) => ({ type: "detail", id, response: { conversation: conversation(id), sender, ...over } });
  const state = run(
    opened("a"),
    opened("b", { senderBlocked: true }),
    opened("c", { sender: { ...sender, value: "w" } }),
    { type: "senderBlocked", sender: { ...sender }, blocked: true },
  );
  assert.deepEqual(
    ["a", "b", "c"].map((id) => state.details[id].blocked),
    [true, true, false],
  );
});

test("a reset forgets pictures, keeps drafts and what is being sent", () => {
  const state = run(list([conversation("a")]), { type: "draft", id: "a", text: "half" }, { type: "reset" });
  assert.deepEqual(state.conversations, {});
  assert.equal(state.drafts.a, "half");
});

test("ratings and scores come with a conversation and with the feed, the last one counts", () => {
  const detail = {
    type: "detail",
    id: "a",
    response: {
      conversation: conversation("a"),
      ratings: [{ conversationId: "a", score: 2 }, { conversationId: "b", score: 5 }],
      scores: [{ conversationId: "a", score: 3 }],
    },
  };
  const state = run(detail, event({ rated: { conversationId: "a", score: 4, comment: "Quick" } }));
  assert.deepEqual(state.opinions.a, {
    rating: { conversationId: "a", score: 4, comment: "Quick" },
    score: { conversationId: "a", score: 3 },
  });
  assert.equal(state.opinions.b.rating.score, 5);
  const scored = reduce(state, event({ scored: { conversationId: "b", score: 1 } }));
  assert.deepEqual(scored.opinions.b, {
    rating: { conversationId: "b", score: 5 },
    score: { conversationId: "b", score: 1 },
  });
});

test("who may write", () => {
  const state = run();
  assert.equal(mayWrite(state, conversation("a")), true);
  assert.equal(mayWrite(state, conversation("a", { state: "OFFERED" })), false);
  assert.equal(mayWrite(state, conversation("a", { operatorId: "other" })), false);
  assert.equal(mayWrite(state, conversation("a", { operatorId: "other", participantIds: ["me"] })), true);
  assert.equal(mayWrite(state, conversation("a", { state: "CLOSED" })), false);
});

test("both languages have every string, and every form that Russian needs", async () => {
  const { en } = await import("../inbox/en.js");
  const { ru } = await import("../inbox/ru.js");
  assert.deepEqual(Object.keys(ru), Object.keys(en));
  for (const [key, text] of Object.entries(ru)) {
    const holes = (string) => [...new Set(string.match(/\{\w+\}/g) ?? [])].sort();
    assert.deepEqual(holes(text), holes(en[key]), key);
    if (en[key].includes("other:"))
      for (const form of ["one:", "few:", "many:", "other:"]) assert.ok(text.includes(form), `${key} ${form}`);
  }
});

test("modules stay small and never write markup", () => {
  const folder = new URL("../inbox/", import.meta.url);
  for (const name of readdirSync(folder).filter((n) => n.endsWith(".js"))) {
    const source = readFileSync(new URL(name, folder), "utf8");
    assert.ok(source.split("\n").length <= 300, `${name} is longer than 300 lines`);
    assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/, name);
  }
});
