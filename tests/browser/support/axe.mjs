// What axe finds wrong with a page, and what is wider than the screen.

import { createRequire } from 'node:module';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const INSTALLED = join(resolve(import.meta.dirname, '../../..'), 'target/xtask/node/node_modules/');
// NODE_PATH is heard by `require` only.
const require = createRequire(existsSync(INSTALLED) ? INSTALLED : import.meta.url);
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/**
 * Each serious fault of a page in a line.
 * @param {import('playwright-core').Page} page
 * @returns {Promise<string[]>}
 */
export async function unsound(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  return page.evaluate(async () => {
    // A colour on its way to another is neither.
    const ends = (/** @type {Animation} */ { effect }) => Number.isFinite(effect?.getComputedTiming().endTime);
    await Promise.allSettled(document.getAnimations().filter(ends).map((moving) => moving.finished));
    const { violations } = await /** @type {any} */ (window).axe.run(document, { resultTypes: ['violations'] });
    const faults = violations
      .filter((/** @type {any} */ { impact }) => impact === 'serious' || impact === 'critical')
      .flatMap((/** @type {any} */ { id, help, nodes }) =>
        nodes.map((/** @type {any} */ { html, any }) => `${id} (${help}): ${html.slice(0, 160)} ${any[0]?.message ?? ''}`),
      );
    for (const part of [document.documentElement, ...document.querySelectorAll('.page, .dialog-body, sb-sidebar nav')]) {
      const wide = part.scrollWidth - part.clientWidth;
      if (wide > 0) faults.push(`${part.className || part.localName} is ${wide} px too wide`);
    }
    return faults;
  });
}
