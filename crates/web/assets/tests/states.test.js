// node --test: how conversations stand, by folder and in words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inFolder, takesPart } from "../inbox/order.js";
import { initialState, reduce } from "../inbox/store.js";

const FOLDERS = ["MINE", "WAITING", "ALL_OPEN", "SNOOZED", "ENDED"];
const folders = (over) => {
  const c = { id: "a", queueId: "main", operatorId: "", ...over };
  return FOLDERS.filter((folder) => inFolder(c, folder, "", "me")).join(" ");
};

test("what is finished up stays with its operator, what waits for hours or its client is only open", () => {
  assert.equal(folders({ state: "WRAPPING_UP", operatorId: "me" }), "MINE ALL_OPEN");
  assert.equal(folders({ state: "WRAPPING_UP", operatorId: "other" }), "ALL_OPEN");
  assert.equal(folders({ state: "DEFERRED" }), "ALL_OPEN");
  assert.equal(folders({ state: "ABANDONED" }), "ALL_OPEN");
  assert.equal(folders({ state: "CLOSED", closeReason: "diverted" }), "ENDED");
});

test("what is offered to several is everybody's who is asked", () => {
  const asked = { state: "OFFERED", operatorId: "first", askedOperatorIds: ["first", "me"] };
  assert.equal(folders(asked), "MINE WAITING ALL_OPEN");
  assert.equal(takesPart({ id: "a", ...asked }, "third"), false);
});

test("counters follow a client who leaves and comes back, and one who is finished up", () => {
  const me = { operator: { id: "me", role: "OPERATOR" }, queues: [{ id: "main", waiting: 1 }], cursor: "1" };
  const stands = (version, over) => ({ id: "a", queueId: "main", contact: { id: "c" }, version, operatorId: "", ...over });
  const counts = ["MINE", "WAITING", "ALL_OPEN", "SNOOZED"].map((folder) => ({ folder }));
  const event = (conversationChanged) => ({ type: "step", now: 0, step: { cursor: "2", event: { conversationChanged } } });
  let state = [
    { type: "me", response: me },
    { type: "list", folder: "MINE", queueId: "", more: false, response: { counts } },
    { type: "step", now: 0, step: { cursor: "2", event: { conversationOpened: stands("1", { state: "QUEUED" }) } } },
  ].reduce(reduce, initialState());
  const seen = () => ["MINE", "WAITING", "ALL_OPEN"].map((folder) => state.counts[folder].count).join(" ");
  const then = (version, over) => {
    state = reduce(state, event(stands(version, over)));
    return seen();
  };
  assert.equal(seen(), "0 1 1");
  assert.equal(then("2", { state: "ABANDONED" }), "0 0 1");
  assert.equal(then("3", { state: "QUEUED" }), "0 1 1");
  assert.equal(then("4", { state: "OFFERED", operatorId: "other", askedOperatorIds: ["me", "other"] }), "1 1 1");
  assert.equal(then("5", { state: "ACTIVE", operatorId: "me" }), "1 0 1");
  assert.equal(then("6", { state: "WRAPPING_UP", operatorId: "me" }), "1 0 1");
  assert.equal(then("7", { state: "CLOSED" }), "0 0 0");
});
