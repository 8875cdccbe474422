// Canned replies by "/", colleagues by "@" in a note, and every act by name: by keyboard, on a
// Russian layout too, and on a phone.

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
const box = ann.page.locator(T('composer-text'));
const list = ann.page.locator(`${T('suggest')}:not([hidden])`);
const options = list.getByRole('option');

/** @param {import('playwright-core').Page} page @param {string} hash */
const go = (page, hash) => page.evaluate((to) => void (location.hash = to), hash);

/**
 * Makes a canned reply on its page.
 * @param {import('playwright-core').Page} page
 * @param {{ shortcut: string, title: string, text: string }} words
 */
async function fillReply(page, { shortcut, title, text }) {
  await go(page, '#/replies');
  await page.click(T('add-reply'));
  await page.fill(T('reply-shortcut'), shortcut);
  await page.fill(T('reply-title'), title);
  await page.fill(T('reply-text'), text);
}

/**
 * Presses keys as a keyboard with a Russian layout does.
 * @param {import('playwright-core').Page} page
 * @param {[code: string, key: string][]} keys
 */
async function russian(page, keys) {
  const session = await page.context().newCDPSession(page);
  for (const [code, key] of keys) {
    const modifiers = key === key.toLowerCase() ? 0 : 8;
    await session.send('Input.dispatchKeyEvent', { type: 'keyDown', code, key, text: key, modifiers });
    await session.send('Input.dispatchKeyEvent', { type: 'keyUp', code, key, modifiers });
  }
  await session.detach();
}

/** @param {import('playwright-core').Page} page @param {string} words */
async function palette(page, words) {
  await page.keyboard.press('Control+KeyK');
  await page.fill(T('search-input'), words);
}

