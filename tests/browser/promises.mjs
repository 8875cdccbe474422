// Promises to clients: a callback scheduled from the thread, its reminders, the supervisor who hears
// of what is overdue, and how each ends.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { Gateway } from './support/gateway.mjs';
import { PASSWORD, T, addColleague, chatOn, gone, inboxOn, openBrowser, setUp, shown } from './support/browser.mjs';
import { story } from './support/steps.mjs';

const CONFIG = `
[[queue]]
id = "main"
name = "Sales"
promise_remind_before = "3s"
promise_escalate_after = "2s"

[[line]]
id = "site"
name = "Shop chat"
channel = "webchat"
queue = "main"
`;

const gateway = await Gateway.start(CONFIG);
const browser = await openBrowser();
const ann = await browser.person('Ann');
const boris = await browser.person('Boris');
const visitor = await browser.person('visitor');
const boss = inboxOn(ann.page);
const desk = inboxOn(boris.page);
const chat = chatOn(visitor.page);
const stage = {
  pages: () => browser.pages(),
  close: async () => {
    await browser.close();
    await gateway.stop();
  },
};

const strips = boris.page.locator(T('promise-strip'));
const count = boris.page.locator(T('promises-count'));

/** As the page itself calls. @param {import('playwright-core').Page} page @param {string} method @param {object} body */
async function call(page, method, body) {
  return page.evaluate(
    async ([name, sent]) => {
      const answer = await fetch(`/switchboard.inbox.v1.Inbox/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'connect-protocol-version': '1' },
        body: JSON.stringify(sent),
      });
      return answer.json();
    },
    /** @type {const} */ ([method, body]),
  );
}

/** The open conversation, promised something within so many seconds. @param {number} seconds @param {string} note */
async function promised(seconds, note) {
  const conversationId = decodeURIComponent(new URL(boris.page.url()).hash.split('/').at(-1) ?? '');
  const dueAt = new Date(Date.now() + seconds * 1000).toISOString();
  const made = await call(boris.page, 'ScheduleCallback', { conversationId, dueAt, note });
  assert.ok(made.id, JSON.stringify(made));
  await shown(strips.filter({ hasText: note }));
}

/** Photographs a page for whoever wants to look, in both themes and at the width of a phone. */
async function photograph(name, page) {
  const folder = process.env.SHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  const shot = (kind) => page.screenshot({ path: join(folder, `promises-${name}-${kind}.png`), animations: 'disabled' });
  await page.waitForTimeout(200);
  await shot('light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shot('dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 390, height: 780 });
  await page.waitForTimeout(200);
  await shot('phone');
  const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  await page.setViewportSize({ width: 1280, height: 800 });
  assert.ok(wide <= screen, `${name}: ${wide} px on a screen of ${screen}`);
}

await story('promises', stage, async (step) => {
  await step('a client asks to be called', async () => {
    await setUp(ann.page, gateway.setUpLink, 'Ann Lee');
    await addColleague(ann.page, 'Boris Orlov');
    await boris.page.goto(gateway.url);
    await desk.signIn('boris', PASSWORD);
    await desk.presence('ready');
    await visitor.page.goto(`${gateway.url}demo`);
    await chat.open();
    await chat.write('Please call me today');
    await desk.offer('call me today').locator(T('offer-accept')).click();
    await shown(desk.message('call me today', 'INBOUND'));
    assert.equal(await strips.count(), 0);
  });

  await step('a key schedules a callback, which stands in the thread, the card and the sidebar', async () => {
    await boris.page.keyboard.press('Alt+KeyC');
    const dialog = boris.page.locator(T('promise-dialog'));
    await dialog.waitFor();
    await photograph('dialog', boris.page);
    await dialog.locator(T('OBLIGATION_KIND_CALLBACK')).check();
    await dialog.getByRole('button', { name: 'In 15 minutes' }).click();
    await dialog.locator(T('promise-reach-input')).fill('+7 999 000-00-00');
    await dialog.locator(T('promise-note')).fill('About the green Ridge');
    await dialog.locator(T('promise-dialog-submit')).click();
    await gone(dialog);
    await shown(strips.filter({ hasText: 'green Ridge' }));
    await count.filter({ hasText: /^1$/ }).waitFor();
    await shown(boris.page.locator(T('nav-promise')));
    await shown(boris.page.locator(T('card-promise')).filter({ hasText: 'green Ridge' }));
    const reach = strips.locator(T('promise-reach'));
    assert.equal(await reach.getAttribute('href'), 'tel:+79990000000');
    await photograph('thread', boris.page);
  });

  await step('the palette and the button do the same', async () => {
    await boris.page.click(T('act-promise'));
    await boris.page.locator(T('promise-dialog')).waitFor();
    await boris.page.keyboard.press('Escape');
    await gone(boris.page.locator(T('promise-dialog')));
    await boris.page.keyboard.press('Control+KeyK');
    await boris.page.fill(T('search-input'), 'callback');
    await boris.page.click(T('palette-promise'));
    const dialog = boris.page.locator(T('promise-dialog'));
    await dialog.locator(T('OBLIGATION_KIND_REPLY')).check();
    await dialog.locator(T('promise-note')).fill('The price list');
    await dialog.locator(T('promise-owner')).selectOption('everybody');
    await dialog.locator(T('promise-dialog-submit')).click();
    await strips.nth(1).waitFor();
    await count.filter({ hasText: /^2$/ }).waitFor();
  });

  await step('who has written is asked whether it is done, and one click says so', async () => {
    const strip = strips.filter({ hasText: 'price list' });
    assert.equal(await strip.getByText('Is it done?').count(), 0);
    await desk.reply('Here is the price list.');
    await strip.getByText('Is it done?').waitFor();
    await strip.locator(T('promise-kept')).click();
    await gone(strip);
    await count.filter({ hasText: /^1$/ }).waitFor();
  });

  await step('it is moved with the word of whose wish that is, and waived with a reason', async () => {
    await strips.locator(T('promise-more')).click();
    await boris.page.click(T('promise-move'));
    const move = boris.page.locator(T('promise-move-dialog'));
    await move.locator(T('wish-OBLIGATION_WISH_OURS')).check();
    await photograph('move', boris.page);
    await move.locator(T('promise-move-dialog-submit')).click();
    await gone(move);
    await strips.locator(T('promise-more')).click();
    await boris.page.click(T('promise-waive'));
    const waive = boris.page.locator(T('promise-waive-dialog'));
    await waive.locator(T('waive-reason')).fill('They called us');
    await waive.locator(T('promise-waive-dialog-submit')).click();
    await gone(strips);
    await gone(count);
  });

  await step('its time is told as it comes: a toast, the title, the mark in the sidebar', async () => {
    await boss.page.waitForSelector(T('presence'));
    await promised(5, 'Ask for Mary');
    const toast = boris.page.locator(T('toast'));
    await toast.filter({ hasText: 'Soon: promised to' }).waitFor();
    await toast.filter({ hasText: 'Now: promised to' }).waitFor();
    await boris.page.waitForFunction(() => /^\(1\)/.test(document.title));
    await boris.page.locator(T('promises-overdue'), { hasText: '1' }).waitFor({ timeout: 30_000 });
    await photograph('overdue', boris.page);
  });

  await step('the supervisor hears of what is overdue, and gives it to somebody', async () => {
    await boss.page.locator(T('toast')).filter({ hasText: 'Overdue: promised to' }).waitFor();
    await boss.page.click(T('page-promises'));
    const rows = boss.page.locator(T('promise-row'));
    await shown(rows.filter({ hasText: 'Ask for Mary' }));
    await shown(boss.page.locator(T('promise-escalated')));
    await photograph('escalated', boss.page);
    await rows.locator(T('promise-more')).click();
    await boss.page.click(T('promise-assign'));
    const dialog = boss.page.locator(T('promise-assign-dialog'));
    await dialog.locator(T('promise-owner')).selectOption({ label: 'Me' });
    await dialog.locator(T('promise-assign-dialog-submit')).click();
    await rows.filter({ hasText: 'Yours' }).waitFor();
    await strips.filter({ hasText: 'Ann Lee' }).waitFor();
    await gone(count);
  });

  await step('done after its time it is late, and the page says how each ended', async () => {
    const rows = boss.page.locator(T('promise-row'));
    await rows.locator(T('promise-kept')).click();
    await gone(rows);
    await gone(strips);
    await boss.page.click(T('promises-done'));
    await shown(boss.page.locator(`${T('promise-row')}[data-state=OBLIGATION_STATE_LATE]`));
    await shown(boss.page.locator(`${T('promise-row')}[data-state=OBLIGATION_STATE_KEPT]`));
    await shown(
      boss.page.locator(`${T('promise-row')}[data-state=OBLIGATION_STATE_WAIVED]`, { hasText: 'They called us' }),
    );
    await photograph('done', boss.page);
  });

  await step('whoever watches the gateway sees it counted', async () => {
    const counted = await (await ann.page.request.get(`${gateway.url}metrics`)).text();
    for (const outcome of ['kept', 'late', 'waived'])
      assert.match(counted, new RegExp(`^obligations_total\\{outcome="${outcome}"\\} 1$`, 'm'));
  });

  await step('an empty list says what to do, and everything speaks Russian', async () => {
    await boris.page.click(T('page-promises'));
    await boris.page.getByText('Nothing is promised here').waitFor();
    await photograph('empty', boris.page);
    await boris.page.click(T('settings'));
    await boris.page.click(T('language-ru'));
    await boris.page.getByRole('heading', { name: 'Обещания' }).waitFor();
    await boris.page.goBack();
    await boris.page.keyboard.press('Alt+KeyC');
    await boris.page.locator(T('promise-dialog')).getByText('К какому времени').waitFor();
    await photograph('russian', boris.page);
  });

  await step('no page complained', async () => {
    assert.deepEqual(browser.complaints(), []);
  });
});
