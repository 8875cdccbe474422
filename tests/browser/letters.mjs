// Letters: what an operator sees of one, its original view, and what goes out in answer.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { unsound } from './support/axe.mjs';
import { T, gone, inboxOn, openBrowser, setUp, shown } from './support/browser.mjs';
import { Elsewhere } from './support/elsewhere.mjs';
import { Gateway } from './support/gateway.mjs';
import { Mail, SUPPORT, encoded, letter, part, parts } from './support/mail.mjs';
import { story } from './support/steps.mjs';

const CONFIG = `
[[queue]]
id = "main"
name = "Sales"
`;
const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const LOOKS = /** @type {const} */ ([
  { name: 'en light desk', locale: 'en-GB', colorScheme: 'light', viewport: DESK },
  { name: 'ru dark desk', locale: 'ru-RU', colorScheme: 'dark', viewport: DESK },
  { name: 'ru light phone', locale: 'ru-RU', colorScheme: 'light', viewport: PHONE },
  { name: 'en dark phone', locale: 'en-GB', colorScheme: 'dark', viewport: PHONE },
]);
const ANNA = 'anna@client.test';
const DOT = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

const mail = await Mail.start();
const elsewhere = await Elsewhere.start();
const gateway = await Gateway.start(CONFIG + mail.line());
const browser = await openBrowser();
const ann = await browser.person('Ann');
const desk = inboxOn(ann.page);
const stage = {
  pages: () => browser.pages(),
  close: async () => {
    await browser.close();
    await gateway.stop();
    await mail.close();
    await elsewhere.close();
  },
};
const thread = ann.page.locator(T('message'));
const dialog = ann.page.locator(T('mail-dialog'));
const frame = ann.page.frameLocator(T('letter-frame'));

/** The question, as a shop's newsletter would be laid out. */
function question() {
  const plain = [
    'Здравствуйте! The invoice names the old address.',
    'Could you send a new one?',
    '',
    '-- ',
    'Anna Sokolova, Client Ltd',
    '',
    '> On Monday the shop wrote:',
    '> Your invoice is attached.',
  ].join('\n');
  const html =
    '<h2>Здравствуйте!</h2><p>The invoice names the <b>old</b> address.</p><p>Could you send a new one?</p>' +
    '<p><img src="cid:logo@client.test" alt="Our logo" width="40" height="40"></p>' +
    `<p><img src="${elsewhere.url}open.gif" alt="A banner"></p>` +
    '<table><tr><th>Item</th><th>Price</th></tr><tr><td>Ridge</td><td>12 900 ₽</td></tr></table>' +
    '<blockquote>Your invoice is attached.</blockquote>';
  const body = parts('mixed', [
    parts('related', [
      parts('alternative', [part('text/plain; charset=utf-8', plain), part('text/html; charset=utf-8', html)]),
      part('image/png; name="logo.png"', DOT, ['Content-ID: <logo@client.test>', 'Content-Disposition: inline; filename="logo.png"']),
    ]),
    part('application/pdf', '%PDF-1.4 an old invoice', [
      `Content-Disposition: attachment; filename*=utf-8''${encodeURIComponent('Счёт № 4512.pdf')}`,
    ]),
  ]);
  return letter(
    {
      From: `${encoded('Анна Соколова')} <${ANNA}>`,
      To: `Shop <${SUPPORT}>, Boss <boss@client.test>`,
      Cc: `"Law, Ltd" <law@client.test>, ${SUPPORT}`,
      Subject: encoded('Счёт № 4512: the address'),
      'Message-ID': '<1@client.test>',
    },
    body,
  );
}

/** Acts on a letter as the menu offers it. @param {string} text @param {string} act */
async function act(text, act) {
  const one = thread.filter({ hasText: text }).first();
  await one.hover();
  await one.locator(T('message-more')).click();
  await ann.page.click(T(`letter-${act}`));
  await ann.page.waitForSelector(`${T('letter-fields')}:not([hidden])`);
}

/** What the fields above the composer say. */
async function fields() {
  const values = ['letter-to', 'letter-cc', 'letter-subject'].map((id) => ann.page.inputValue(T(id)));
  const [to, cc, subject] = await Promise.all(values);
  return { to, cc, subject };
}

/** Sends what is written, and waits for what the mail server gets. @param {string} text */
async function send(text) {
  const next = mail.next();
  await ann.page.fill(T('composer-text'), text);
  await ann.page.press(T('composer-text'), 'Control+Enter');
  const sent = await next;
  await gone(ann.page.locator(`${T('letter-fields')}:not([hidden])`));
  return sent;
}

