// Letters that attack whoever reads them: nothing in them runs, is loaded, or leads anywhere, wherever they show.

import assert from 'node:assert/strict';

import { PLACES, attacks, canaries, hostileEvent, hostileLetter, word } from './support/attacks.mjs';
import { T, gone, inboxOn, openBrowser, setUp, shown } from './support/browser.mjs';
import { Elsewhere } from './support/elsewhere.mjs';
import { Gateway } from './support/gateway.mjs';
import { Mail } from './support/mail.mjs';
import { call } from './support/shop.mjs';
import { story } from './support/steps.mjs';

const CONFIG = `
[[queue]]
id = "main"
name = "Sales"

[[line]]
id = "bridge"
channel = "bridge"
queue = "main"
`;
/** What links in a letter may begin with. */
const LINKS = /^(https?|mailto|tel):/;
/** The wish for pictures, which is a reader's own. */
const WISH = '?pictures=true';

const mail = await Mail.start();
const elsewhere = await Elsewhere.start();
const open = await Elsewhere.start();
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
    await open.close();
  },
};
const ATTACKS = attacks(elsewhere.host ?? '');
/** The same for pages without protection. */
const UNPROTECTED = attacks(open.host ?? '');
const frame = ann.page.frameLocator(T('letter-frame'));
const seen = { letters: 0, originals: 0, pages: 0, pictures: 0, files: 0, found: 0, told: 0, raw: 0 };

/** What pages did that they must not. */
const did = { executions: /** @type {number[]} */ ([]), loads: /** @type {string[]} */ ([]), strayed: /** @type {string[]} */ ([]) };
/** Whether pictures were asked for just now. */
let asked = false;

/** Watches everything that a page does. @param {import('playwright-core').Page} page */
async function watch(page) {
  await canaries(page, (id) => did.executions.push(id));
  page.on('request', (request) => {
    const url = request.url();
    if (url.startsWith(gateway.url ?? '') || /^(data|blob):/.test(url)) return;
    if (!(asked && request.resourceType() === 'image')) did.loads.push(`${request.resourceType()} ${url}`);
  });
  page.on('popup', (popup) => void did.strayed.push(`a window: ${popup.url()}`));
  page.on('framenavigated', (frame) => {
    if (!frame.url().startsWith(gateway.url ?? '') && frame.url() !== 'about:blank') did.strayed.push(frame.url());
  });
  page.on('dialog', (dialog) => {
    did.executions.push(-1);
    void dialog.dismiss();
  });
}

/** Lets a page tell how many frames it loaded, and of how much it told. @param {import('playwright-core').Page} page */
async function count(page) {
  await page.evaluate(() => {
    const counted = Object.assign(window, { loaded: 0, told: 0 });
    document.addEventListener('load', ({ target }) => (counted.loaded += target instanceof HTMLIFrameElement ? 1 : 0), true);
    window.Notification = class extends Notification {
      /** @param {string} title @param {NotificationOptions} options */
      constructor(title, options) {
        super(title, options);
        counted.told += 1;
      }
    };
  });
}

/** Does something that loads a frame, and waits until it has. @param {() => Promise<void>} act */
async function loads(act) {
  const before = await ann.page.evaluate(() => /** @type {any} */ (window).loaded);
  await act();
  await ann.page.waitForFunction((count) => /** @type {any} */ (window).loaded > count, before);
}

/** What a page of a letter holds that may not be there. @param {import('playwright-core').Frame | import('playwright-core').Page} page */
const strange = (page) =>
  page.evaluate((allowed) => {
    const links = new RegExp(allowed);
    const own = 'html head body meta base style'.split(' ');
    return [...document.querySelectorAll('*')].flatMap((element) => {
      if (element.matches('script, iframe, object, embed, form, input, svg, math, link, template, video, audio')) return [element.outerHTML];
      if (own.includes(element.localName) && element.parentElement?.localName !== 'body') return [];
      return [...element.attributes]
        .filter(({ name, value }) => /^(on|style$|srcset|id$|name$|class$|target$)/.test(name) || (name === 'href' && !links.test(value)))
        .map(({ name, value }) => `${element.localName} ${name}=${value}`);
    });
  }, LINKS.source);