await story('canned replies and mentions', stage, async (step) => {
  await step('two people, one of them for returns only, and a visitor', async () => {
    await setUp(ann.page, gateway.setUpLink, 'Ann Lee');
    await addColleague(ann.page, 'Boris Orlov', ['Returns']);
    await boris.page.goto(gateway.url);
    await other.signIn('boris', PASSWORD);
    await visitor.page.goto(`${gateway.url}demo`);
  });

  await step('a shared canned reply is made, with its variables in sight', async () => {
    await fillReply(ann.page, { shortcut: 'Hello', title: 'Greeting', text: 'Good day, {{client.nam}}!' });
    await ann.page.locator(T('reply-text-wrong'), { hasText: '{{client.nam}}' }).waitFor();
    await ann.page.fill(T('reply-text'), 'Good day, ');
    await ann.page.click(T('variable-client.first_name'));
    await ann.page.keyboard.type('! This is {{operator.name}} of {{line.name}}.');
    await gone(ann.page.locator(T('reply-text-wrong')));
    const preview = await ann.page.locator(T('reply-text-preview')).innerText();
    assert.equal(preview, 'Good day, Vera! This is Ann Lee of Shop chat.');
    await ann.page.click(T('add-variant'));
    await ann.page.fill(T('variant-locale'), 'ru');
    await ann.page.fill(T('variant-text'), 'Добрый день!');
    await ann.page.click(T('reply-submit'));
    await shown(ann.page.locator(T('replies-table'), { hasText: '/hello' }));
  });

  await step('a shortcut that is taken is refused where it stands', async () => {
    await fillReply(ann.page, { shortcut: 'hello', title: 'Again', text: 'x' });
    await ann.page.click(T('reply-submit'));
    await ann.page.locator(T('reply-error'), { hasText: 'hello' }).waitFor();
    await ann.page.fill(T('reply-shortcut'), 'name');
    await ann.page.fill(T('reply-title'), 'With the name');
    await ann.page.fill(T('reply-text'), 'Dear {{client.name}}, thank you.');
    await ann.page.click(T('reply-submit'));
    await shown(ann.page.locator(T('replies-table'), { hasText: '/name' }));
    await shown(ann.page.locator(T('edit-reply')), 2);
  });

  await step('"/" opens the list under the caret, and Enter inserts what was filled in', async () => {
    await go(ann.page, '#/');
    await desk.presence('ready');
    await chat.open();
    await chat.write('Do you have the Ridge in green?');
    await desk.offer('Ridge in green').locator(T('offer-accept')).click();
    await box.waitFor();
    await box.pressSequentially('https://example.com/a and/or ');
    assert.equal(await list.count(), 0, 'nothing opens inside a word');
    await box.fill('');
    await box.pressSequentially('/');
    await shown(options, 2);
    await box.pressSequentially('gree');
    await shown(options.filter({ hasText: 'Greeting' }));
    await gone(options.filter({ hasText: 'With the name' }));
    assert.equal(await options.getAttribute('id'), await box.getAttribute('aria-activedescendant'));
    assert.equal(await options.getAttribute('aria-selected'), 'true');
    const [at, under] = await Promise.all([list.boundingBox(), box.boundingBox()]);
    assert.ok(at && under && at.x >= 0 && at.x + at.width <= 1280 && at.y >= 0 && at.y + at.height <= under.y + 8);
    await ann.page.keyboard.press('Enter');
    assert.equal(await box.inputValue(), 'Good day, there! This is Ann Lee of Shop chat.');
    assert.equal(await list.count(), 0);
    await ann.page.keyboard.press('Control+KeyZ');
    assert.equal(await box.inputValue(), '/gree', 'it can be undone');
    await ann.page.keyboard.press('Control+KeyY');
    await ann.page.keyboard.press('Control+Enter');
    await shown(chat.message('This is Ann Lee of Shop chat'));
  });

  await step('Esc closes the list and leaves the text; the mouse chooses too', async () => {
    await box.fill('');
    await box.pressSequentially('Well, /');
    await shown(options, 2);
    await ann.page.keyboard.press('ArrowDown');
    assert.equal(await options.nth(1).getAttribute('aria-selected'), 'true');
    await ann.page.keyboard.press('Escape');
    await gone(list);
    await box.pressSequentially('he');
    assert.equal(await list.count(), 0, 'it stays closed for this word');
    assert.equal(await box.inputValue(), 'Well, /he');
    assert.ok(await box.evaluate((node) => node === document.activeElement));
    await box.fill('');
    await ann.page.click(T('insert-reply'));
    await options.filter({ hasText: '/hello' }).click();
    assert.match(await box.inputValue(), /^Good day, there!/);
    await box.fill('');
  });

  await step('on a Russian layout the key of "/" and the words typed with it find the same', async () => {
    await box.fill('');
    await box.focus();
    await russian(ann.page, [
      ['Slash', '.'],
      ['KeyH', 'р'],
      ['KeyE', 'у'],
      ['KeyL', 'д'],
    ]);
    await gone(options.filter({ hasText: 'With the name' }));
    await shown(options);
    await ann.page.keyboard.press('Tab');
    assert.match(await box.inputValue(), /^Good day, there!/);
    await box.fill('Да');
    await russian(ann.page, [['Slash', '.']]);
    assert.equal(await list.count(), 0, 'a full stop after a word is one');
    await box.fill('');
    await russian(ann.page, [['Slash', '.']]);
    await shown(options, 2);
    await ann.page.keyboard.press('Backspace');
    await box.pressSequentially('hello');
    await gone(list);
    assert.equal(await list.count(), 0, 'nothing is left of a mark that was deleted');
    await box.fill('');
  });

  await step('what could not be filled in is selected, told, and asked about before it goes', async () => {
    await box.pressSequentially('/name');
    await gone(options.filter({ hasText: 'Greeting' }));
    await shown(options);
    await ann.page.keyboard.press('Enter');
    assert.equal(await box.inputValue(), 'Dear {{client.name}}, thank you.');
    await ann.page.locator(T('composer-notice'), { hasText: '{{client.name}}' }).waitFor();
    await ann.page.keyboard.press('Control+Enter');
    await ann.page.locator(T('unfilled-dialog')).waitFor();
    await ann.page.keyboard.press('Escape');
    await gone(ann.page.locator(T('unfilled-dialog')));
    assert.equal(await box.inputValue(), 'Dear {{client.name}}, thank you.');
    await box.evaluate((node) => /** @type {HTMLTextAreaElement} */ (node).setSelectionRange(5, 20));
    await ann.page.keyboard.type('Oleg');
    await gone(ann.page.locator(T('composer-notice')));
    await ann.page.keyboard.press('Control+Enter');
    await shown(chat.message('Dear Oleg, thank you.'));
  });

  await step('"@" in a note calls a colleague, who is told and let in', async () => {
    await box.pressSequentially('Mail @');
    assert.equal(await list.count(), 0, 'not in what the client reads');
    await box.fill('');
    await ann.page.click(T('mode-note'));
    await box.pressSequentially('What does @bor');
    await shown(options);
    await ann.page.keyboard.press('Tab');
    await box.pressSequentially('think of it?');
    assert.equal(await box.inputValue(), 'What does @Boris Orlov think of it?');
    const notice = ann.page.locator(T('composer-notice'));
    await notice.filter({ hasText: 'Boris Orlov will be told and can see this conversation' }).waitFor();
    await ann.page.keyboard.press('Control+Enter');
    await shown(desk.message('@Boris Orlov', 'NOTE').locator(T('mention')));

    await boris.page.locator(T('toast'), { hasText: 'Ann Lee mentioned you' }).waitFor();
    await boris.page.waitForFunction(() => document.title.startsWith('(1) '));
    await boris.page.locator(`${T('page-mentions')} ${T('count')}`, { hasText: '1' }).waitFor();
    assert.equal(await boris.page.locator(T('conversation-row')).count(), 0, 'it is on no list of his');
  });

  await step('the mentions are listed, and read by opening the conversation', async () => {
    await boris.page.keyboard.press('Alt+KeyM');
    const row = boris.page.locator(T('mention-row'), { hasText: 'think of it' });
    await shown(row);
    await row.click();
    await shown(other.message('think of it', 'NOTE').locator(`${T('mention')}.me`));
    await shown(other.message('Ridge in green', 'INBOUND'));
    await gone(boris.page.locator(`${T('page-mentions')} ${T('count')}`));
    await boris.page.waitForFunction(() => !document.title.startsWith('('));
    assert.ok(await boris.page.locator(T('mode-reply')).isDisabled(), 'to look is not to answer');
    await other.reply('We take it back.');
    await shown(desk.message('take it back', 'NOTE'));
    assert.equal(await chat.message('take it back').count(), 0);
    await go(boris.page, '#/mentions');
    await boris.page.click(T('mentions-all'));
    await shown(row);
    assert.equal(await chat.message('think of it').count(), 0);
  });

  await step('an operator has canned replies of their own, and sees changes of the shared ones', async () => {
    await fillReply(boris.page, { shortcut: 'mine', title: 'My own', text: 'One moment.' });
    await boris.page.click(T('reply-submit'));
    await shown(boris.page.locator(T('edit-reply')));
    await shown(boris.page.locator(T('show-reply')), 2);
    await go(ann.page, '#/replies');
    await shown(ann.page.locator(T('edit-reply')), 2);
    await ann.page.locator('tr', { hasText: '/hello' }).locator(T('edit-reply')).click();
    await ann.page.fill(T('reply-title'), 'A warm greeting');
    await ann.page.click(T('reply-submit'));
    await shown(boris.page.locator(T('replies-table'), { hasText: 'A warm greeting' }));
    await ann.page.locator('tr', { hasText: '/hello' }).locator('.number', { hasText: '1' }).waitFor();
    await boris.page.fill(T('replies-search'), 'moment');
    await gone(boris.page.locator(T('show-reply')));
    await boris.page.click(T('delete-reply'));
    await boris.page.click(T('remove-reply-submit'));
    await gone(boris.page.locator(T('replies-table')));
  });

  await step('the palette has every act, also when it is typed on the other layout', async () => {
    await ann.page.goBack();
    await box.waitFor();
    await ann.page.keyboard.press('Escape');
    await palette(ann.page, 'сфттув');
    await ann.page.locator(T('palette-insert-reply')).waitFor();
    await ann.page.keyboard.press('Enter');
    await shown(options, 2);
    await ann.page.keyboard.press('Escape');
    await box.fill('');
    // From a button, which gets the focus back before the act moves it.
    await ann.page.click(T('open-search'));
    await ann.page.fill(T('search-input'), 'mention a');
    await ann.page.keyboard.press('Enter');
    await shown(options);
    assert.equal(await ann.page.locator(T('mode-note')).getAttribute('aria-checked'), 'true');
    await ann.page.keyboard.press('Escape');
    await box.fill('');
    await ann.page.keyboard.press('Control+KeyK');
    for (const act of [
      'reply',
      'note',
      'attach',
      'transfer',
      'snooze',
      'finish',
      'block',
      'spam',
      'contact',
      'rename',
      'MINE',
      'page-mentions',
      'page-replies',
      'page-people',
      'presence-offline',
      'theme-dark',
      'sign-out',
      'keys',
    ]) {
      assert.equal(await ann.page.locator(T(`palette-${act}`)).count(), 1, act);
    }
    await ann.page.keyboard.press('Escape');
    await gone(ann.page.locator(T('palette')));
    await box.press('Escape');
    await russian(ann.page, [['Digit7', '?']]);
    await ann.page.locator(T('keys-dialog'), { hasText: 'canned reply' }).waitFor();
    await ann.page.keyboard.press('Escape');
  });

  await step('a note taken back takes back what it let see', async () => {
    await go(boris.page, '#/mentions');
    await boris.page.click(T('mentions-all'));
    await boris.page.locator(T('mention-row'), { hasText: 'think of it' }).click();
    await shown(other.message('think of it', 'NOTE'));
    const note = desk.message('think of it', 'NOTE');
    await note.hover();
    await note.locator(T('message-more')).click();
    await ann.page.click(T('delete-note'));
    await ann.page.locator(T('delete-dialog'), { hasText: 'only because of it' }).waitFor();
    await ann.page.click(T('delete-dialog-submit'));
    await gone(other.message('Ridge in green'));
    await boris.page.locator(T('thread-name')).waitFor({ state: 'hidden' });
    await go(boris.page, '#/mentions');
    await boris.page.click(T('mentions-all'));
    await boris.page.locator('.empty', { hasText: 'Nobody has mentioned you' }).waitFor();
  });

  await step('on a phone the buttons open the lists within the screen', async () => {
    await ann.page.setViewportSize({ width: 390, height: 760 });
    await ann.page.click(T('mode-reply'));
    await ann.page.click(T('insert-reply'));
    await shown(options, 2);
    const at = await list.boundingBox();
    assert.ok(at && at.x >= 0 && at.x + at.width <= 390 && at.y >= 0 && at.y + at.height <= 760);
    await options.first().click();
    await gone(list);
    assert.notEqual(await box.inputValue(), '/');
  });

  await step('no page complained', async () => {
    assert.deepEqual(browser.complaints(/ 401 .*GetMe| 409 .*SaveCannedReply/), []);
  });
});
