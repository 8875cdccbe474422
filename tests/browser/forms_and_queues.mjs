// Two queues, and a form beside the chat: what cannot be answered, who may be one person, and what
// goes out of an operator's sight.

import assert from 'node:assert/strict';

import { Gateway } from './support/gateway.mjs';
import { PASSWORD, T, addColleague, chatOn, gone, inboxOn, openBrowser, setUp, shown } from './support/browser.mjs';
import { story } from './support/steps.mjs';

const CONFIG = `
[[queue]]
id = "main"
name = "Sales"

[[queue]]
id = "returns"
name = "Returns"

[[line]]
id = "site"
name = "Shop chat"
channel = "webchat"
queue = "main"

[[line]]
id = "contact-form"
name = "Contact form"
channel = "form"
queue = "main"
`;

const gateway = await Gateway.start(CONFIG);
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

/** Sends the form as a page of the site does. @param {Record<string, string>} fields */
async function submit(fields) {
  const status = await visitor.page.evaluate(async (body) => {
    const answer = await fetch('/forms/contact-form', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return answer.status;
  }, fields);
  assert.ok(status < 300, `the form answers ${status}`);
}

/** @param {string} text */
async function accept(text) {
  await desk.offer(text).locator(T('offer-accept')).click();
  await ann.page.waitForSelector(T('composer-text'));
}

await story('forms and queues', stage, async (step) => {
  await step('two people, one of them for returns only', async () => {
    await setUp(ann.page, gateway.setUpLink, 'Ann Lee');
    await addColleague(ann.page, 'Boris Orlov', ['Returns']);
    await boris.page.goto(gateway.url);
    await other.signIn('boris', PASSWORD);
    await other.presence('ready');
    await desk.presence('ready');
    await visitor.page.goto(`${gateway.url}demo`);
  });

  await step('what a person can do, and where they stand in a queue, is kept', async () => {
    const edit = async () => {
      await ann.page.evaluate(() => (location.hash = '#/people'));
      await ann.page.locator(`${T('people-table')} tr`, { hasText: 'Boris Orlov' }).locator(T('edit-operator')).click();
      await ann.page.waitForSelector(T('operator-skills'));
    };
    await edit();
    await ann.page.fill(T('operator-skills'), 'Billing, lang:ru,');
    await ann.page.fill(T('operator-position-returns'), '3');
    await ann.page.click(T('operator-submit'));
    await ann.page.locator(T('people-table'), { hasText: 'billing, lang:ru' }).waitFor();
    await edit();
    assert.equal(await ann.page.inputValue(T('operator-skills')), 'billing, lang:ru');
    assert.equal(await ann.page.inputValue(T('operator-position-returns')), '3');
    await ann.page.locator(T('operator-dialog'), { hasText: 'In use: billing, lang:ru' }).waitFor();
    await ann.page.keyboard.press('Escape');
    await ann.page.evaluate(() => (location.hash = '#/'));
  });

  await step('a form becomes a conversation that takes notes only', async () => {
    await submit({ name: 'Vera Mills', email: 'vera@example.com', message: 'Please call me about the Harbour.' });
    await accept('about the Harbour');
    await ann.page.waitForSelector(T('not-answerable'));
    await desk.reply('Called, she comes on Friday.');
    await shown(desk.message('comes on Friday', 'NOTE'));
    await ann.page.locator(T('contact-name'), { hasText: 'Vera Mills' }).waitFor();
    await ann.page.locator(T('identities'), { hasText: 'vera@example.com' }).waitFor();
    await ann.page.click(T('act-finish'));
    await ann.page.click(T('finish-dialog-submit'));
  });

  await step('the same address typed again is a suggestion: merged with a reason, and taken back', async () => {
    await submit({ name: 'V. Mills', email: 'vera@example.com', message: 'Is Friday still fine?' });
    await accept('Is Friday still fine');
    await shown(ann.page.locator(T('merge-suggestion')));
    assert.equal(await desk.message('about the Harbour').count(), 0, "a typed address opens nobody else's history");
    await ann.page.click(T('merge-compare'));
    await ann.page.locator(`${T('merge-dialog')} .merge-side`, { hasText: 'Vera Mills' }).waitFor();
    await ann.page.fill(T('merge-reason'), 'She said so.');
    await ann.page.click(T('merge-dialog-submit'));
    await shown(desk.message('about the Harbour'));
    await gone(ann.page.locator(T('merge-suggestion')));
    await ann.page.click(T('toast-action'));
    await gone(desk.message('about the Harbour'));
    await shown(desk.message('Friday still fine'));
    await ann.page.click(T('act-finish'));
    await ann.page.click(T('finish-dialog-submit'));
  });

  await step('a renamed contact is renamed wherever it shows', async () => {
    await chat.open();
    await chat.write('My Ridge squeaks, can I return it?');
    await accept('My Ridge squeaks');
    await ann.page.click(T('rename'));
    await ann.page.fill(T('rename-input'), 'Oleg from the harbour');
    await ann.page.click(T('rename-dialog-submit'));
    await shown(desk.row('Oleg from the harbour'));
    await ann.page.locator(T('thread-name'), { hasText: 'Oleg from the harbour' }).waitFor();
  });

  await step('a queue is handed a conversation, and its operator gets it', async () => {
    assert.equal(await boris.page.locator(T('conversation-row')).count(), 0);
    await desk.presence('away.break');
    await ann.page.click(T('act-transfer'));
    await ann.page.locator(`${T('transfer-dialog')} .choice`, { hasText: 'Returns' }).click();
    await ann.page.click(T('transfer-dialog-submit'));
    await other.offer('My Ridge squeaks').locator(T('offer-accept')).click();
    await boris.page.waitForSelector(T('composer-text'));
    await boris.page.locator(T('contact-name'), { hasText: 'Oleg from the harbour' }).waitFor();
    await other.reply('Bring it, we have a look.');
    await shown(chat.message('have a look'));
  });

  await step('what goes to a queue of others goes out of sight', async () => {
    await boris.page.click(T('act-transfer'));
    assert.ok(
      await boris.page
        .locator(`${T('transfer-dialog')} .choice`, { hasText: 'Ann Lee' })
        .locator('input')
        .isDisabled(),
    );
    await boris.page.locator(`${T('transfer-dialog')} .choice`, { hasText: 'Sales' }).click();
    await boris.page.click(T('transfer-dialog-submit'));
    await gone(other.row('Oleg from the harbour'));
    await boris.page.click(T('folder-ALL_OPEN'));
    await gone(other.row('Oleg from the harbour'));
    await ann.page.click(T('folder-ALL_OPEN'));
    await shown(desk.row('Oleg from the harbour'));
  });

  await step('a reload of the configuration is seen on pages that are open', async () => {
    await ann.page.evaluate(() => Object.assign(window, { isTheSamePage: true }));
    const changed = CONFIG.replace('name = "Returns"', 'name = "Repairs"\ndispositions = ["Repaired", "Replaced"]');
    await gateway.reload(`${changed}\n[[queue]]\nid = "press"\nname = "Press"\n`);
    await ann.page.locator(T('queue-returns'), { hasText: 'Repairs' }).waitFor();
    await ann.page.locator(T('queue-press'), { hasText: 'Press' }).waitFor();
    await boris.page.locator(T('queue-returns'), { hasText: 'Repairs' }).waitFor();
    assert.equal(await boris.page.locator(T('queue-press')).count(), 0, 'it is not his');
    await gateway.reload(changed);
    await gone(ann.page.locator(T('queue-press')));
    assert.ok(await ann.page.evaluate(() => 'isTheSamePage' in window), 'nothing was loaded anew');
  });

  await step('no page complained', async () => {
    assert.deepEqual(browser.complaints(), []);
  });
});