/** Opens a letter as it was written, without pictures and with them. @param {import('playwright-core').Locator} message */
async function lookAtOriginal(message) {
  await loads(() => message.locator(T('letter-original')).click());
  const inside = (await (await ann.page.locator(T('letter-frame')).elementHandle())?.contentFrame()) ?? null;
  assert.ok(inside);
  assert.deepEqual(await strange(inside), []);
  for (const one of await frame.getByText('press', { exact: true }).all()) await one.click();
  assert.deepEqual(elsewhere.hits, []);
  assert.equal(elsewhere.connections, 0);
  if (await ann.page.locator(T('letter-pictures')).isVisible()) {
    asked = true;
    await loads(() => ann.page.click(T('letter-pictures')));
    assert.deepEqual(await strange(inside), []);
  }
  await ann.page.locator(T('mail-dialog')).getByRole('button', { name: 'Close' }).click();
  await gone(ann.page.locator(T('mail-dialog')));
  asked = false;
  forget();
  seen.originals += 1;
}

/** Pictures came because they were asked for: nothing else did, and they tell nothing. */
function forget() {
  for (const { kind, cookie, referer } of elsewhere.hits) assert.deepEqual([kind, cookie, referer], ['image', '', '']);
  seen.pictures += elsewhere.hits.length;
  elsewhere.hits = [];
  // Else what is loaded later might use a connection that stands.
  elsewhere.server?.closeAllConnections();
  elsewhere.connections = 0;
}

/** Takes the letter that is offered, and looks at it as an operator does. @returns {Promise<string>} its conversation */
async function lookAtNext() {
  const offer = ann.page.locator(T('offer'), { hasText: /look\d+x/ }).first();
  const [, number] = /look(\d+)x/.exec(await offer.innerText()) ?? [];
  await offer.locator(T('offer-accept')).click();
  const message = desk.message(word(Number(number)), 'INBOUND');
  await shown(message.locator(T('letter-head')));
  await shown(message.locator(T('attachment')));
  await lookAtOriginal(message);
  await message.hover();
  await message.locator(T('message-more')).click();
  await ann.page.click(T('letter-forward'));
  assert.ok((await ann.page.inputValue(T('composer-text'))).includes(word(Number(number))));
  await ann.page.fill(T('composer-text'), '');
  await ann.page.click(T('letter-close'));
  seen.letters += 1;
  return openId();
}

/** The messages of a conversation, the newest 200. @param {string} conversationId @returns {Promise<any[]>} */
async function timeline(conversationId) {
  const asked = { conversationId, pageSize: 200, clientId: undefined };
  return (await call(ann.page, 'Inbox/ListTimeline', asked)).messages ?? [];
}

/** Hands everything in as another program does, and waits for the conversation that it becomes. */
async function handIn() {
  const { secret } = await call(ann.page, 'Admin/CreateToken', {
    name: 'bridge',
    role: 'ADMIN',
    bridgeLineIds: ['bridge'],
    clientId: undefined,
  });
  for (const attack of ATTACKS) {
    const answer = await fetch(`${gateway.url}switchboard.channels.v1.ChannelBridge/PushInbound`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', 'connect-protocol-version': '1' },
      body: JSON.stringify({ inbound: hostileEvent(attack) }),
    });
    assert.ok(answer.ok, await answer.text());
  }
  for (;;) {
    const asked = { folder: 'ALL_OPEN', pageSize: 100, clientId: undefined };
    const { conversations = [] } = await call(ann.page, 'Inbox/ListConversations', asked);
    const one = conversations.find((/** @type {any} */ c) => c.lineId === 'bridge');
    if (one && (await timeline(one.id)).length === ATTACKS.length) return /** @type {string} */ (one.id);
    await ann.page.waitForTimeout(100);
  }
}

