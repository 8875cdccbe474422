// Steps of one story, in order, each a test of its own.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

const STEP_MS = 45_000;
let passed = 0;
let failed = 0;

process.on('exit', () => console.log(`${passed} passed, ${failed} failed`));

/**
 * Tells a story. A step that fails does not keep the next from being tried.
 *
 * @param {string} title
 * @param {object} stage
 * @param {() => import('playwright-core').Page[]} stage.pages photographed when a step fails, into the folder in SHOTS
 * @param {() => Promise<void>} stage.close
 * @param {(step: (name: string, act: () => Promise<void>) => Promise<void>) => Promise<void>} tell
 */
export function story(title, { pages, close }, tell) {
  return test(title, async (whole) => {
    try {
      await tell(async (name, act) => {
        await whole.test(name, { timeout: STEP_MS }, async () => {
          try {
            await act();
            passed += 1;
          } catch (error) {
            failed += 1;
            await photograph(name, pages()).catch(() => {});
            throw error;
          }
        });
      });
    } finally {
      await close();
    }
  });
}

/** @param {string} name @param {import('playwright-core').Page[]} pages */
async function photograph(name, pages) {
  const folder = process.env.SHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  for (const [index, page] of pages.entries()) {
    await page.screenshot({ path: join(folder, `failed ${name} ${index}.png`.replaceAll(/[^\w.]+/g, '-')) });
  }
}
