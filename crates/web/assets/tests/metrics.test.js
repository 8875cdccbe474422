// node --test: what reports write into files and draw.

import assert from "node:assert/strict";
import { test } from "node:test";

import { labelStep, topOf } from "../inbox/chart-scale.js";
import { csv } from "../inbox/csv.js";

test("no cell of a file is taken for a formula", () => {
  const evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "=cmd|' /C calc'!A0"];
  for (const tongue of ["en", "ru"]) {
    for (const cell of evil) {
      const line = csv([[cell]], tongue);
      assert.match(line, /^"?'/, `${JSON.stringify(cell)} in ${tongue}: ${line}`);
    }
  }
  assert.equal(csv([["queue", -1.5, 0.25, null]], "en"), "queue,-1.5,0.25,\r\n");
  assert.equal(csv([["queue", -1.5, 0.25, null]], "ru"), "queue;-1,5;0,25;\r\n");
  assert.equal(csv([['say "yes", no; or']], "en"), '"say ""yes"", no; or"\r\n');
});

test("axes have whole and usual steps", () => {
  const cases = /** @type {const} */ ([
    ["part", 0.3, 1],
    ["count", 0, 4],
    ["count", 1, 4],
    ["count", 5, 8],
    ["count", 40, 40],
    ["count", 41, 60],
    ["count", 8482, 10_000],
    ["time", 0.2, 4],
    ["time", 61, 120],
    ["time", 600, 1200],
    ["time", 86_400, 86_400],
    ["time", 900_000, 1_036_800],
  ]);
  for (const [scale, highest, expect] of cases) assert.equal(topOf(scale, highest), expect, `${scale} ${highest}`);
});

test("labels have room", () => {
  assert.equal(labelStep(7, 640), 1);
  assert.equal(labelStep(24, 640), 3);
  assert.equal(labelStep(744, 320), 149);
  assert.equal(labelStep(1, 10), 1);
});
