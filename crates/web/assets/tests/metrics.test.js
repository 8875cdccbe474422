// node --test: what reports write into files and draw.

import assert from "node:assert/strict";
import { test } from "node:test";

import { labelStep, roundUp } from "../inbox/chart-scale.js";
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

test("axes end at round numbers", () => {
  const cases = [
    [0, 1],
    [0.3, 0.4],
    [1, 1],
    [7, 10],
    [12, 20],
    [40, 40],
    [41, 50],
    [999, 1000],
  ];
  for (const [value, expect] of cases) assert.ok(Math.abs(roundUp(value) - expect) < 1e-9, `${value}`);
});

test("labels have room", () => {
  assert.equal(labelStep(7, 640), 1);
  assert.equal(labelStep(24, 640), 3);
  assert.equal(labelStep(744, 320), 149);
  assert.equal(labelStep(1, 10), 1);
});