/** The words of a letter that went out, without how they travelled. @param {{ raw: string }} sent */
function words({ raw }) {
  const parts = raw.split(/\r\n\r\n/);
  return parts
    .map((one, at) => {
      const before = parts[at - 1] ?? '';
      if (/transfer-encoding: base64/i.test(before.split('\r\n--').at(-1) ?? '')) return Buffer.from(one.split('\r\n--')[0], 'base64').toString();
      return Buffer.from(one.replaceAll(/=\r\n/g, '').replaceAll(/=([\dA-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1').toString();
    })
    .join('\n\n');
}

/** The addresses in a field. @param {string | undefined} field */
const addresses = (field) => (field ?? '').match(/[\w.+-]+@[\w.-]+/g) ?? [];

await story('letters', stage, async (step) => {
  await step('a letter comes, and is offered by its subject and words', async () => {
    await setUp(ann.page, gateway.setUpLink, 'Ann Lee');
    await desk.presence('ready');
    mail.deliver(question());
    await desk.offer('Анна Соколова').locator(T('offer-accept')).click();
    await shown(thread);
  });

  await step('who wrote to whom about what, and what to know before believing it', async () => {
    const head = thread.locator(T('letter-head'));
    assert.equal(await head.locator('.letter-subject').innerText(), 'Счёт № 4512: the address');
    const rows = await head.locator('.letter-rows > div').evaluateAll((all) => all.map((row) => row.textContent));
    assert.deepEqual(rows, [
      `FromАнна Соколова <${ANNA}>`,
      `ToShop <${SUPPORT}>, Boss <boss@client.test>`,
      `Copy"Law, Ltd" <law@client.test>, ${SUPPORT}`,
    ]);
    await shown(head.locator('[data-warning=UNVERIFIED]'));
    await shown(thread.locator(T('attachment'), { hasText: 'Счёт № 4512.pdf' }));
  });

  await step('the new words first, the whole letter on request', async () => {
    const text = thread.locator('.text');
    assert.match(await text.innerText(), /Could you send a new one\?$/);
    await ann.page.click(T('letter-whole'));
    assert.match(await text.innerText(), /Anna Sokolova, Client Ltd[^]*Your invoice is attached/);
    await ann.page.click(T('letter-whole'));
    assert.doesNotMatch(await text.innerText(), /Your invoice is attached/);
  });

  await step('as it was written, with its own pictures; others only when asked for', async () => {
    await ann.page.click(T('letter-original'));
    await frame.getByRole('heading', { name: 'Здравствуйте!' }).waitFor();
    await frame.getByRole('cell', { name: '12 900 ₽' }).waitFor();
    const width = (/** @type {string} */ alt) =>
      frame.getByAltText(alt).evaluate((img) => /** @type {HTMLImageElement} */ (img).naturalWidth);
    assert.equal(await width('Our logo'), 1, 'its own picture is there');
    assert.equal(await width('A banner'), 0);
    assert.deepEqual(elsewhere.hits, []);
    assert.equal(elsewhere.connections, 0, 'nobody was told that it was opened');
    await ann.page.click(T('letter-pictures'));
    await ann.page.waitForFunction(
      (id) => /** @type {HTMLIFrameElement} */ (document.querySelector(id)).src.endsWith('?pictures=true'),
      T('letter-frame'),
    );
    await frame.locator('img[alt="A banner"][src]').waitFor();
    await frame.getByAltText('A banner').evaluate((img) => /** @type {HTMLImageElement} */ (img).decode());
    assert.equal(await width('A banner'), 1);
    assert.ok(elsewhere.hits.length > 0);
    for (const hit of elsewhere.hits) assert.deepEqual(hit, { path: '/open.gif', kind: 'image', cookie: '', referer: '' });
    await ann.page.keyboard.press('Escape');
    await gone(dialog);
    const before = elsewhere.hits.length;
    await ann.page.click(T('letter-original'));
    await frame.getByRole('heading', { name: 'Здравствуйте!' }).waitFor();
    assert.equal(elsewhere.hits.length, before, 'it is asked for each time');
    await ann.page.keyboard.press('Escape');
    await gone(dialog);
  });

  await step('a plain answer goes to the client, in the thread', async () => {
    const next = mail.next();
    await desk.reply('We are looking into it.');
    const { from, to, head, raw } = await next;
    assert.deepEqual([from.split('@')[1], to], ['shop.test', [ANNA]]);
    assert.deepEqual(addresses(head.from), [SUPPORT]);
    assert.equal(head['in-reply-to'], '<1@client.test>');
    assert.equal(head.references, '<1@client.test>');
    assert.match(words({ raw }), /We are looking into it\./);
    await thread.filter({ hasText: 'looking into it' }).and(ann.page.locator('[data-delivery=SENT]')).waitFor();
  });

  await step('an answer with a subject of its own', async () => {
    await act('names the old address', 'reply');
    assert.deepEqual(await fields(), { to: `Анна Соколова <${ANNA}>`, cc: '', subject: 'Re: Счёт № 4512: the address' });
    await ann.page.fill(T('letter-subject'), 'Your new invoice');
    await ann.page.fill(T('letter-cc'), 'Books <books@shop.test>');
    const { to, head } = await send('It will come today.');
    assert.deepEqual(to.sort(), [ANNA, 'books@shop.test']);
    assert.deepEqual([addresses(head.to), addresses(head.cc)], [[ANNA], ['books@shop.test']]);
    assert.equal(head.subject, 'Your new invoice');
    assert.match(head.references, /^<1@client\.test>/);
    assert.equal(await ann.page.locator(T('letter-head')).last().locator('.letter-subject').innerText(), 'Your new invoice');
  });

  await step('an answer to all goes to all but us', async () => {
    await act('names the old address', 'replyAll');
    assert.deepEqual(await fields(), {
      to: `Анна Соколова <${ANNA}>`,
      cc: 'Boss <boss@client.test>, "Law, Ltd" <law@client.test>',
      subject: 'Re: Счёт № 4512: the address',
    });
    const { to, head } = await send('Here it is.');
    assert.deepEqual(to.sort(), [ANNA, 'boss@client.test', 'law@client.test']);
    assert.deepEqual(addresses(head.cc), ['boss@client.test', 'law@client.test']);
    assert.match(head['in-reply-to'], /^<1@client\.test>$/);
  });

  await step('a letter is passed on, with its files', async () => {
    await act('names the old address', 'forward');
    assert.deepEqual(await fields(), { to: '', cc: '', subject: 'Fwd: Счёт № 4512: the address' });
    const passed = await ann.page.inputValue(T('composer-text'));
    assert.match(passed, /Forwarded letter[^]*From: Анна Соколова <anna@client\.test>[^]*names the old address/);
    assert.ok(await ann.page.locator(T('send')).isDisabled(), 'it goes to nobody yet');
    await ann.page.fill(T('letter-to'), 'depot@shop.test');
    const sent = await send(`Please look.${passed}`);
    assert.deepEqual(sent.to, ['depot@shop.test']);
    assert.doesNotMatch(`${sent.head.to} ${sent.head.cc ?? ''}`, /client\.test/);
    assert.match(words(sent), /Please look\.[^]*names the old address/);
    assert.match(sent.raw, /application\/pdf/);
  });

  await step('an answer finds the conversation', async () => {
    const reference = mail.sent[0].head['message-id'];
    const head = { From: ANNA, To: SUPPORT, Subject: 'Re: Счёт', 'Message-ID': '<2@client.test>', References: reference };
    mail.deliver(letter(head, part('text/plain', 'Got it, thank you.')));
    await shown(thread.filter({ hasText: 'Got it, thank you.' }));
    await shown(ann.page.locator(T('conversation-row')));
  });

  for (const one of LOOKS) {
    await step(`how it looks: ${one.name}`, async () => {
      const { context, page } = await browser.person(one.name, {
        ...one,
        reducedMotion: 'reduce',
        storageState: await ann.context.storageState(),
      });
      await page.goto(ann.page.url());
      const letters = page.locator(T('message'));
      const faults = [];
      await letters.locator(T('letter-head')).first().scrollIntoViewIfNeeded();
      faults.push(...(await look(page, 'a letter', one.name)));
      await letters.first().locator(T('letter-original')).click();
      await page.frameLocator(T('letter-frame')).locator('h2').waitFor();
      faults.push(...(await look(page, 'its original', one.name)));
      await page.keyboard.press('Escape');
      await gone(page.locator(T('mail-dialog')));
      await letters.first().hover();
      await letters.first().locator(T('message-more')).click();
      faults.push(...(await look(page, 'what can be done with it', one.name)));
      await page.click(T('letter-replyAll'));
      await page.fill(T('composer-text'), 'Here it is.');
      faults.push(...(await look(page, 'an answer to all', one.name)));
      await page.fill(T('composer-text'), '');
      await context.close();
      assert.deepEqual(faults, []);
    });
  }

  await step('no page complained', async () => assert.deepEqual(browser.complaints(), []));
});

/** @param {import('playwright-core').Page} page @param {string} name @param {string} look */
async function look(page, name, look) {
  const folder = process.env.SHOTS;
  if (folder) {
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `letters ${look} ${name}.png`.replaceAll(/[^\w.]+/g, '-')) });
  }
  return (await unsound(page)).map((fault) => `${look}, ${name}: ${fault}`);
}
