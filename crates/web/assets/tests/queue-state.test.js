// node --test: queues as a reload of the configuration changes them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { reduce } from "../inbox/store.js";
import { conversation, event, list, me, run } from "./support.js";

const changed = (queue) => event({ queueChanged: queue });
const boss = { type: "me", response: { ...me, operator: { ...me.operator, role: "SUPERVISOR" } } };

test("a changed queue keeps who waits in it", () => {
  const waits = conversation("a", { state: "QUEUED", operatorId: "" });
  const state = run(
    list([]),
    event({ conversationOpened: waits }),
    changed({ id: "main", displayName: "Sales", dispositions: ["Sold"] }),
  );
  assert.deepEqual(
    { ...state.queues.main, oldestWaitingSince: undefined },
    { id: "main", displayName: "Sales", dispositions: ["Sold"], waiting: 1, oldestWaitingSince: undefined },
  );
  assert.ok(state.countsStale, "their order and the lines are asked for");
  const without = reduce(state, changed({ id: "main", displayName: "Sales" }));
  assert.equal(without.queues.main.dispositions, undefined);
});

test("a new queue is a supervisor's at once, and anybody else's by name", () => {
  const added = changed({ id: "new", displayName: "New" });
  assert.deepEqual(run(boss, added).queueIds, ["main", "new"]);
  const state = run(added, changed({ id: "new", displayName: "Newer" }));
  assert.deepEqual(state.queueIds, ["main"]);
  assert.deepEqual(state.otherQueues, [{ id: "new", displayName: "Newer" }]);
});

test("a removed queue is gone from everywhere", () => {
  const open = { type: "folder", folder: "WAITING", queueId: "main" };
  const state = run(open, changed({ id: "new" }), changed({ id: "main", removed: true }), changed({ id: "new", removed: true }));
  assert.deepEqual([state.queueIds, state.queues, state.otherQueues, state.queueId], [[], {}, [], ""]);
});
