// Every page and dialog of the inbox and the chat, in both languages, by day and in the dark, at a desk and on a
// phone: nothing that axe finds serious, nothing wider than the screen. With SHOTS set there is a picture of each.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { unsound } from './support/axe.mjs';
import { Gateway } from './support/gateway.mjs';
import { PASSWORD, T, chatOn, gone, hear, inboxOn, openBrowser, overhear } from './support/browser.mjs';
import { CONFIG, openDay, openShop } from './support/shop.mjs';
import { story } from './support/steps.mjs';

const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const LOOKS = /** @type {const} */ ([
  { name: 'en light desk', locale: 'en-GB', colorScheme: 'light', viewport: DESK },
  { name: 'ru dark desk', locale: 'ru-RU', colorScheme: 'dark', viewport: DESK },
  { name: 'ru light phone', locale: 'ru-RU', colorScheme: 'light', viewport: PHONE },
  { name: 'en dark phone', locale: 'en-GB', colorScheme: 'dark', viewport: PHONE },
]);

const THIRD = { type: 'standing', position: 3, low_ms: 120_000, high_ms: 300_000, callback: true, callback_left: false };
const RATE = { type: 'rate', conversation_id: '1', operator_name: 'Анна', comment: '', until: Date.now() + 1e7 };

const gateway = await Gateway.start(CONFIG);
const browser = await openBrowser();
const ann = await browser.person('Ann');
const boris = await browser.person('Boris');
const clients = await browser.person('clients');
const setUpLink = gateway.setUpLink;
const stage = {
  pages: () => browser.pages(),
  close: async () => {
    await browser.close();
    await gateway.stop();
  },
};

/**
 * Looks at what is on the page.
 * @param {import('playwright-core').Page} page
 * @param {string} name
 * @param {string} look
 */
async function look(page, name, look) {
  const folder = process.env.SHOTS;
  if (folder) {
    await mkdir(folder, { recursive: true });
    await page.waitForTimeout(250);
    await page.screenshot({ path: join(folder, `${look} ${name}.png`.replaceAll(/[^\w.]+/g, '-')) });
  }
  return (await unsound(page)).map((fault) => `${look}, ${name}: ${fault}`);
}

/** @typedef {{ page: import('playwright-core').Page, talk: string, ending: string }} Stand */

/** @param {Stand} stand @param {string} hash */
async function go({ page }, hash) {
  await page.evaluate((to) => void (location.hash = to), hash);
}

/** @param {Stand} stand @param {string} id */
async function open(stand, id) {
  await go(stand, `#/c/${id}`);
  await stand.page.locator(T('message')).last().waitFor();
}

/** An act of the open conversation, as everybody finds it. @param {Stand} stand @param {string} act */
async function act(stand, act) {
  await open(stand, stand.talk);
  await stand.page.click(T('act-more'));
  await stand.page.click(T(`menu-${act}`));
}

/** @param {string} hash @param {string} ready */
const onPage = (hash, ready) => async (/** @type {Stand} */ stand) => {
  await go(stand, `#/${hash}`);
  await stand.page.locator(ready).first().waitFor();
};

/** A dialog behind a button of a page. @param {string} hash @param {string} button */
const behind = (hash, button) => async (/** @type {Stand} */ stand) => {
  await go(stand, `#/${hash}`);
  await stand.page.locator(T(button)).first().click();
};

/** @typedef {Record<string, (stand: Stand) => Promise<void>>} Places what there is, and how one comes there */