/** The conversation on the screen. */
const openId = () => new URL(ann.page.url()).hash.split('/').at(-1) ?? '';

/** What came of the attacks so far, which is nothing. */
function nothingHappened() {
  assert.deepEqual(did, { executions: [], loads: [], strayed: [] });
  assert.deepEqual(elsewhere.hits, []);
}

/** Pages that protect nobody, and what was seen of the attacks there. */
const control = { ran: new Set(), loaded: new Set() };

/** Shows attacks as they are, and presses what can be pressed. @param {number[]} numbers */
async function unprotected(numbers) {
  const context = await browser.browser.newContext();
  const page = await context.newPage();
  await canaries(page, (id) => control.ran.add(Math.floor(id / 10)));
  for (const number of numbers) {
    open.pages.set(`/bare/${number}`, `<!doctype html><body>${UNPROTECTED[number].at('html')}`);
    await page.goto(`${open.url}bare/${number}`).catch(() => {});
    await press(page);
  }
  await context.close();
  for (const { path } of open.hits) control.loaded.add(Math.floor(Number(/\d+/.exec(path)?.[0]) / 10));
}

/**
 * Shows attacks as they are with nothing but a letter's headers against them.
 * @param {string} url
 * @param {import('./support/attacks.mjs').Attack[]} some
 */
async function inFrameAlone(url, some) {
  const context = await browser.browser.newContext({ storageState: await ann.context.storageState() });
  const page = await context.newPage();
  /** @type {number[]} */
  const ran = [];
  await canaries(page, (id) => ran.push(id));
  let body = '';
  await page.route('**/letters/*', async (route) => {
    await route.fulfill({ response: await route.fetch(), body: `<!doctype html><body>${body}` });
  });
  for (const { at } of some) {
    body = at('html');
    await page.goto(url);
    await press(page);
    seen.raw += 1;
  }
  await context.close();
  return ran;
}

/** Presses what asks for it. @param {import('playwright-core').Page} page */
async function press(page) {
  const pressed = page.getByText('press', { exact: true }).first();
  if (await pressed.isVisible().catch(() => false)) await pressed.click({ timeout: 500, noWaitAfter: true }).catch(() => {});
}

/** The attacks by their kinds, as many at a time as are looked at in one step. @param {number} most */
function few(most) {
  const kinds = [...new Set(ATTACKS.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const all = ATTACKS.filter((attack) => attack.kind === kind);
    const parts = Array.from({ length: Math.ceil(all.length / most) }, (_, at) => all.slice(at * most, (at + 1) * most));
    return parts.map((some, at) => ({ name: parts.length > 1 ? `${kind}, ${at + 1}` : kind, some }));
  });
}

