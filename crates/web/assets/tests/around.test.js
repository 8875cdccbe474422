// node --test: mentions, canned replies and promises in the inbox's reducer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { duePromises } from "../inbox/promise-state.js";
import { attention, listed } from "../inbox/selectors.js";
import { initialState, reduce } from "../inbox/store.js";
import { at, conversation, me, event, list, run, ids } from "./support.js";

test("what is seen for a mention alone is in no folder and no counter", () => {
  const guest = { queueId: "other", operatorId: "ann", mentionedIds: ["me"] };
  const seen = run(
    list([conversation("mine")]),
    event({ conversationChanged: conversation("called", { ...guest, version: "1" }) }),
    event({ conversationChanged: conversation("called", { ...guest, state: "QUEUED", operatorId: "", version: "2" }) }),
  );
  assert.ok(seen.conversations.called);
  assert.equal(seen.counts.WAITING.count, 0);
  assert.equal(seen.counts.ALL_OPEN.count, 1);
  for (const folder of ["WAITING", "ALL_OPEN", "MINE"]) {
    const open = reduce(seen, { type: "folder", folder, queueId: "" });
    assert.ok(!ids(open).includes("called"), folder);
  }
  // The answer to a call of theirs keeps it in sight.
  const answered = reduce(seen, { type: "conversation", conversation: conversation("called", { ...guest, version: "3" }) });
  assert.equal(answered.conversations.called.version, "3");
  const left = reduce(answered, event({ conversationChanged: { id: "called", version: "4" } }));
  assert.equal(left.conversations.called, undefined);
  assert.equal(left.counts.ALL_OPEN.count, 1);
});

test("mentions are counted, and canned replies are known to have changed", () => {
  const start = reduce(initialState(), { type: "me", response: { ...me, unreadMentionCount: 2 } });
  assert.equal(start.mentions, 2);
  assert.equal(reduce(start, event({ mentionsChanged: { unreadCount: 3 } })).mentions, 3);
  assert.equal(reduce(start, event({ mentionsChanged: {} })).mentions, 0);
  assert.equal(reduce(start, { type: "mentions", unread: 1 }).mentions, 1);
  const version = (...actions) => actions.reduce(reduce, start).repliesVersion;
  assert.ok(version(event({ cannedRepliesChanged: {} })) > start.repliesVersion);
  assert.ok(version({ type: "reset" }) > start.repliesVersion);
});

const promise = (id, over = {}) => ({
  id,
  contact: { id: "contact-a" },
  queueId: "main",
  operatorId: "me",
  dueAt: at(30),
  state: "OBLIGATION_STATE_OPEN",
  stage: "OBLIGATION_STAGE_PROMISED",
  version: "1",
  ...over,
});

test("promises are listed by their time, to those whom they concern", () => {
  const promises = [
    promise("later", { dueAt: at(40) }),
    promise("mine"),
    promise("everybody's", { operatorId: "", dueAt: at(50) }),
    promise("a colleague's", { operatorId: "boris" }),
    promise("another queue's", { operatorId: "", queueId: "other" }),
    promise("overdue", { operatorId: "boris", queueId: "other", escalated: true }),
  ];
  const as = (role) => ({
    type: "me",
    response: { ...me, operator: { id: "me", role, queues: [{ queueId: "main" }] } },
  });
  const due = (role) => duePromises(run(as(role), { type: "promises", promises })).map((p) => p.id);
  assert.deepEqual(due("OPERATOR"), ["mine", "later", "everybody's"]);
  assert.deepEqual(due("SUPERVISOR"), ["mine", "overdue", "later", "everybody's"]);
});

test("a promise that ended or went out of sight is gone, whatever comes late", () => {
  const open = { type: "promises", promises: [promise("p")] };
  const reminded = promise("p", { version: "2", stage: "OBLIGATION_STAGE_DUE" });
  const told = event({ obligationDue: { obligation: reminded, notice: "OBLIGATION_NOTICE_DUE" } });
  const kept = event({ obligationChanged: promise("p", { version: "3", state: "OBLIGATION_STATE_KEPT" }) });
  const left = event({ obligationChanged: promise("p", { version: "3", contact: undefined }) });
  assert.equal(attention(run(open, told)).due, 1);
  for (const end of [kept, left]) {
    assert.deepEqual(Object.keys(run(open, end).promises), []);
    assert.deepEqual(Object.keys(run(open, end, told, open).promises), [], "an older picture brings nothing back");
    const again = event({ obligationChanged: promise("p", { version: "4" }) });
    assert.deepEqual(Object.keys(run(open, end, again).promises), ["p"], "what comes back into sight is there");
  }
  assert.deepEqual(run(open, { type: "reset" }).promises, {});
});