/** @type {Places} */
const CONVERSATIONS = {
  inbox: async (stand) => {
    await go(stand, '#/');
    await stand.page.locator(T('conversation-row')).first().waitFor();
  },
  conversation: (stand) => open(stand, stand.talk),
  'menu of a conversation': async (stand) => {
    await open(stand, stand.talk);
    await stand.page.click(T('act-more'));
  },
  'finishing up': (stand) => open(stand, stand.ending),
  'a note': async (stand) => {
    await open(stand, stand.talk);
    await stand.page.locator('body').press('n');
    await stand.page.fill(T('composer-text'), '@');
  },
  'canned replies in the composer': async (stand) => {
    await open(stand, stand.talk);
    await stand.page.fill(T('composer-text'), '');
    await stand.page.locator(T('composer-text')).pressSequentially('/');
    await stand.page.locator(T('suggest-item')).first().waitFor();
  },
  'who has given up or waits for the hours': async (stand) => {
    await go(stand, '#/');
    await stand.page.keyboard.press('Alt+Digit3');
    await stand.page.locator(T('tag-deferred')).first().click();
    await stand.page.locator(T('strip-deferred')).waitFor();
  },
  ended: async (stand) => {
    await go(stand, '#/');
    await stand.page.keyboard.press('Alt+Digit5');
    await stand.page.locator(T('conversation-row'), { hasText: 'Ольга' }).first().click();
    await stand.page.locator(T('score-strip')).waitFor();
  },
};

/** @type {Places} */
const ACTS = {
  transfer: (stand) => act(stand, 'transfer'),
  snooze: (stand) => act(stand, 'snooze'),
  promise: (stand) => act(stand, 'promise'),
  score: (stand) => act(stand, 'score'),
  'why mine': (stand) => act(stand, 'why'),
  block: (stand) => act(stand, 'block'),
  spam: (stand) => act(stand, 'spam'),
  'why it waits': async (stand) => {
    await go(stand, '#/');
    await stand.page.keyboard.press('Alt+Digit2');
    await stand.page.locator(T('conversation-row')).first().click();
    await stand.page.click(T('act-more'));
    await stand.page.click(T('menu-why'));
    await stand.page.locator(T('why-waiting')).waitFor();
  },
  palette: async (stand) => {
    await open(stand, stand.talk);
    await stand.page.keyboard.press('Control+KeyK');
    await stand.page.locator(T('palette-finish')).waitFor();
  },
  'a search': async (stand) => {
    await open(stand, stand.talk);
    await stand.page.keyboard.press('Control+KeyK');
    await stand.page.fill(T('search-input'), 'Ridge');
    await stand.page.locator(T('search-hit')).first().waitFor();
  },
};

/** @type {Places} */
const PAGES = {
  'no mentions': onPage('mentions', '.empty'),
  promises: onPage('promises', T('promise-row')),
  replies: onPage('replies', T('replies-table')),
  'a canned reply': behind('replies', 'edit-reply'),
  'a shortcut that is taken': async (stand) => {
    await go(stand, '#/replies');
    await stand.page.click(T('add-reply'));
    await stand.page.fill(T('reply-shortcut'), 'hello');
    await stand.page.fill(T('reply-title'), 'Again');
    await stand.page.fill(T('reply-text'), 'Again');
    await stand.page.click(T('reply-submit'));
    await stand.page.locator(T('reply-error'), { hasText: /уже занято|has the shortcut/ }).waitFor();
  },
  wallboard: onPage('wallboard', T('wallboard-operators')),
  reports: onPage('reports', T('chart-volume')),
  ratings: onPage('ratings', T('ratings-table')),
  queues: onPage('queues', T('operators-table')),
  'why no work': behind('queues', 'operator-why'),
  proof: onPage('proof', T('proof-laws')),
  blocks: onPage('blocks', T('blocks-table')),
  people: onPage('people', T('people-table')),
  'a colleague': behind('people', 'edit-operator'),
  lines: onPage('lines', T('lines-table')),
  'dead letters': onPage('dead-letters', '.page-content'),
  webhooks: onPage('webhooks', T('webhooks-table')),
  audit: onPage('audit', `${T('audit-chain')}[data-whole=true]`),
  keys: async (stand) => {
    await go(stand, '#/audit');
    await stand.page.locator('body').press('?');
  },
};

/** Closes what is open, so that the next begins from the same. @param {import('playwright-core').Page} page */
async function back(page) {
  for (let tries = 0; tries < 4; tries += 1) {
    if ((await page.locator('dialog[open], [role=menu], [role=listbox]:not([hidden])').count()) === 0) return;
    await page.keyboard.press('Escape');
    await page.waitForTimeout(30);
  }
}

/** Who wants no motion, so that a picture is of what stays. @param {typeof LOOKS[number]} one */
const still = (one) => /** @type {const} */ ({ ...one, reducedMotion: 'reduce' });