await story('hostile letters', stage, async (step) => {
  await step('an operator who is told of everything', async () => {
    await ann.context.grantPermissions(['notifications']);
    await watch(ann.page);
    await setUp(ann.page, gateway.setUpLink, 'Ann Lee');
    await ann.page.evaluate(() => localStorage.setItem('switchboard.inbox', JSON.stringify({ desktop: true })));
    await ann.page.reload();
    await count(ann.page);
    await desk.presence('ready');
  });

  const conversations = /** @type {string[]} */ ([]);
  for (const { name, some } of few(8)) {
    await step(`by mail: ${name}`, async () => {
      await unprotected(some.map(({ number }) => number));
      for (const attack of some) mail.deliver(hostileLetter(attack));
      for (const _ of some) {
        const conversationId = await lookAtNext();
        conversations.push(conversationId);
        await call(ann.page, 'Inbox/FinishConversation', { conversationId });
      }
      nothingHappened();
    });
  }

  await step('found by a search, and on every page that names clients', async () => {
    await ann.page.keyboard.press('Control+KeyK');
    await ann.page.fill(T('search-input'), 'letter');
    const hits = ann.page.locator(T('search-hit'));
    await hits.first().waitFor();
    const more = ann.page.getByRole('button', { name: 'More results' });
    for (;;) {
      const count = await hits.count();
      if (count >= ATTACKS.length || !(await more.isVisible())) break;
      await more.click();
      await hits.nth(count).waitFor();
    }
    seen.found = await hits.count();
    await ann.page.keyboard.press('Escape');
    for (const place of ['', 'audit', 'reports', 'promises', 'queues', 'wallboard', 'dead-letters']) {
      await ann.page.evaluate((to) => void (location.hash = `#/${to}`), place);
      await ann.page.locator('.page-content, .pane-head').first().waitFor();
    }
    await ann.page.keyboard.press('Alt+Digit5');
    await ann.page.locator(T('conversation-row')).nth(20).waitFor();
    assert.equal(seen.found, ATTACKS.length);
    seen.told = await ann.page.evaluate(() => /** @type {any} */ (window).told);
    assert.equal(seen.told, ATTACKS.length);
    nothingHappened();
  });

  await step('its files are saved, never shown', async () => {
    for (const conversationId of conversations) {
      const messages = await timeline(conversationId);
      for (const { url } of messages.flatMap((/** @type {any} */ { attachments = [] }) => attachments)) {
        const headers = (await ann.page.request.get(new URL(url, gateway.url).href)).headers();
        assert.match(headers['content-disposition'], /^attachment/);
        assert.equal(headers['x-content-type-options'], 'nosniff');
        seen.files += 1;
      }
    }
    assert.equal(seen.files, ATTACKS.length);
  });

  let bridged = '';
  await step('handed in by another program', async () => {
    bridged = await handIn();
    await ann.page.evaluate((to) => void (location.hash = `#/c/${to}`), bridged);
    await ann.page.locator(`${T('message')}[data-direction=INBOUND]`).nth(20).waitFor();
    nothingHappened();
  });

  for (const { name, some } of few(30)) {
    await step(`opened by its address: ${name}`, async () => {
      const messages = (await timeline(bridged)).slice(some[0].number, some[0].number + some.length);
      assert.equal(messages.length, some.length);
      const tab = await ann.context.newPage();
      await watch(tab);
      for (const { id } of messages) {
        await tab.goto(`${gateway.url}letters/${id}`);
        assert.deepEqual(await strange(tab), []);
        assert.deepEqual(elsewhere.hits, []);
        asked = true;
        await tab.goto(`${gateway.url}letters/${id}${WISH}`);
        assert.deepEqual(await strange(tab), []);
        asked = false;
        seen.pages += 2;
      }
      await tab.close();
      forget();
      nothingHappened();
    });

    await step(`the frame alone, whatever stands in it: ${name}`, async () => {
      const [{ id }] = await timeline(conversations[0]);
      const ran = await inFrameAlone(`${gateway.url}letters/${id}`, some);
      assert.deepEqual(ran, []);
      assert.deepEqual(elsewhere.hits, []);
    });
  }

  await step('without protection the same attacks run and load', async () => {
    // Far fewer than do: what a loaded machine runs too late is not waited for.
    assert.ok(control.ran.size >= 40, `${control.ran.size} ran`);
    assert.ok(control.loaded.size >= 25, `${control.loaded.size} loaded`);
  });

  await step('no page complained', async () => {
    // A letter that is opened by its address may not even have the icon; one picture that was asked for says //.
    assert.deepEqual(browser.complaints(/ 401 .*GetMe|NotSameOrigin .*\/favicon\.ico|ERR_SSL_PROTOCOL_ERROR/), []);
  });
});
const { executions, loads: remote, strayed } = did;
const either = new Set([...control.ran, ...control.loaded]);
console.log(
  `${ATTACKS.length} attacks in ${PLACES.length} places of a letter: executions ${executions.length}, remote loads ${remote.length}, ` +
    `navigations ${strayed.length}; looked at ${JSON.stringify(seen)}; without protection ${control.ran.size} run, ` +
    `${control.loaded.size} load, ${either.size} do either`,
);
