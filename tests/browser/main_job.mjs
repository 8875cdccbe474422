// The main job in a browser: a visitor writes on a site, a free operator answers. With the pages as
// people get them, against the program as it is built, started as a newcomer starts it.

import assert from 'node:assert/strict';

import { Gateway } from './support/gateway.mjs';
import { PASSWORD, T, addColleague, chatOn, gone, inboxOn, openBrowser, setUp, shown } from './support/browser.mjs';
import { story } from './support/steps.mjs';

/** One red pixel. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
);

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

/** @param {import('playwright-core').Page} page @param {string} text */
async function search(page, text) {
  await page.keyboard.press('Control+KeyK');
  await page.fill(T('search-input'), text);
}

/** @param {string} name @param {string} words */
async function visitorWrites(name, words) {
  const person = await browser.person(name);
  await person.page.goto(`${gateway.url}demo`);
  const theirs = chatOn(person.page);
  await theirs.open();
  await theirs.write(words);
  await theirs.panel
    .locator('article[data-state=sent], article[data-state=delivered], article[data-state=read]')
    .waitFor();
  return { ...person, chat: theirs };
}

await story('the main job', stage, async (step) => {
  await step('the first admin comes in by the one-time link', async () => {
    await setUp(ann.page, gateway.setUpLink, 'Ann Lee');
    await ann.page.waitForSelector(T('welcome'));
    assert.ok(!ann.page.url().includes('setup'), 'the token does not stay in the address');
    await ann.page.waitForSelector(`${T('open-demo')}[href="/demo"]`);
  });

  await step('she makes a colleague, who signs in after a wrong password', async () => {
    await addColleague(ann.page, 'Boris Orlov');

    await boris.page.goto(gateway.url);
    await boris.page.fill(T('login'), 'boris');
    await boris.page.fill(T('password'), 'not his password');
    await boris.page.click(T('sign-in'));
    await boris.page.waitForSelector(`${T('sign-in-error')}:not([hidden])`);
    await other.signIn('boris', PASSWORD);
  });

  await step('a visitor opens the demo page and writes', async () => {
    await desk.presence('ready');
    await visitor.page.goto(`${gateway.url}demo`);
    await chat.open();
    await chat.write('Hello, do you have the Ridge in green?');
    await shown(chat.message('Ridge in green'));
  });

  await step('the free operator gets an offer with a countdown, and the history before accepting', async () => {
    const card = desk.offer('Ridge in green');
    await card.waitFor();
    assert.match(await card.locator(T('offer-countdown')).innerText(), /^0:[0-3]\d$/);
    await ann.page.waitForFunction(() => /offer/i.test(document.title));
    await card.locator(T('offer-open')).click();
    await shown(desk.message('Ridge in green', 'INBOUND'));
    assert.equal(await ann.page.locator(T('composer-text')).count(), 0, 'nothing can be said before accepting');
    await card.locator(T('offer-accept')).click();
    await gone(card);
    await ann.page.waitForSelector(T('composer-text'));
    await shown(desk.row('Ridge in green'));
  });

  await step('she answers with Ctrl+Enter, the visitor sees it, she sees that it was read', async () => {
    await desk.reply('Yes, two of them are here.');
    await shown(chat.message('two of them'));
    await shown(chat.message('Ann Lee'));
    await ann.page.locator(`${T('message')}[data-delivery=READ]`, { hasText: 'two of them' }).waitFor();
    await gone(ann.page.locator(T('message-pending')));
  });

  await step('typing shows both ways, and what the visitor wrote is marked read', async () => {
    await ann.page.locator(T('composer-text')).pressSequentially('Let me');
    await chat.typing.filter({ hasText: 'Ann Lee' }).waitFor();
    await ann.page.fill(T('composer-text'), '');
    await gone(chat.typing);
    await chat.box.pressSequentially('Great');
    await ann.page.locator(`${T('client-typing')}:not([hidden])`).waitFor();
    await chat.write('Great, can I try one today?');
    await shown(desk.message('try one today', 'INBOUND'));
    await gone(ann.page.locator(T('client-typing')));
    await visitor.page.locator('article[data-state=read]', { hasText: 'try one today' }).waitFor();
  });

  await step('files go both ways', async () => {
    await chat.panel
      .locator('input[type=file]')
      .setInputFiles({ name: 'my bike.png', mimeType: 'image/png', buffer: PICTURE });
    await chat.panel.locator('.upload[data-state=done]').waitFor();
    await chat.write('This is what I ride now');
    const picture = desk.message('what I ride now', 'INBOUND').locator('img');
    await picture.waitFor();
    await ann.page.waitForFunction(
      (img) => img instanceof HTMLImageElement && img.complete && img.naturalWidth === 1,
      await picture.elementHandle(),
    );

    await ann.page.setInputFiles(T('file-input'), [
      { name: 'Каталог.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4 catalogue') },
      { name: 'green.png', mimeType: 'image/png', buffer: PICTURE },
    ]);
    await ann.page
      .locator(`${T('upload')} .icon-check`)
      .nth(1)
      .waitFor();
    await desk.reply('Our catalogue');
    const files = chat.message('Our catalogue');
    await files.locator('img').waitFor();
    await visitor.page.waitForFunction(
      (img) => img instanceof HTMLImageElement && img.naturalWidth === 1,
      await files.locator('img').elementHandle(),
    );
    const href = await files.getByRole('link', { name: /Каталог/ }).getAttribute('href');
    const answer = await visitor.page.request.get(new URL(href ?? '', gateway.url).href);
    assert.equal(await answer.text(), '%PDF-1.4 catalogue');
    assert.match(answer.headers()['content-disposition'], /^attachment/);
  });

  await step('a note stays among colleagues', async () => {
    await ann.page.click(T('mode-note'));
    await desk.reply('Seems to be a regular.');
    await shown(desk.message('a regular', 'NOTE'));
    await ann.page.click(T('mode-reply'));
    await desk.reply('Come by until seven.');
    await shown(chat.message('until seven'));
    assert.equal(await chat.message('a regular').count(), 0);
  });

  await step('a closed chat counts what is unread, in its button and in the title', async () => {
    await visitor.page.keyboard.press('Escape');
    await chat.panel.waitFor({ state: 'hidden' });
    await desk.reply('The back door is open too.');
    await visitor.page.getByRole('button', { name: 'Open chat, 1 unread' }).waitFor();
    await visitor.page.waitForFunction(() => document.title.startsWith('(1) '));
    await ann.page.locator(`${T('message')}[data-delivery=DELIVERED]`, { hasText: 'back door' }).waitFor();
    await chat.open();
    await visitor.page.waitForFunction(() => !document.title.startsWith('('));
    await ann.page.locator(`${T('message')}[data-delivery=READ]`, { hasText: 'back door' }).waitFor();
  });

  const TEXTS = [
    'Ridge in green',
    'two of them',
    'try one today',
    'what I ride now',
    'Our catalogue',
    'until seven',
    'back door',
  ];

  async function everythingOnce() {
    for (const text of TEXTS) {
      await shown(desk.message(text));
      await shown(chat.message(text));
    }
  }

  await step('both pages reloaded show everything once', async () => {
    await ann.page.fill(T('composer-text'), 'half a thought');
    const saved = ann.page.waitForResponse(/SaveDraft/);
    await saved;
    await Promise.all([ann.page.reload(), visitor.page.reload()]);
    await chat.open();
    await everythingOnce();
    await shown(desk.message('a regular', 'NOTE'));
    assert.equal(await ann.page.inputValue(T('composer-text')), 'half a thought');
    await ann.page.fill(T('composer-text'), '');
  });

  await step('second tabs share the connection and the thread', async () => {
    const tab = await ann.context.newPage();
    const streams = [];
    tab.on('request', (request) => request.url().includes('Subscribe') && streams.push(request.url()));
    await tab.goto(ann.page.url());
    await shown(inboxOn(tab).message('back door'));
    const second = await visitor.context.newPage();
    const sockets = [];
    second.on('websocket', (socket) => sockets.push(socket.url()));
    await second.goto(`${gateway.url}demo`);
    await chatOn(second).open();
    await shown(chatOn(second).message('back door'));
    await chatOn(second).write('Written in the second tab');
    for (const page of [ann.page, tab]) await shown(inboxOn(page).message('second tab', 'INBOUND'));
    for (const page of [visitor.page, second]) await shown(chatOn(page).message('second tab'));
    assert.deepEqual([...streams, ...sockets], []);
    // The tab that holds the connections goes away; the other takes over.
    await Promise.all([ann.page.close(), visitor.page.close()]);
    await inboxOn(tab).reply('Seen in both');
    await shown(chatOn(second).message('Seen in both'));
    await chatOn(second).write('Now from here');
    await shown(inboxOn(tab).message('Now from here', 'INBOUND'));
    TEXTS.push('second tab', 'Seen in both', 'Now from here');
    [ann.page, visitor.page] = [tab, second];
    Object.assign(desk, inboxOn(tab));
    Object.assign(chat, chatOn(second));
  });

  await step('the gateway is killed and comes back: nothing is lost, nothing comes twice', async () => {
    await desk.reply('Just before the cut');
    await chat.write('Me too');
    await shown(desk.message('Me too', 'INBOUND'));
    browser.away = true;
    await gateway.kill();
    await chat.banner.filter({ hasText: /Reconnecting/ }).waitFor();
    await ann.page.locator(`${T('banner')}:not([hidden])`).waitFor();
    await chat.write('Are you still there?');
    await visitor.page.locator('article[data-state=queued]', { hasText: 'still there' }).waitFor();
    await desk.reply('Written into the void');
    const lost = ann.page.locator(`${T('message-pending')}[data-status=failed]`, { hasText: 'into the void' });
    await lost.waitFor();
    await gateway.run();
    await chat.online();
    await shown(desk.message('still there', 'INBOUND'));
    await ann.page.waitForSelector(T('banner'), { state: 'hidden' });
    browser.away = false;
    await lost.locator(T('retry')).click();
    await shown(chat.message('into the void'));
    await shown(desk.message('into the void', 'OUTBOUND'));
    TEXTS.push('before the cut', 'Me too', 'still there', 'into the void');
    await everythingOnce();
    await ann.page.reload();
    await visitor.page.reload();
    await chat.open();
    await everythingOnce();
  });

  await step('declined work goes to the next free operator', async () => {
    const second = await visitorWrites('second visitor', 'Do you repair scooters?');
    await desk.offer('repair scooters').waitFor();
    await other.presence('ready');
    await desk.offer('repair scooters').locator(T('offer-decline')).click();
    await ann.page.click(T('decline-dialog-submit'));
    await gone(desk.offer('repair scooters'));
    await other.offer('repair scooters').locator(T('offer-accept')).click();
    await boris.page.waitForSelector(T('composer-text'));
    await other.reply('We do, bring it along.');
    await shown(second.chat.message('bring it along'));
    await second.context.close();
  });

  await step('a conversation is transferred with a note, and its history goes with it', async () => {
    await ann.page.click(T('act-transfer'));
    await ann.page.locator(`${T('transfer-dialog')} .choice`, { hasText: 'Boris Orlov' }).click();
    await ann.page.fill(`${T('transfer-dialog')} textarea`, 'He knows the Ridge best.');
    await ann.page.click(T('transfer-dialog-submit'));
    await other.offer('into the void').waitFor();
    await other.offer('into the void').locator(T('offer-accept')).click();
    await shown(other.message('knows the Ridge', 'NOTE'));
    await shown(other.message('Ridge in green', 'INBOUND'));
    await other.reply('Boris here, I have the green one.');
    await shown(chat.message('Boris here'));
    await shown(chat.message('Boris Orlov'));
    // A colleague's page knows whose it is now.
    await ann.page.locator(T('foot-take')).waitFor();
  });

  await step('a put-away conversation comes back when the visitor writes', async () => {
    await boris.page.click(T('act-snooze'));
    await boris.page
      .locator(`${T('snooze-dialog')} .preset`)
      .last()
      .click();
    await boris.page.waitForSelector('.strip');
    await chat.write('I am on my way');
    await boris.page.locator('.strip').waitFor({ state: 'hidden' });
    await shown(other.message('on my way', 'INBOUND'));
  });

  await step('a finished conversation can be opened again', async () => {
    await boris.page.click(T('act-finish'));
    await boris.page.click(T('finish-dialog-submit'));
    await boris.page.waitForFunction(() => location.hash === '#/');
    await boris.page.click(T('folder-ENDED'));
    await other.row('on my way').click();
    await boris.page.click(T('reopen'));
    await other.reply('One more thing: bring your helmet.');
    await shown(chat.message('bring your helmet'));
  });

  await step('a message is found by its words', async () => {
    await search(boris.page, 'catalogue');
    await boris.page.locator(T('search-hit'), { hasText: 'Our catalogue' }).first().click();
    await shown(other.message('Our catalogue', 'OUTBOUND'));
    await boris.page.click(T('folder-MINE'));
    await other.row('bring your helmet').click();
  });

  await step('a colleague joins, and they see each other write', async () => {
    await ann.page.click(T('folder-ALL_OPEN'));
    await desk.row('bring your helmet').click();
    await ann.page.waitForSelector(T('foot-take'));
    await ann.page.click(T('act-more'));
    await ann.page.click(T('menu-join'));
    await ann.page.waitForSelector(T('composer-text'));
    await boris.page.locator('.strip', { hasText: 'Ann Lee' }).waitFor();
    await ann.page.locator(T('composer-text')).pressSequentially('Shall I');
    await boris.page.locator(T('collision'), { hasText: 'Ann Lee' }).waitFor();
    await ann.page.fill(T('composer-text'), '');
    await desk.reply('Ann here as well.');
    await shown(chat.message('Ann here as well'));
    await ann.page.click(T('act-more'));
    await ann.page.click(T('menu-join'));
    await ann.page.waitForSelector(T('foot-take'));
  });

  await step('a blocked visitor reaches nobody until let in again', async () => {
    await other.presence('offline');
    const third = await visitorWrites('third visitor', 'Buy cheap watches');
    await desk.offer('cheap watches').locator(T('offer-accept')).click();
    await ann.page.waitForSelector(T('composer-text'));
    await ann.page.click(T('block'));
    await ann.page.click(T('block-dialog-submit'));
    await ann.page.waitForSelector(T('unblock'));
    await third.chat.write('Very cheap');
    await third.page.locator('article[data-state=sent]', { hasText: 'Very cheap' }).waitFor();
    await ann.page.reload();
    await ann.page.click(T('unblock'));
    await ann.page.waitForSelector(T('block'));
    await third.chat.write('Sorry about that');
    await shown(desk.message('Sorry about that', 'INBOUND'));
    assert.equal(await desk.message('Very cheap').count(), 0);
    await third.context.close();
  });

  await step('both pages speak Russian when asked', async () => {
    await ann.page.click(T('settings'));
    await ann.page.click(T('language-ru'));
    await ann.page.locator(T('folder-MINE'), { hasText: 'Мои' }).waitFor();
    assert.equal(await ann.page.getAttribute('html', 'lang'), 'ru');
    await ann.page.getByRole('button', { name: 'Отправить' }).waitFor();
    await visitor.page.click('button[data-lang=ru]');
    await chat.panel.getByRole('heading', { name: 'Напишите нам' }).waitFor();
    await chat.write('Спасибо!');
    await shown(chat.message('Спасибо!'));
  });

  await step('both pages work at the width of a phone', async () => {
    for (const page of [ann.page, visitor.page]) await page.setViewportSize({ width: 390, height: 780 });
    await ann.page.click(T('back'));
    await desk.row('Sorry about that').click();
    await desk.reply('С телефона');
    await shown(desk.message('С телефона', 'OUTBOUND'));
    for (const page of [ann.page, visitor.page]) {
      const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= screen, `${wide} px on a screen of ${screen}`);
    }
    const box = await chat.panel.boundingBox();
    assert.ok(box && box.width === 390, 'the chat takes the whole screen');
  });

  await step('no page complained: the policy is strict, and nothing needs more', async () => {
    // What the browser itself says of the refusals: nobody was signed in, and one password was wrong.
    assert.deepEqual(browser.complaints(/ 401 .*(GetMe|Login)/), []);
  });
});
