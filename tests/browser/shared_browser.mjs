// One browser, several people: what one user of a site wrote in its chat is shown to and sent as
// nobody else.

import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';

import { Gateway } from './support/gateway.mjs';
import { T, chatOn, gone, inboxOn, openBrowser, setUp, shown } from './support/browser.mjs';
import { story } from './support/steps.mjs';

const SECRET = 'a secret of the site and the gateway';
const CONFIG = `
[[queue]]
id = "main"

[[line]]
id = "site"
channel = "webchat"
queue = "main"
consent = true
identity_secret = "${SECRET}"
`;

/** What the site's server signs. @param {string} userId */
function sign(userId) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { aud: 'site', iat: now, exp: now + 300, jti: randomUUID(), user_id: userId, name: userId };
  const signed = Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

const gateway = await Gateway.start(CONFIG);
const browser = await openBrowser();
const ann = await browser.person('Ann');
const shared = await browser.person('shared');
const desk = inboxOn(ann.page);
const chat = chatOn(shared.page);
const agree = chat.panel.locator('input[name=consent]');
const form = chat.panel.locator('form.prechat button');
const queued = chat.panel.locator('article[data-state=queued]');
const sent = (/** @type {string} */ text) =>
  chat.panel.locator('article:not([data-state=queued]):not([data-state=failed])', { hasText: text });
const stage = {
  pages: () => browser.pages(),
  close: async () => {
    await browser.close();
    await gateway.stop();
  },
};

/** Signs in without a new page. @param {string} userId @param {import('playwright-core').Page} [page] */
async function signIn(userId, page = shared.page) {
  await page.evaluate((token) => {
    /** @type {any} */ (window).Switchboard.identify(token);
  }, sign(userId));
}

/** A page of the site, for a user or for somebody who is not signed in. @param {string} [userId] */
async function visit(userId) {
  await shared.page.goto('about:blank');
  await shared.page.goto(`${gateway.url}demo`);
  await shared.page.waitForFunction(() => !Array.isArray(/** @type {any} */ (window).Switchboard));
  if (userId) await signIn(userId);
  await chat.launcher.click();
}

async function consent() {
  await agree.check();
  await form.click();
}

/** The gateway goes away; what is written meanwhile stays in the browser. */
async function away() {
  browser.away = true;
  await gateway.kill();
  await chat.banner.filter({ hasText: /onnecting/ }).waitFor();
}

async function back() {
  await gateway.run();
  await chat.online();
  browser.away = false;
}

await story('a shared browser', stage, async (step) => {
  await step('an operator sits down', async () => {
    await setUp(ann.page, gateway.setUpLink, 'Ann Lee');
    await desk.presence('ready');
  });

  await step('somebody writes, signs in, and goes on in the same conversation', async () => {
    await visit();
    await consent();
    await chat.write('Before signing in');
    await shown(sent('Before signing in'));
    await signIn('u-1');
    await chat.write('First user here');
    await shown(sent('First user here'));
    await shown(chat.message('Before signing in'));
    await desk.offer('First user here').locator(T('offer-accept')).click();
    await shown(desk.message('Before signing in', 'INBOUND'));
    await desk.reply('For the first user');
    await shown(chat.message('For the first user'));
  });

  await step('a lost connection signs nobody out', async () => {
    await away();
    await chat.write('Written by the first user meanwhile');
    await back();
    await shown(sent('by the first user meanwhile'));
    await shown(desk.message('by the first user meanwhile', 'INBOUND'));
    await shown(chat.message('For the first user'));
    // Nor does the site that says it once more.
    await signIn('u-1');
    await chat.write('Still the first user');
    await shown(sent('Still the first user'));
    await shown(desk.message('Still the first user', 'INBOUND'));
  });

  await step('the user after sees nothing of it, is asked anew, and has a conversation of their own', async () => {
    await visit('u-2');
    await chat.online();
    await chat.write('Second user here');
    // The first one's consent is not theirs.
    await agree.waitFor();
    await consent();
    await shown(sent('Second user here'));
    assert.equal(await chat.message('first').count(), 0);
    assert.equal(await chat.message('signing in').count(), 0);
    await desk.offer('Second user here').locator(T('offer-accept')).click();
    await shown(desk.message('Second user here', 'INBOUND'));
    assert.equal(await desk.message('First user here').count(), 0);
    await desk.reply('For the second user');
    await shown(chat.message('For the second user'));
  });

  await step('nobody who is not signed in sees anything', async () => {
    await visit();
    await chat.online();
    await chat.panel.locator('.greeting').waitFor();
    await chat.write('A guest');
    await consent();
    await shown(sent('A guest'));
    assert.equal(await chat.message('user').count(), 0);
  });

  await step('everybody finds their own again', async () => {
    await visit('u-1');
    await shown(chat.message('For the first user'));
    assert.equal(await chat.message(/second|guest/i).count(), 0);
    await visit('u-2');
    await shown(chat.message('For the second user'));
    assert.equal(await chat.message(/first|guest/i).count(), 0);
  });

  await step('what one user could not send is not sent as the next', async () => {
    await away();
    await chat.write('Second user, unsent');
    await shown(queued);
    // The site changes its user without a new page.
    await signIn('u-1');
    await chat.launcher.click();
    await chat.write('First user, unsent');
    await back();
    await shown(sent('First user, unsent'));
    await shown(chat.message('For the first user'));
    assert.equal(await chat.message(/second/i).count(), 0);
    await desk.row('First user, unsent').click();
    await shown(desk.message('First user, unsent', 'INBOUND'));
    assert.equal(await desk.message('Second user').count(), 0);

    await visit('u-2');
    await shown(sent('Second user, unsent'));
    await desk.row('Second user, unsent').click();
    await shown(desk.message('Second user, unsent', 'INBOUND'));
    assert.equal(await desk.message('First user').count(), 0);
  });

  await step('a draft stays with who wrote it', async () => {
    await chat.box.fill('half a thought of the second');
    await signIn('u-1');
    await chat.launcher.click();
    await shown(chat.message('For the first user'));
    assert.equal(await chat.box.inputValue(), '');
  });

  await step('the tab that takes the connection over stays signed in', async () => {
    const tab = await shared.context.newPage();
    await tab.goto(`${gateway.url}demo`);
    const second = chatOn(tab);
    await second.open();
    await shown(second.message('For the first user'));
    await shared.page.close();
    await second.write('From the second tab');
    await shown(desk.row('From the second tab'));
    await desk.row('From the second tab').click();
    await shown(desk.message('First user here', 'INBOUND'));
    await tab.reload();
    await second.open();
    assert.equal(await second.message('user').count(), 0, 'a new page knows no session');
    await tab.waitForFunction(() => Object.keys(localStorage).length > 0);
    const kept = await tab.evaluate(() => JSON.stringify(localStorage));
    assert.ok(!kept.includes('until') && !kept.includes(Buffer.from('{"visitor_id"').toString('base64url').slice(0, 12)));
  });

  await step('no page complained', async () => {
    assert.deepEqual(browser.complaints(), []);
  });
});
