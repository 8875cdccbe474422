// node --test: until when a client may be written to.

import assert from "node:assert/strict";
import { test } from "node:test";
import { windowClosed } from "../inbox/reply-window.js";
import { initialState } from "../inbox/store.js";
import { conversation } from "./support.js";

const HOUR = 3_600_000;

/** @param {string} replyWindowS @param {{ hours: number, direction: string, lineId?: string }[]} messages */
function state(replyWindowS, messages) {
  const c = conversation("c", { lineId: "wa", contact: { id: "anna" } });
  const sent = messages.map(({ hours, direction, lineId = "wa" }, index) => ({
    id: String(index),
    conversationId: "c",
    lineId,
    direction,
    sentAt: new Date(hours * HOUR).toISOString(),
  }));
  return {
    ...initialState(),
    conversations: { c },
    lines: { wa: { id: "wa", replyWindowS } },
    timelines: { anna: { status: "ready", messages: sent, conversations: {}, nextPageToken: "", loadingOlder: false } },
  };
}

test("a client is written to for so long after they wrote", () => {
  const written = state("86400", [
    { hours: 1, direction: "INBOUND" },
    { hours: 20, direction: "OUTBOUND" },
    { hours: 30, direction: "INBOUND", lineId: "site" },
  ]);
  assert.equal(windowClosed(written, "c", 25 * HOUR - 1), 0);
  assert.equal(windowClosed(written, "c", 25 * HOUR), 24);
});

test("without a window, or without a message that is known, the server says", () => {
  assert.equal(windowClosed(state("0", [{ hours: 1, direction: "INBOUND" }]), "c", 99 * HOUR), 0);
  assert.equal(windowClosed(state("86400", []), "c", 99 * HOUR), 0);
  assert.equal(windowClosed(state("86400", []), "nobody", 99 * HOUR), 0);
});