/** @param {typeof LOOKS[number]} one */
async function signedIn(one, who = ann) {
  const person = await browser.person(one.name, { ...still(one), storageState: await who.context.storageState() });
  await person.page.goto(gateway.url);
  await person.page.locator(T('composer-text')).or(person.page.locator(T('conversation-list'))).first().waitFor();
  return person;
}

await story('accessibility', stage, async (step) => {
  /** @type {{ talk: string, ending: string }} */
  let day = { talk: '', ending: '' };

  await step('a shop in the middle of its day', async () => {
    const shop = await openShop(gateway.url, setUpLink, ann.page, clients.page);
    await boris.page.goto(gateway.url);
    await inboxOn(boris.page).signIn('boris', PASSWORD);
    await inboxOn(boris.page).presence('ready');
    day = await openDay(ann.page, clients.page, shop.boris.id);
    await boris.page.locator(T('offer')).first().waitFor();
  });

  for (const one of LOOKS) {
    await step(`whoever is not signed in: ${one.name}`, async () => {
      const { context, page } = await browser.person(one.name, still(one));
      await page.goto(gateway.url);
      await page.locator(T('sign-in')).waitFor();
      const faults = await look(page, 'sign in', one.name);
      await page.goto(`${gateway.url}#setup=used`);
      await page.reload();
      await page.locator(T('set-up')).waitFor();
      faults.push(...(await look(page, 'set up', one.name)));
      await context.close();
      assert.deepEqual(faults, []);
    });

    await step(`the chat on a site: ${one.name}`, async () => {
      const { context, page } = await browser.person(one.name, still(one));
      await overhear(page);
      await page.goto(`${gateway.url}demo`);
      const faults = await look(page, 'shop', one.name);
      const chat = chatOn(page);
      await chat.open();
      faults.push(...(await look(page, 'chat', one.name)));
      await chat.write('Is the Ridge in stock?');
      await chat.panel.locator('article[data-state=sent]').waitFor();
      await hear(page, THIRD);
      await chat.panel.locator('.place').waitFor();
      faults.push(...(await look(page, 'chat in the queue', one.name)));
      await hear(page, { ...THIRD, position: 0, callback: false });
      await hear(page, RATE);
      await chat.panel.locator('.rating').waitFor();
      faults.push(...(await look(page, 'chat rated', one.name)));
      await context.close();
      assert.deepEqual(faults, []);
    });

    for (const [part, places] of Object.entries({ conversations: CONVERSATIONS, acts: ACTS, pages: PAGES })) {
      await step(`${part}: ${one.name}`, async () => {
        const { context, page } = await signedIn(one);
        const faults = [];
        for (const [name, come] of Object.entries(places)) {
          await come({ page, ...day });
          faults.push(...(await look(page, name, one.name)));
          await back(page);
        }
        await context.close();
        assert.deepEqual(faults, []);
      });
    }

    await step(`an offer and a mention: ${one.name}`, async () => {
      const { context, page } = await signedIn(one, boris);
      const faults = [];
      await page.locator(T('offer')).first().waitFor();
      faults.push(...(await look(page, 'offer', one.name)));
      await page.locator(T('offer-why')).first().click();
      await page.locator(T('why-offer')).waitFor();
      faults.push(...(await look(page, 'why an offer', one.name)));
      await back(page);
      await page.locator(T('offer-decline')).first().click();
      await page.locator(T('decline-dialog')).waitFor();
      faults.push(...(await look(page, 'decline', one.name)));
      await back(page);
      await gone(page.locator(T('decline-dialog')));
      await page.evaluate(() => void (location.hash = '#/mentions'));
      await page.locator(T('mention-row')).first().waitFor();
      faults.push(...(await look(page, 'mentions', one.name)));
      await context.close();
      assert.deepEqual(faults, []);
    });
  }

  await step('no page complained', async () => {
    // What the browser itself says of the refusals: taken without the router, and a shortcut that is not free.
    assert.deepEqual(browser.complaints(/ 401 .*GetMe| 404 .*ExplainOffer| 409 .*SaveCannedReply/), []);
  });
});
