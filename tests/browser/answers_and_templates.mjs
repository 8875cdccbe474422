// Answers that a client gives by a press, and templates that the provider has approved, with the window open and closed.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { unsound } from './support/axe.mjs';
import { PASSWORD, T, gone, inboxOn, openBrowser, setUp, shown } from './support/browser.mjs';
import { Gateway } from './support/gateway.mjs';
import { story } from './support/steps.mjs';
import { WhatsApp } from './support/whatsapp.mjs';

const CONFIG = `
[[queue]]
id = "main"
name = "Sales"
`;
const ANNA = '79161234567';
const VERA = '79167654321';
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const SIZE = { width: 1440, height: 900 };

/** @param {string} name @param {object[]} components @param {object} [more] */
const template = (name, components, more) => ({
  name,
  status: 'APPROVED',
  language: 'en_US',
  category: 'UTILITY',
  components,
  ...more,
});

const whatsapp = await WhatsApp.start();
whatsapp.templates = [
  template('delivery_tomorrow', [
    { type: 'HEADER', format: 'TEXT', text: 'Order {{1}}', example: { header_text: ['1024'] } },
    {
      type: 'BODY',
      text: 'Hello {{first_name}}! Your order comes tomorrow between {{from_hour}} and {{to_hour}}. Is that all right?',
      example: {
        body_text_named_params: [
          { param_name: 'first_name', example: 'Anna' },
          { param_name: 'from_hour', example: '10' },
          { param_name: 'to_hour', example: '12' },
        ],
      },
    },
    { type: 'FOOTER', text: 'Northern Trail, the shop for long walks' },
    { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Yes' }, { type: 'QUICK_REPLY', text: 'Another time' }] },
  ]),
  template('order_ready', [{ type: 'BODY', text: 'Заказ {{1}} готов, {{2}}. Ждём вас!', example: { body_text: [['17', 'Анна']] } }], {
    language: 'ru',
  }),
  template(
    'autumn_boots',
    [
      { type: 'HEADER', format: 'IMAGE' },
      { type: 'BODY', text: 'The autumn boots are here: waterproof, and lighter than last year’s.' },
      { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Look at them', url: 'https://shop.example/boots' }] },
    ],
    { category: 'MARKETING' },
  ),
  template('rejected', [{ type: 'BODY', text: 'Nobody may read this' }], { status: 'REJECTED' }),
];
whatsapp.failures = 1;
const gateway = await Gateway.start(CONFIG + whatsapp.line());
const browser = await openBrowser();
const ann = await browser.person('Ann', { viewport: SIZE, colorScheme: 'light' });
const russian = await browser.person('Ann in Russian', { viewport: SIZE, locale: 'ru-RU', colorScheme: 'dark' });
const { page } = ann;
const desk = inboxOn(page);
const chips = page.locator(T('answer-chip'));
const choices = page.locator(T('template-choice'));
const values = page.locator(T('template-value'));
const preview = page.locator(T('template-preview'));
const stage = {
  pages: () => browser.pages(),
  close: async () => {
    await browser.close();
    await gateway.stop();
    whatsapp.close();
  },
};

/** A picture for people to look at. @param {string} name @param {import('playwright-core').Page} [of] */
async function picture(name, of = page) {
  const folder = process.env.SHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await of.screenshot({ path: join(folder, `answers ${name}.png`.replaceAll(/[^\w.]+/g, '-')), animations: 'disabled' });
}

/** The same on a phone, in light. @param {string} name @param {import('playwright-core').Page} [of] */
async function onPhone(name, of = page) {
  const size = of.viewportSize();
  await of.setViewportSize({ width: 390, height: 844 });
  assert.deepEqual(await unsound(of), []);
  await picture(`${name} phone`, of);
  await of.setViewportSize(size ?? SIZE);
}

/** @param {string} label */
async function offers(label) {
  await page.fill(T('answer-input'), label);
  await page.press(T('answer-input'), 'Enter');
}

/** Fills what is asked for. @param {import('playwright-core').Page} on @param {string[]} words */
async function fillIn(on, words) {
  for (const [index, text] of words.entries()) await on.locator(T('template-value')).nth(index).fill(text);
}

await story('answers and templates', stage, async (step) => {
  await step('a client writes', async () => {
    await setUp(page, gateway.setUpLink, 'Ann Lee');
    await desk.presence('ready');
    await whatsapp.says(gateway.url, ANNA, { type: 'text', text: { body: 'When does my order come?' } });
    await desk.offer('When does my order come?').locator(T('offer-accept')).click();
    await page.waitForSelector(T('composer-text'));
  });

  await step('answers are typed one by one, short, each once, and only with words above', async () => {
    await page.click(T('offer-answers'));
    await page.waitForFunction((input) => document.activeElement === document.querySelector(input), T('answer-input'));
    for (const label of ['Tomorrow', 'On  Friday ', 'Never']) await offers(label);
    assert.deepEqual(await chips.allInnerTexts(), ['Tomorrow', 'On Friday', 'Never']);
    const said = page.locator(T('answers-said'));
    await said.filter({ hasText: 'Write a message' }).waitFor();
    assert.ok(await page.locator(T('send')).isDisabled());
    await offers('Tomorrow');
    await said.filter({ hasText: '“Tomorrow” is there already' }).waitFor();
    await offers('a day that nobody can remember');
    await said.filter({ hasText: 'at most 20 characters' }).waitFor();
    await shown(chips, 3);
    await page.fill(T('answer-input'), '');
    await page.press(T('answer-input'), 'Backspace');
    await shown(chips, 2);
    await chips.filter({ hasText: 'Tomorrow' }).locator(T('answer-remove')).click();
    await shown(chips, 1);
    for (const label of ['Tomorrow', ...'abcdefgh', 'eleventh']) await offers(label);
    await said.filter({ hasText: 'At most 10 answers' }).waitFor();
    await shown(chips, 10);
    await page.click(T('answers-close'));
    await gone(chips);
  });

  await step('they are dropped with a note', async () => {
    await page.click(T('offer-answers'));
    await offers('Tomorrow');
    await page.click(T('mode-note'));
    await gone(page.locator(T('answers')));
    assert.ok(await page.locator(T('offer-answers')).isHidden());
    assert.ok(await page.locator(T('send-template')).isHidden());
    await page.click(T('mode-reply'));
    assert.ok(await page.locator(T('answers')).isHidden());
  });

  await step('they go with the words, one that is still being typed as well, and stand below them', async () => {
    await page.fill(T('composer-text'), 'Which day suits you for the delivery?');
    await page.click(T('offer-answers'));
    for (const label of ['Tomorrow', 'On Friday']) await offers(label);
    await page.fill(T('answer-input'), 'Call me, please');
    await picture('chips');
    assert.deepEqual(await unsound(page), []);
    await onPhone('chips');
    const got = whatsapp.next();
    await page.focus(T('composer-text'));
    await page.keyboard.press('Control+Enter');
    const { type, interactive } = await got;
    assert.equal(type, 'interactive');
    assert.equal(interactive.body.text, 'Which day suits you for the delivery?');
    const titles = interactive.action.buttons.map((/** @type {any} */ { reply }) => reply.title);
    assert.deepEqual(titles, ['Tomorrow', 'On Friday', 'Call me, please']);
    const bubble = desk.message('Which day suits you', 'OUTBOUND');
    await shown(bubble.locator(`${T('pills')} li`), titles.length);
    for (const title of titles) await shown(bubble.locator(`${T('pills')} li`, { hasText: title }));
    await gone(chips);
    assert.equal(await page.inputValue(T('composer-text')), '');

    const { id } = interactive.action.buttons[1].reply;
    const reply = { type: 'button_reply', button_reply: { id, title: 'On Friday' } };
    await whatsapp.says(gateway.url, ANNA, { type: 'interactive', interactive: reply });
    await shown(desk.message('On Friday', 'INBOUND'));
    await picture('bubble');
    await onPhone('bubble');
  });

  await step('what does not go stands there with its answers, and can be taken back or sent again', async () => {
    browser.away = true;
    await page.route('**/*.Inbox/SendMessage', (route) => route.abort('internetdisconnected'));
    await page.fill(T('composer-text'), 'Morning or evening?');
    await page.click(T('offer-answers'));
    for (const label of ['Morning', 'Evening']) await offers(label);
    const pending = page.locator(`${T('message-pending')}[data-status=failed]`);
    await page.click(T('send'));
    await shown(pending.locator(`${T('pills')} li`), 2);
    await pending.getByRole('button', { name: 'Discard' }).click();
    await gone(pending);
    assert.equal(await page.inputValue(T('composer-text')), 'Morning or evening?');
    assert.deepEqual(await chips.allInnerTexts(), ['Morning', 'Evening']);
    await page.click(T('send'));
    await pending.waitFor();
    await page.unroute('**/*.Inbox/SendMessage');
    browser.away = false;
    const got = whatsapp.next();
    await pending.locator(T('retry')).click();
    assert.equal((await got).interactive.action.buttons.length, 2);
    await gone(pending);
    await shown(desk.message('Morning or evening?', 'OUTBOUND').locator(`${T('pills')} li`), 2);
  });

  await step('a provider that does not tell its templates is asked again', async () => {
    await page.fill(T('composer-text'), 'something begun');
    await page.click(T('send-template'));
    const dialog = page.locator(T('template-dialog'));
    await dialog.getByText('does not tell its templates').waitFor();
    await picture('dialog error');
    await dialog.getByRole('button', { name: 'Retry' }).click();
    await shown(choices, 3);
    await picture('dialog list');
    assert.deepEqual(await unsound(page), []);
    await onPhone('dialog list');
  });

  await step('a template is found, filled under the eyes, and sent', async () => {
    await page.fill(T('template-search'), 'nothing of the kind');
    await page.getByText('No template has these words').waitFor();
    await page.fill(T('template-search'), 'вудшмукн');
    await shown(choices.filter({ hasText: 'delivery_tomorrow' }));
    await page.press(T('template-search'), 'Enter');
    await shown(values, 4);
    assert.deepEqual(await page.locator(`${T('template-dialog')} label`).allInnerTexts(), [
      'Variable 1 (header)',
      'First name',
      'From hour',
      'To hour',
    ]);
    const submit = page.locator(T('template-submit'));
    await fillIn(page, ['42', 'Anna', '10']);
    assert.ok(await submit.isDisabled());
    await picture('dialog form');
    assert.deepEqual(await unsound(page), []);
    await onPhone('dialog form');
    await fillIn(page, ['42', 'Anna', '10', ' 12 ']);
    const words = 'Order 42\nHello Anna! Your order comes tomorrow between 10 and 12. Is that all right?\nNorthern Trail, the shop for long walks';
    assert.equal(await preview.locator('.text').innerText(), words);
    assert.deepEqual(await preview.locator('li').allInnerTexts(), ['Yes', 'Another time']);
    const got = whatsapp.next();
    await submit.click();
    const sent = await got;
    assert.equal(sent.type, 'template');
    assert.deepEqual([sent.template.name, sent.template.language.code], ['delivery_tomorrow', 'en_US']);
    await gone(page.locator(T('template-dialog')));
    const bubble = desk.message('Your order comes tomorrow between 10 and 12', 'OUTBOUND');
    await shown(bubble.locator(T('pills')));
    assert.equal(await bubble.locator('.text').innerText(), words);
    assert.equal(await page.inputValue(T('composer-text')), 'something begun', 'what was being written stays');
    await picture('bubble of a template');
  });

  await step('who has been silent for long is written to by a template alone', async () => {
    // It was held up on its way for two days.
    await whatsapp.says(gateway.url, VERA, { type: 'text', text: { body: 'Do you have boots?' } }, 48);
    await desk.offer('Do you have boots?').locator(T('offer-accept')).click();
    const notice = page.locator(T('composer-notice'));
    await notice.filter({ hasText: 'lets only approved templates through' }).waitFor();
    await page.fill(T('composer-text'), 'We have');
    assert.ok(await page.locator(T('send')).isDisabled());
    await picture('closed window');
    await onPhone('closed window');
    await page.click(T('choose-template'));
    await choices.filter({ hasText: 'autumn_boots' }).click();
    const submit = page.locator(T('template-submit'));
    assert.ok(await submit.isDisabled());
    await page.setInputFiles(T('template-file'), { name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('words') });
    await page.locator(T('template-error'), { hasText: 'note.txt' }).waitFor();
    assert.ok(await submit.isDisabled());
    await page.setInputFiles(T('template-file'), { name: 'boots.png', mimeType: 'image/png', buffer: PNG });
    await gone(page.locator(T('template-error')));
    await page.waitForFunction((button) => !(/** @type {any} */ (document.querySelector(button)).disabled), T('template-submit'));
    await picture('dialog file');
    assert.deepEqual(await unsound(page), []);
    const got = whatsapp.next();
    await submit.click();
    const { to, template: sent } = await got;
    assert.equal(to, VERA);
    assert.equal(sent.components[0].parameters[0].image.id, '1003383421');
    await shown(desk.message('The autumn boots are here', 'OUTBOUND'));
  });

  await step('by the keyboard alone, from the palette, in Russian', async () => {
    await russian.page.goto(gateway.url);
    await inboxOn(russian.page).signIn('ann', PASSWORD);
    await inboxOn(russian.page).row('The autumn boots').click();
    await russian.page.getByText('Выбрать шаблон').waitFor();
    await picture('closed window russian', russian.page);
    const { keyboard } = russian.page;
    await keyboard.press('Control+KeyK');
    await keyboard.type('одобренный');
    await keyboard.press('Enter');
    await shown(russian.page.locator(T('template-choice')), 3);
    await picture('dialog list russian', russian.page);
    for (const key of ['ArrowDown', 'ArrowDown', 'Enter']) await keyboard.press(key);
    await russian.page.getByLabel('Переменная 1').waitFor();
    await keyboard.type('99');
    await keyboard.press('Enter');
    await picture('dialog form russian', russian.page);
    assert.deepEqual(await unsound(russian.page), []);
    await keyboard.type('Вера');
    const got = whatsapp.next();
    await keyboard.press('Enter');
    assert.equal((await got).template.name, 'order_ready');
    await shown(inboxOn(russian.page).message('Заказ 99 готов, Вера. Ждём вас!', 'OUTBOUND'));
    await keyboard.press('Control+KeyK');
    await keyboard.type('варианты');
    await keyboard.press('Enter');
    await keyboard.type('Завтра');
    await keyboard.press('Enter');
    await keyboard.type('В пятницу');
    await keyboard.press('Enter');
    await keyboard.press('Enter');
    assert.ok(await russian.page.locator(T('composer-text')).evaluate((node) => node === document.activeElement));
    await picture('chips russian', russian.page);
  });

  await step('Esc leaves the dialog, and the focus goes back to where it was', async () => {
    await page.focus(T('send-template'));
    await page.keyboard.press('Enter');
    await shown(choices, 3);
    await page.keyboard.press('Escape');
    await gone(page.locator(T('template-dialog')));
    assert.ok(await page.locator(T('send-template')).evaluate((node) => node === document.activeElement));
  });

  await step('no page complained', async () => {
    assert.deepEqual(browser.complaints(/ 401 .*GetMe| 400 .*ListTemplates| 412 .*ListTemplates/), []);
  });
});
