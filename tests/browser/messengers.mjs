// A client of each messenger writes and is answered from the real inbox, and their receipts, hearts and pictures are seen.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { PASSWORD, T, inboxOn, openBrowser, setUp, shown } from './support/browser.mjs';
import { Gateway } from './support/gateway.mjs';
import { Messengers } from './support/messengers.mjs';
import { story } from './support/steps.mjs';

// One operator has room for everybody.
const CONFIG = `
[capacity]
cost = { messenger = 5 }

[[queue]]
id = "main"
name = "Sales"

`;
const SIZE = { width: 1440, height: 900 };
/** What a messenger may tell of a message that it was given, and what is then seen. */
const RECEIPTS = /** @type {const} */ ([
  ['gets', 'DELIVERED', 'Delivered'],
  ['reads', 'READ', 'Read'],
]);
/**
 * Each messenger, what is said on it, and what else it tells.
 * @type {{ kind: string, name: string, client: string, about?: string, asks: string, answer: string, tells: string[] }[]}
 */
const TALKS = [
  {
    kind: 'avito',
    name: 'Avito',
    client: 'Анна',
    about: 'Mazda 3 2008 · 300 000 ₽',
    asks: 'Здравствуйте! Машина ещё продаётся?',
    answer: 'Да, приезжайте посмотреть в субботу.',
    tells: [],
  },
  {
    kind: 'instagram',
    name: 'Instagram',
    client: 'Анна',
    asks: 'Is the green jacket still in stock?',
    answer: 'Yes, in S and M. Shall I keep one for you?',
    tells: ['reads', 'likes'],
  },
  {
    kind: 'max',
    name: 'MAX',
    client: 'Анна Иванова',
    asks: 'Подскажите, до скольких вы сегодня?',
    answer: 'Сегодня до девяти вечера.',
    tells: [],
  },
  {
    kind: 'messenger',
    name: 'Messenger',
    client: 'Анна Петрова',
    asks: 'Do you ship to Norway?',
    answer: 'We do: it takes five days, and from 80 euros on it is free.',
    tells: ['gets', 'reads', 'likes'],
  },
  {
    kind: 'ok',
    name: 'Odnoklassniki',
    client: 'Анна Иванова',
    asks: 'Можно вернуть сапоги без чека?',
    answer: 'Можно, нужна только карта, которой вы платили.',
    tells: [],
  },
  {
    kind: 'telegram',
    name: 'Telegram',
    client: 'Client 90071992547409',
    asks: 'Молния на рюкзаке разошлась. Почините?',
    answer: 'Починим. Пришлите, пожалуйста, фотографии.',
    tells: ['likes'],
  },
  {
    kind: 'viber',
    name: 'Viber',
    client: 'Client 0',
    asks: 'Есть ли у вас подарочные карты?',
    answer: 'Есть, от тысячи рублей.',
    tells: ['gets', 'reads'],
  },
  {
    kind: 'vk',
    name: 'VK',
    client: 'Анна Иванова',
    asks: 'Когда приедет заказ 1024?',
    answer: 'Завтра с десяти до двенадцати.',
    tells: ['reads', 'likes'],
  },
  {
    kind: 'whatsapp',
    name: 'WhatsApp',
    client: 'Client 79161',
    asks: 'Which tent is the lightest?',
    answer: 'The Ridge: 1.4 kg with its pegs.',
    tells: ['gets', 'reads', 'likes'],
  },
];

const messengers = await Messengers.start();
const gateway = await Gateway.start(CONFIG + messengers.config);
messengers.gateway = gateway.url;
const browser = await openBrowser();
const ann = await browser.person('Ann', { viewport: SIZE, colorScheme: 'light' });
const russian = await browser.person('Ann in Russian', { viewport: SIZE, locale: 'ru-RU', colorScheme: 'dark' });
const { page } = ann;
const desk = inboxOn(page);
const stage = {
  pages: () => browser.pages(),
  close: async () => {
    await browser.close();
    await gateway.stop();
    messengers.close();
  },
};

/** A picture for people to look at. @param {string} name @param {import('playwright-core').Page} [of] */
async function picture(name, of = page) {
  const folder = process.env.SHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await of.mouse.move(0, 0);
  await of.screenshot({ path: join(folder, `messengers ${name}.png`.replaceAll(/[^\w.]+/g, '-')), animations: 'disabled' });
}

/** The conversation as it is in both languages, in light and dark, and on a phone. @param {string} name */
async function everywhere(name) {
  if (!process.env.SHOTS) return;
  await picture(name);
  const id = await page.locator(`${T('conversation-row')}[aria-current]`).getAttribute('data-conversation');
  await russian.page.click(`[data-conversation="${id}"]`);
  await areDrawn(russian.page.locator(`${T('message')}[data-direction=INBOUND]`), 2);
  await picture(`${name} russian`, russian.page);
  await page.setViewportSize({ width: 390, height: 844 });
  await picture(`${name} phone`);
  await page.setViewportSize(SIZE);
}

/** A photograph of hills under a sky of this hue, in Base64. @param {number} hue @returns {Promise<string>} */
function photograph(hue) {
  return page.evaluate((of) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
    const draw = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const sky = draw.createLinearGradient(0, 0, 0, 480);
    sky.addColorStop(0, `hsl(${of} 60% 55%)`);
    sky.addColorStop(1, `hsl(${of + 40} 80% 85%)`);
    draw.fillStyle = sky;
    draw.fillRect(0, 0, 640, 480);
    for (const [depth, height] of [140, 200, 280].entries()) {
      draw.fillStyle = `hsl(${of + 90} 30% ${48 - depth * 14}%)`;
      draw.beginPath();
      draw.moveTo(0, 480);
      for (let x = 0; x <= 640; x += 20) draw.lineTo(x, height + 60 * Math.sin(x / (70 + depth * 30) + depth * 2) + depth * 30);
      draw.lineTo(640, 480);
      draw.fill();
    }
    return canvas.toDataURL('image/png').split(',')[1];
  }, hue);
}

