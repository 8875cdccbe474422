// The router explains itself where one works: on an offer, on a conversation that waits, at the
// switch of one's presence; and shows that its laws are kept.

import assert from 'node:assert/strict';

import { Gateway } from './support/gateway.mjs';
import { PASSWORD, T, addColleague, chatOn, inboxOn, openBrowser, setUp, shown } from './support/browser.mjs';
import { story } from './support/steps.mjs';

const gateway = await Gateway.start();
const browser = await openBrowser();
const ann = await browser.person('Ann');
const boris = await browser.person('Boris');
const visitor = await browser.person('visitor');
const desk = inboxOn(ann.page);
const other = inboxOn(boris.page);
const chat = chatOn(visitor.page);
const stage = {
  pages: () => browser.pages(),
  close: async () => {
    await browser.close();
    await gateway.stop();
  },
};
/** Where pictures go, for whoever wants to look at them. */
const PICTURES = process.env.PICTURES;

/** @param {import('playwright-core').Page} page @param {string} name */
async function picture(page, name) {
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}.png` });
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function close(page, name) {
  await page.keyboard.press('Escape');
  await page.locator(T(name)).waitFor({ state: 'detached' });
}

await story('why', stage, async (step) => {
  await step('two people at work, one of them away', async () => {
    await setUp(ann.page, gateway.setUpLink, 'Ann Lee');
    await addColleague(ann.page, 'Boris Orlov');
    await boris.page.goto(gateway.url);
    await other.signIn('boris', PASSWORD);
    await visitor.page.goto(`${gateway.url}demo`);
  });

  await step('nobody is there: the conversation says so', async () => {
    await chat.open();
    await chat.write('Is anybody there?');
    await ann.page.click(T('folder-WAITING'));
    await desk.row('Is anybody there?').click();
    await ann.page.click(T('act-why'));
    const dialog = ann.page.locator(T('why-waiting'));
    await dialog.getByText('Nobody at work could answer it.').waitFor();
    await shown(dialog.locator('[data-rule=not_ready]'));
    await dialog.getByText('Ann Lee, Boris Orlov').waitFor();
    await picture(ann.page, 'waiting-light');
    await close(ann.page, 'why-waiting');
  });

  await step('who is away asks why no work comes', async () => {
    await boris.page.click(T('why-me'));
    const dialog = boris.page.locator(T('why-me-dialog'));
    await dialog.getByText('You are not Ready').waitFor();
    await shown(dialog.locator(`${T('why-queue')}[data-why=not_ready]`));
    await picture(boris.page, 'me-away');
    await close(boris.page, 'why-me-dialog');
  });

  await step('the offer says why it is hers', async () => {
    await desk.presence('ready');
    await desk.offer('Is anybody there?').locator(T('offer-why')).click();
    const dialog = ann.page.locator(T('why-offer'));
    await dialog.getByRole('heading', { name: 'Why Ann Lee?' }).waitFor();
    await shown(dialog.locator(`${T('why-order')} .first`));
    await shown(dialog.locator('[data-rule=not_ready]'));
    await picture(ann.page, 'offer');
    await close(ann.page, 'why-offer');
  });

  await step('so does what somebody has, by the keyboard', async () => {
    await desk.offer('Is anybody there?').locator(T('offer-accept')).click();
    await ann.page.waitForSelector(T('composer-text'));
    await ann.page.keyboard.press('Alt+KeyW');
    await ann.page.locator(T('why-offer')).getByText('By the order of the queue.').waitFor();
    await close(ann.page, 'why-offer');
    await ann.page.keyboard.press('Control+KeyK');
    await ann.page.keyboard.type('why');
    await ann.page.locator(T('palette-why')).click();
    await ann.page.locator(T('why-offer')).waitFor();
    await close(ann.page, 'why-offer');
  });

  await step('who is free and gets nothing learns who comes first', async () => {
    await other.presence('ready');
    await boris.page.click(T('why-me'));
    const dialog = boris.page.locator(T('why-me-dialog'));
    await dialog.getByText('Nothing keeps you from work.').waitFor();
    await shown(dialog.locator(`${T('why-queue')}[data-why=quiet]`));
    await dialog.getByText('You come first when somebody writes.').waitFor();
    await picture(boris.page, 'me-quiet');
    await close(boris.page, 'why-me-dialog');
  });

  await step('a supervisor asks about a colleague', async () => {
    await ann.page.evaluate(() => (location.hash = '#/queues'));
    const row = ann.page.locator(`${T('operators-table')} tr`, { hasText: 'Boris Orlov' });
    await row.locator(T('operator-why')).click();
    const dialog = ann.page.locator(T('why-me-dialog'));
    await dialog.getByRole('heading', { name: 'Why does Boris Orlov get no work?' }).waitFor();
    await dialog.getByText('Nothing keeps them from work.').waitFor();
    await close(ann.page, 'why-me-dialog');
  });

  await step('the proof has judged what was decided', async () => {
    await ann.page.click(T('page-proof'));
    await ann.page.waitForSelector(`${T('proof-verdict')}[data-broken="0"]`);
    await ann.page.waitForFunction(
      (selector) => Number(document.querySelector(selector)?.textContent) >= 1,
      T('proof-offers'),
    );
    await shown(ann.page.locator(`${T('proof-laws')} tbody tr`), 8);
    await picture(ann.page, 'proof-light');
  });

  await step('a broken law cannot be overlooked, and a lost connection is said', async () => {
    const answer = {
      since: '2026-01-01T00:00:00Z',
      lookedAt: '2026-01-02T00:00:00Z',
      offers: '120345',
      offersNotJudged: '2',
      rows: '9000',
      laws: [{ name: 'overtake', violations: '1' }, { name: 'capacity' }],
      violations: [
        { law: 'overtake', at: '2026-01-01T12:00:00Z', conversationId: '7', detail: 'was passed by conversation 9' },
      ],
    };
    await ann.page.route('**/GetProof', (route) => route.fulfill({ json: answer }));
    await ann.page.click(T('page-queues'));
    await ann.page.click(T('page-proof'));
    await ann.page.waitForSelector(`${T('proof-verdict')}[data-broken="1"]`);
    await shown(ann.page.locator(`${T('proof-violations')} tbody tr`));
    await picture(ann.page, 'proof-broken');
    await ann.page.unroute('**/GetProof');
    await ann.page.route('**/WhyNotMe', (route) => route.fulfill({ status: 200, contentType: 'text/plain', body: 'not json' }));
    await ann.page.click(T('presence'));
    await ann.page.click(T('presence-why'));
    await ann.page.locator(T('why-me-dialog')).getByRole('button', { name: 'Retry' }).waitFor();
    await ann.page.unroute('**/WhyNotMe');
    await ann.page.locator(T('why-me-dialog')).getByRole('button', { name: 'Retry' }).click();
    await ann.page.locator(T('why-queue')).waitFor();
    await close(ann.page, 'why-me-dialog');
  });

  await step('in Russian, in the dark, on a phone', async () => {
    const small = await browser.person('Ann on a phone', {
      viewport: { width: 390, height: 800 },
      colorScheme: 'dark',
      locale: 'ru-RU',
    });
    await small.page.goto(gateway.url);
    await small.page.fill(T('login'), 'ann');
    await small.page.fill(T('password'), PASSWORD);
    await small.page.click(T('sign-in'));
    await small.page.locator(T('open-nav')).waitFor();
    await small.page.evaluate(() => (location.hash = '#/proof'));
    await small.page.getByText('Все законы соблюдены').waitFor();
    await picture(small.page, 'proof-phone');
    await small.page.evaluate(() => (location.hash = '#/'));
    await small.page.locator(T('conversation-row')).first().click();
    await small.page.click(T('act-more'));
    await small.page.click(T('menu-why'));
    await small.page.locator(T('why-offer')).getByText('По порядку очереди.').waitFor();
    await picture(small.page, 'offer-phone');
    await close(small.page, 'why-offer');
  });

  await step('nobody complained', () => {
    assert.deepEqual(browser.complaints(), []);
  });
});
