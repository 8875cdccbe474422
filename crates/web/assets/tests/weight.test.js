// node --test: what the site chat costs a page that embeds it, compressed as a proxy would.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const LOADER_BYTES_MAX = 3 * 1024;
const WIDGET_BYTES_MAX = 30 * 1024;

const folder = new URL("../widget/", import.meta.url);
const weight = (/** @type {string} */ name) => gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length;

test("the loader of the site chat is light", () => {
  const bytes = weight("widget.js");
  assert.ok(bytes <= LOADER_BYTES_MAX, `${bytes} bytes of ${LOADER_BYTES_MAX}`);
});

test("the whole site chat is light", () => {
  const scripts = readdirSync(folder).filter((name) => name.endsWith(".js"));
  const bytes = scripts.reduce((sum, name) => sum + weight(name), 0);
  assert.ok(bytes <= WIDGET_BYTES_MAX, `${bytes} bytes of ${WIDGET_BYTES_MAX}`);
});