/** Takes who wrote this, by the keyboard; answers the offer's words. @param {string} text */
async function takes(text) {
  const offer = desk.offer(text);
  await offer.waitFor();
  const told = await offer.innerText();
  await page.keyboard.press('Alt+KeyA');
  await desk.message(text, 'INBOUND').waitFor();
  return told;
}

/** Types an answer and sends it, by the keyboard. @param {string} text */
async function answers(text) {
  await page.keyboard.press('KeyR');
  await page.waitForFunction((box) => document.activeElement === document.querySelector(box), T('composer-text'));
  await page.keyboard.type(text);
  await page.keyboard.press('Control+Enter');
}

/** Waits until a bubble is marked so. @param {string} text @param {string} state @param {string} word */
async function isMarked(text, state, word) {
  const bubble = page.locator(`${T('message')}[data-delivery=${state}]`, { hasText: text });
  await shown(bubble);
  await shown(bubble.getByRole('img', { name: word, exact: true }));
}

/** Waits until all pictures of a message are drawn. @param {import('playwright-core').Locator} bubble @param {number} count */
async function areDrawn(bubble, count) {
  const images = bubble.locator(`${T('attachment')} img`);
  await images.nth(count - 1).waitFor();
  await shown(images, count);
  for (const image of await images.all()) {
    await image.evaluate((/** @type {HTMLImageElement} */ one) => one.decode());
    assert.equal(await image.evaluate((/** @type {HTMLImageElement} */ one) => one.naturalWidth), 640);
  }
}

await story('messengers', stage, async (step) => {
  await step('every line is up', async () => {
    await setUp(page, gateway.setUpLink, 'Ann Lee');
    await desk.presence('ready');
    for (const { kind } of TALKS) await messengers.happens(kind, 'is_ready');
    await russian.page.goto(gateway.url);
    await inboxOn(russian.page).signIn('ann', PASSWORD);
  });

  for (const { kind, name, client, about, asks, answer, tells } of TALKS) {
    await step(`a client of ${name} writes and is answered`, async () => {
      assert.deepEqual(await messengers.happens(kind, 'says', asks), { told: 1 });
      const offer = await takes(asks);
      for (const part of [name, client]) assert.ok(offer.includes(part), offer);
      await page.locator(T('contact-name'), { hasText: client }).waitFor();
      await page.locator(`${T('identities')} .identity-kind`, { hasText: name }).first().waitFor();
      await page.locator('.thread-head small', { hasText: name }).waitFor();
      if (about) await page.locator(T('topic'), { hasText: about }).getByRole('link').waitFor();
      else assert.equal(await page.locator(T('topic')).count(), 0);

      await answers(answer);
      assert.deepEqual(await messengers.happens(kind, 'is_given', answer), { given: [answer] });
      await isMarked(answer, 'SENT', 'Sent');
    });

    await step(`what ${name} tells of the answer is seen`, async () => {
      for (const [act, state, word] of RECEIPTS) {
        assert.deepEqual(await messengers.happens(kind, act), { told: Number(tells.includes(act)) });
        if (tells.includes(act)) await isMarked(answer, state, word);
      }
      assert.deepEqual(await messengers.happens(kind, 'likes'), { told: Number(tells.includes('likes')) });
      const hearts = desk.message(answer, 'OUTBOUND').locator('.reaction', { hasText: '❤' });
      if (tells.includes('likes')) await shown(hearts);
      else assert.equal(await hearts.count(), 0);
    });

    await step(`pictures of a client of ${name} are seen`, async () => {
      const words = `Вот: ${name}`;
      await messengers.happens(kind, 'shows', [words, [await photograph(20), await photograph(200)]]);
      const all = page.locator(`${T('message')}[data-direction=INBOUND]`);
      await desk.message(words, 'INBOUND').waitFor();
      await areDrawn(all, 2);
      if (['avito', 'telegram', 'whatsapp'].includes(kind)) await everywhere(kind);
    });
  }

  await step('each is in the list under its name', async () => {
    const names = await page.locator(`${T('conversation-row')} .row-line`).allInnerTexts();
    const expected = TALKS.map(({ name, about }) => [name, about].filter(Boolean).join(' · '));
    assert.deepEqual(names.sort(), expected.sort());
    await picture('list');
    await picture('list russian', russian.page);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.click(T('back'));
    await shown(page.locator(T('conversation-row')), TALKS.length);
    await picture('list phone');
    await page.setViewportSize(SIZE);
  });

  await step('who has been silent for long cannot be written to, and that is told', async () => {
    for (const [kind, name, words] of [
      ['messenger', 'Messenger', 'Messenger lets nobody write'],
      ['whatsapp', 'WhatsApp', 'WhatsApp lets only approved templates through'],
    ]) {
      const text = `Held up on its way by ${name}`;
      assert.deepEqual(await messengers.happens(kind, 'said_before', [48, text], 7), { told: 1 });
      await takes(text);
      await page.locator(T('composer-notice'), { hasText: words }).waitFor();
      // It stands under the day on which it came, and says when it was written.
      assert.match(await desk.message(text, 'INBOUND').locator('time').innerText(), /^\w+ \d+, \d{4}/);
      await page.keyboard.press('KeyR');
      await page.keyboard.type('Hello');
      assert.ok(await page.locator(T('send')).isDisabled());
      await picture(`closed ${name}`);
    }
  });

  await step('no page complained', async () => {
    assert.deepEqual(browser.complaints(), []);
  });
});
