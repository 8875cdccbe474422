// A supervisor's day: the wallboard moves by itself, the reports say the same, a file can be taken away.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { Gateway } from './support/gateway.mjs';
import { PASSWORD, T, addColleague, chatOn, inboxOn, openBrowser, setUp, shown } from './support/browser.mjs';
import { story } from './support/steps.mjs';

const CONFIG = `
[[queue]]
id = "main"
name = "=Sales"

[[queue]]
id = "returns"
name = "Returns"

[[line]]
id = "site"
name = "Shop chat"
channel = "webchat"
queue = "main"
`;

const gateway = await Gateway.start(CONFIG);
const browser = await openBrowser();
const ann = await browser.person('Ann', { acceptDownloads: true });
const boris = await browser.person('Boris');
const visitor = await browser.person('visitor');
const desk = inboxOn(boris.page);
const chat = chatOn(visitor.page);
const stage = {
  pages: () => browser.pages(),
  close: async () => {
    await browser.close();
    await gateway.stop();
  },
};

/** @param {string} name */
const tile = (name) => ann.page.locator(`${T(`tile-${name}`)} .tile-value`);

/** @param {string} name @param {string | RegExp} text */
async function tells(name, text) {
  const found = ann.page.locator(T(`tile-${name}`), { hasText: text });
  await found.waitFor();
}

/** Everything with a role that speaks has a name, and nothing is wider than the page. */
async function sound() {
  const faults = await ann.page.evaluate(() => {
    const found = [];
    const main = /** @type {HTMLElement} */ (document.querySelector('main'));
    for (const node of main.querySelectorAll('button, select, input, a, [role=img], [role=region], figure > svg')) {
      const label =
        node.getAttribute('aria-label') ||
        node.textContent?.trim() ||
        (node.id && document.querySelector(`label[for="${node.id}"]`)?.textContent);
      if (!label && node.checkVisibility()) found.push(`no name: ${node.outerHTML.slice(0, 120)}`);
    }
    const wide = document.documentElement.scrollWidth - window.innerWidth;
    if (wide > 0) found.push(`${wide} px wider than the page`);
    const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
    if (new Set(ids).size !== ids.length) found.push('an id is there twice');
    return found;
  });
  assert.deepEqual(faults, []);
}

await story('wallboard and reports', stage, async (step) => {
  await step('a supervisor finds an empty board', async () => {
    await setUp(ann.page, gateway.setUpLink, 'Ann Lee');
    await addColleague(ann.page, 'Boris Orlov', ['=Sales']);
    await ann.page.click(T('page-wallboard'));
    await tells('waiting', '0');
    await tells('level', 'nobody has waited');
    await sound();
  });

  await step('reports without anything say so', async () => {
    await ann.page.click(T('page-reports'));
    await ann.page.selectOption(T('report-range'), 'yesterday');
    await ann.page.getByText('Nothing was counted in this range').waitFor();
    await ann.page.selectOption(T('report-range'), 'own');
    await ann.page.fill(T('report-first'), '2026-02-02');
    await ann.page.fill(T('report-last'), '2026-02-01');
    await ann.page.getByRole('alert').getByText('Give a first and a last day').waitFor();
    await ann.page.selectOption(T('report-range'), 'today');
    await ann.page.click(T('page-wallboard'));
  });

  await step('the board moves by itself', async () => {
    await visitor.page.goto(`${gateway.url}demo`);
    await chat.open();
    await chat.write('Is the Harbour in stock?');
    await tells('waiting', '1');
    await ann.page.locator(`${T('tile-longest')} sb-timer`).waitFor();
    await boris.page.goto(gateway.url);
    await desk.signIn('boris', PASSWORD);
    await desk.presence('ready');
    await desk.offer('Harbour in stock').locator(T('offer-accept')).click();
    await desk.reply('It is, in three colours.');
    await tells('answered', '1');
    await tells('level', /100\s?%/);
    await tells('level', 'On target');
    await ann.page.locator(T('crew-BUSY'), { hasText: 'Boris Orlov' }).waitFor();
    await desk.presence('away.break');
    await ann.page.locator(T('crew-ON_A_BREAK'), { hasText: 'Boris Orlov' }).waitFor();
    await ann.page.selectOption(T('wallboard-queue'), 'returns');
    await tells('answered', '0');
    await ann.page.selectOption(T('wallboard-queue'), '');
    await sound();
  });

  await step('reports say the same', async () => {
    await boris.page.click(T('act-finish'));
    await boris.page.click(T('finish-dialog-submit'));
    await ann.page.click(T('page-reports'));
    await ann.page.selectOption(T('report-grouping'), 'BY_QUEUE');
    await shown(ann.page.locator(T('chart-volume')));
    await ann.page.locator(T('total-service_level'), { hasText: /100\s?%/ }).waitFor();
    await ann.page.locator(T('report-table'), { hasText: '=Sales' }).waitFor();
    await ann.page.click(`${T('report-how')} summary`);
    await ann.page.locator(T('levels-table'), { hasText: 'sl.answered_in_time/answered_and_abandoned' }).waitFor();
    for (const grouping of ['BY_HOUR', 'BY_DAY', 'BY_HOUR_OF_DAY', 'BY_LINE', 'BY_CHANNEL', 'BY_OPERATOR']) {
      await ann.page.selectOption(T('report-grouping'), grouping);
      await shown(ann.page.locator(T('chart-level')));
    }
    await ann.page.locator(T('report-table'), { hasText: 'Boris Orlov' }).waitFor();
    await sound();
  });

  await step('the file starts no formula', async () => {
    await ann.page.selectOption(T('report-grouping'), 'BY_QUEUE');
    await ann.page.locator(T('report-table'), { hasText: '=Sales' }).waitFor();
    const coming = ann.page.waitForEvent('download');
    await ann.page.click(T('report-csv'));
    const file = await coming;
    assert.match(file.suggestedFilename(), /^switchboard-by_queue-\d{4}-\d\d-\d\d\.csv$/);
    const text = await readFile(await file.path(), 'utf8');
    const [head, row] = text.replace('\ufeff', '').split('\r\n');
    assert.match(head, /^key,name,opened,.*,service_level,/);
    assert.match(row, /^main,'=Sales,1,/);
  });

  await step('in Russian, in the dark, on a phone', async () => {
    for (const choice of ['theme-dark', 'language-ru']) {
      await ann.page.click(T('settings'));
      await ann.page.click(T(choice));
    }
    await ann.page.getByRole('heading', { name: 'Отчёты' }).waitFor();
    await ann.page.setViewportSize({ width: 390, height: 844 });
    await shown(ann.page.locator(T('chart-times')));
    await sound();
    await ann.page.evaluate(() => (location.hash = '#/wallboard'));
    await tells('answered', '1');
    await ann.page.getByRole('heading', { name: 'Табло' }).waitFor();
    await sound();
  });

  await step('a board that lost its gateway says so, and comes back', async () => {
    browser.away = true;
    await gateway.kill();
    await ann.page.getByText('цифры могли устареть').waitFor();
    await gateway.run();
    await ann.page.getByText('цифры могли устареть').waitFor({ state: 'detached', timeout: 30_000 });
    assert.equal(await tile('answered').innerText(), '1');
    browser.away = false;
  });

  await step('no page complained', async () => {
    assert.deepEqual(browser.complaints(), []);
  });
});
