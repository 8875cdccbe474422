// How conversations stand: finishing up with a verdict, waiting for the hours, left by the client, led on, held,
// asked at once, over capacity, to be called. English by day, Russian in the dark, and on a phone.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { Gateway } from './support/gateway.mjs';
import { PASSWORD, T, addColleague, chatOn, gone, inboxOn, openBrowser, setUp } from './support/browser.mjs';
import { story } from './support/steps.mjs';

// Open on one day of the week only, and that is neither today nor tomorrow.
const OPEN_DAY = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(new Date().getUTCDay() + 3) % 7];

const CONFIG = `
[[hours]]
id = "office"
zone = "UTC"
${OPEN_DAY} = "09:00-18:00"

[[queue]]
id = "sales"
name = "Sales"
wrap_up = "timed"
wrap_up_time = "90s"
dispositions = ["Sold", "No sale", "Call later"]
disposition_required = true
abandon_after = "1s"

[[queue]]
id = "press"
name = "Press"
overflow = [{ unstaffed = true, to = "queue:sales" }]

[[queue]]
id = "night"
name = "Night desk"
dispositions = ["Answered", "Wrong place"]
disposition_required = true
hours = "office"

[[queue]]
id = "help"
name = "Help"
strategy = "ring_all"
wrap_up = "fixed"
wrap_up_time = "4s"

[[line]]
id = "site"
name = "Shop chat"
channel = "webchat"
queue = "sales"

[[line]]
id = "press"
name = "Press chat"
channel = "webchat"
queue = "press"

[[line]]
id = "night"
name = "Night chat"
channel = "webchat"
queue = "night"

[[line]]
id = "help"
name = "Help chat"
channel = "webchat"
queue = "help"
`;

const gateway = await Gateway.start(CONFIG);
const browser = await openBrowser();
const ann = await browser.person('Ann');
const boris = await browser.person('Boris');
const desk = inboxOn(ann.page);
const other = inboxOn(boris.page);
const stage = {
  pages: () => browser.pages(),
  close: async () => {
    await browser.close();
    await gateway.stop();
  },
};

/** Pictures for people to look at: by day, in the dark, on a phone. @param {string} name @param {import('playwright-core').Page} page */
async function pictures(name, page = ann.page) {
  const folder = process.env.SHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  const size = page.viewportSize();
  for (const [look, scheme, viewport] of /** @type {const} */ ([
    ['light', 'light', size],
    ['dark', 'dark', size],
    ['phone', 'light', { width: 390, height: 844 }],
  ])) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize(viewport ?? { width: 1280, height: 800 });
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(folder, `states ${name} ${look}.png`.replaceAll(/[^\w.]+/g, '-')) });
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(size ?? { width: 1280, height: 800 });
}

/** A visitor of a line writes. @param {string} line @param {string} text */
async function visitor(line, text) {
  const one = await browser.person(`visitor of ${line}`);
  // The demo page, as if its site had the other line.
  await one.page.addInitScript((id) => {
    new MutationObserver(() => {
      for (const script of document.querySelectorAll('script[data-line]')) script.setAttribute('data-line', id);
    }).observe(document, { childList: true, subtree: true });
  }, line);
  await one.page.goto(`${gateway.url}demo`);
  const chat = chatOn(one.page);
  await chat.open();
  await chat.write(text);
  await chat.panel.locator('article[data-state=sent]').waitFor();
  return { ...one, chat };
}

/** @param {typeof desk} at @param {string} text */
async function accept(at, text) {
  await at.offer(text).locator(T('offer-accept')).click();
  await at.page.waitForSelector(T('composer-text'));
}

/** @param {import('playwright-core').Page} page @param {string} folder */
async function openFolder(page, folder) {
  await page.evaluate(() => (location.hash = '#/'));
  await page.click(T(`folder-${folder}`));
}

/** How many a folder says it holds. @param {string} folder @param {number} count */
async function counts(folder, count) {
  await ann.page.locator(T(`folder-${folder}`), { hasText: new RegExp(`${count || '[^0-9]'}$`) }).waitFor();
}

await story('states', stage, async (step) => {
  await step('two people', async () => {
    await setUp(ann.page, gateway.setUpLink, 'Ann Lee');
    await addColleague(ann.page, 'Boris Orlov', ['Sales', 'Help']);
    await boris.page.goto(gateway.url);
    await other.signIn('boris', PASSWORD);
  });

  await step('what comes outside the hours says when it opens, and can be taken all the same', async () => {
    await visitor('night', 'Do you answer at night?');
    await openFolder(ann.page, 'ALL_OPEN');
    const row = desk.row('Do you answer at night?');
    await row.locator(T('tag-deferred'), { hasText: /Opens: .*\d/ }).waitFor();
    await counts('ALL_OPEN', 1);
    await row.click();
    await ann.page.locator(T('strip-deferred'), { hasText: 'outside the opening hours' }).waitFor();
    await ann.page.getByText('Take it to reply now').waitFor();
    await ann.page.reload();
    await counts('ALL_OPEN', 1);
    await ann.page.locator(T('strip-deferred')).waitFor();
    await pictures('1 deferred');
  });

  await step('who leaves while waiting may come back to the old place', async () => {
    const one = await visitor('site', 'Is anybody there?');
    await openFolder(ann.page, 'ALL_OPEN');
    await desk.row('Is anybody there?').waitFor();
    await one.page.goto('about:blank');
    const row = desk.row('Is anybody there?');
    await row.locator(T('tag-abandoned'), { hasText: 'Client left (until' }).waitFor();
    await counts('ALL_OPEN', 2);
    await row.click();
    await ann.page.locator(T('strip-abandoned')).waitFor();
    await pictures('2 abandoned');
    await one.page.goto(`${gateway.url}demo`);
    await one.chat.open();
    await gone(ann.page.locator(T('strip-abandoned')));
  });

  await step('a number to call is a link, and can be copied', async () => {
    const one = await visitor('site', 'Please call me');
    await one.chat.panel.getByRole('button', { name: 'Leave your number, keep your place' }).click();
    await one.chat.panel.getByRole('textbox', { name: 'Phone' }).fill('+7 916 123-45-67');
    await one.chat.panel.getByRole('textbox', { name: 'Phone' }).press('Enter');
    await openFolder(ann.page, 'WAITING');
    await ann.page.locator(T('tag-callback'), { hasText: 'Call +7' }).locator('..').waitFor();
    await ann.page.locator(T('conversation-row')).filter({ has: ann.page.locator(T('tag-callback')) }).click();
    const link = ann.page.locator(T('call-link'));
    assert.match((await link.getAttribute('href')) ?? '', /^tel:\+79161234567$/);
    await ann.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await ann.page.click(T('call-copy'));
    await ann.page.getByText('The number is copied').waitFor();
    await pictures('3 callback');
  });

  await step('what the rules led on says where from, and why', async () => {
    await visitor('press', 'Who is your press officer?');
    await openFolder(ann.page, 'WAITING');
    const row = desk.row('Who is your press officer?');
    await row.locator(T('tag-overflow'), { hasText: 'From Press' }).waitFor();
    await row.click();
    await ann.page
      .locator(T('strip-overflow'), { hasText: 'Led on from Press: nobody who could answer was at work.' })
      .waitFor();
    await pictures('4 led on');
  });

  await step('finishing up: the time that is left, the verdict, going on, and the end', async () => {
    await ann.page.click(T('foot-take'));
    await ann.page.waitForSelector(T('composer-text'));
    await ann.page.click(T('act-finish'));
    const strip = ann.page.locator(T('wrap-up'));
    await strip.locator(T('wrap-left'), { hasText: /^1:\d\d$/ }).waitFor();
    await ann.page.locator('.presence-text', { hasText: /Offline/ }).waitFor();
    await counts('MINE', 1);
    await pictures('5 finishing up');
    await strip.locator(T('wrap-done')).click();
    assert.ok(await strip.isVisible(), 'without the verdict it does not end');
    await strip.locator(T('wrap-go-on')).click();
    await gone(strip);
    await ann.page.click(T('act-finish'));
    await strip.locator(T('wrap-disposition')).selectOption('No sale');
    await openFolder(ann.page, 'MINE');
    await ann.page.locator(T('tag-wrap-up'), { hasText: /Finishing up\s*1:\d\d/ }).waitFor();
    await desk.row('Who is your press officer?').click();
    assert.equal(await strip.locator(T('wrap-disposition')).inputValue(), 'No sale', 'what was chosen is kept');
    await ann.page.keyboard.press('Alt+KeyE');
    await gone(strip);
    await openFolder(ann.page, 'ENDED');
    await desk.row('Who is your press officer?').filter({ hasText: 'No sale' }).waitFor();
  });

  await step('everybody is asked at once; a fixed time cannot be cut short', async () => {
    await desk.presence('ready');
    for (const text of ['Is anybody there?', '+7']) {
      await accept(desk, text);
      await ann.page.click(T('act-finish'));
      await ann.page.locator(T('wrap-disposition')).selectOption('Sold');
      await ann.page.click(T('wrap-done'));
      await gone(ann.page.locator(T('wrap-up')));
    }
    await other.presence('ready');
    await visitor('help', 'Help, please');
    await desk.offer('Help, please').filter({ hasText: 'and 1 colleague' }).waitFor();
    await other.offer('Help, please').locator(T('offer-open')).click();
    await boris.page.locator(T('strip-asked'), { hasText: /Asked at once: (Ann Lee, Boris Orlov|Boris Orlov, Ann Lee)/ }).waitFor();
    await other.row('Help, please').locator(T('tag-offered'), { hasText: 'You and 1 colleague are asked' }).waitFor();
    await boris.page.reload();
    await other.row('Help, please').locator(T('tag-offered')).waitFor();
    await pictures('6 asked at once', boris.page);
    await accept(other, 'Help, please');
    await gone(desk.offer('Help, please'));
    await boris.page.click(T('act-finish'));
    const strip = boris.page.locator(T('wrap-up'));
    await strip.getByText('it cannot be cut short').waitFor();
    await boris.page.locator(T('presence-more'), { hasText: 'Finishing up' }).waitFor();
    await strip.locator(T('wrap-done')).click();
    await boris.page.getByText('not over yet').waitFor();
    await strip.locator(T('wrap-disposition')).fill('Solved');
    await gone(strip);
    await openFolder(boris.page, 'ENDED');
    await other.row('Help, please').filter({ hasText: 'Solved' }).waitFor();
  });

  await step('who goes offline is told of live clients; whoever comes back has waited on', async () => {
    await visitor('site', 'Do not leave me');
    await desk.presence('OFFLINE'.toLowerCase());
    await accept(other, 'Do not leave me');
    await boris.page.click(T('presence'));
    await boris.page.click(T('presence-offline'));
    const dialog = boris.page.locator(T('offline-dialog'));
    await dialog.getByText('1 client is in a live chat or call with you.').waitFor();
    await pictures('7 offline', boris.page);
    await boris.page.click(T('offline-idle'));
    await boris.page.getByText('Next: Offline, when finished').waitFor();
    await boris.page.click(T('presence'));
    await boris.page.click(T('presence-ready'));
    await gone(boris.page.getByText('Next: Offline'));
    await boris.page.click(T('act-finish'));
    await boris.page.locator(T('wrap-up')).waitFor();
  });

  await step('supervisors see it: the queues, the colleagues, the board', async () => {
    await ann.page.evaluate(() => (location.hash = '#/queues'));
    const table = ann.page.locator(T('queues-table'));
    await table.getByText('All at once').waitFor();
    await table.getByText('1 waits for opening').waitFor();
    await table.getByText('1 finishing up').waitFor();
    await ann.page.locator(T('operators-table'), { hasText: 'Finishing up' }).waitFor();
    await pictures('8 queues');
    await ann.page.evaluate(() => (location.hash = '#/wallboard'));
    await ann.page.locator(T('crew-aside'), { hasText: 'Finishing up' }).waitFor();
    await ann.page.locator(T('tile-active'), { hasText: '1 finishing up' }).waitFor();
    await pictures('9 wallboard');
    await openFolder(ann.page, 'ALL_OPEN');
    await desk.row('Do not leave me').locator(T('tag-wrap-up'), { hasText: /Finishing up\s*1:/ }).waitFor();
    await desk.row('Do not leave me').click();
    await ann.page.locator(T('strip-wrap-up-other')).waitFor();
    await ann.page.getByText('Boris Orlov finishes up this conversation.').waitFor();
    await desk.row('Do you answer at night?').click();
    await ann.page.click(T('act-transfer'));
    await ann.page.locator(T('transfer-targets'), { hasText: 'Ready · Finishing up' }).waitFor();
    await pictures('10 transfer');
    await ann.page.keyboard.press('Escape');
  });

  await step('in Russian', async () => {
    await boris.page.click(T('settings'));
    await boris.page.click(T('language-ru'));
    await openFolder(boris.page, 'MINE');
    await other.row('Do not leave me').click();
    await boris.page.locator(T('wrap-up'), { hasText: 'Для клиента закончен' }).waitFor();
    await pictures('11 russian finishing up', boris.page);
    await boris.page.locator(T('wrap-disposition')).selectOption('Call later');
    await boris.page.click(T('wrap-done'));
    await gone(boris.page.locator(T('wrap-up')));
    await ann.page.click(T('settings'));
    await ann.page.click(T('language-ru'));
    await openFolder(ann.page, 'ALL_OPEN');
    await desk.row('Do you answer at night?').click();
    await ann.page.locator(T('strip-deferred'), { hasText: 'Пришёл в нерабочее время' }).waitFor();
    await pictures('12 russian deferred');
    await ann.page.evaluate(() => (location.hash = '#/queues'));
    await ann.page.locator(T('queues-table'), { hasText: 'Всем сразу' }).waitFor();
    await pictures('13 russian queues');
  });

  await step('without time to finish up the verdict is asked for before the end', async () => {
    await openFolder(ann.page, 'ALL_OPEN');
    await desk.row('Do you answer at night?').click();
    await ann.page.click(T('foot-take'));
    await ann.page.waitForSelector(T('composer-text'));
    await ann.page.click(T('act-finish'));
    const dialog = ann.page.locator(T('finish-dialog'));
    assert.deepEqual(await dialog.locator('label.check').allInnerTexts(), ['Answered', 'Wrong place']);
    await dialog.locator(T('finish-dialog-submit')).click();
    assert.ok(await dialog.isVisible(), 'without a verdict it does not end');
    await pictures('14 russian verdict');
    await dialog.getByLabel('Wrong place').check();
    await dialog.locator(T('finish-dialog-submit')).click();
    await gone(dialog);
    await openFolder(ann.page, 'ENDED');
    await desk.row('Do you answer at night?').filter({ hasText: 'Wrong place' }).waitFor();
  });

  await step('every mark of a row, in both languages', async () => {
    const until = new Date(Date.now() + 600_000).toISOString();
    const marks = /** @type {Record<string, object>} */ ({
      held: { state: 'QUEUED', preferred: true },
      returned: { state: 'QUEUED', returned: true },
      'any skills': { state: 'QUEUED', overflowExit: 'any_skills', overflowReason: 'max_wait' },
      over: { state: 'ACTIVE', operatorId: '?', overCapacity: true },
      left: { state: 'ABANDONED', stateUntil: until },
      call: { state: 'QUEUED', callbackPhone: '+79161234567', returned: true, overflowExit: 'queue', overflowFromQueueId: 'press' },
      opens: { state: 'DEFERRED', stateUntil: new Date(Date.now() + 86_400_000).toISOString() },
    });
    const boris = await ann.page.evaluate(async () => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch('/switchboard.inbox.v1.Inbox/GetMe', { method: 'POST', headers, body: '{}' });
      return (await answer.json()).colleagues[0].id;
    });
    await ann.page.route('**/*.Inbox/ListConversations', async (route) => {
      const answer = await route.fetch();
      const told = await answer.json();
      const drawn = Object.entries(marks).map(([text, mark], at) => ({
        id: `9${at}`,
        queueId: 'sales',
        lineId: 'site',
        medium: 'CHAT',
        version: '1',
        contact: { id: `c${at}`, displayName: `Client ${at}` },
        lastMessageText: text,
        lastMessageAt: new Date().toISOString(),
        waitingSince: new Date().toISOString(),
        ...mark,
        ...('operatorId' in mark && { operatorId: boris }),
        ...('preferred' in mark && { preferredOperatorId: boris }),
      }));
      await route.fulfill({ response: answer, json: { ...told, conversations: drawn } });
    });
    await openFolder(ann.page, 'ALL_OPEN');
    await ann.page.click(T('refresh-list'));
    await desk.row('held').locator(T('tag-preferred'), { hasText: 'Сначала: Boris Orlov' }).waitFor();
    await desk.row('over').locator(T('tag-over'), { hasText: 'Сверх нормы' }).waitFor();
    await desk.row('any skills').locator(T('tag-overflow'), { hasText: 'Ответить может любой' }).waitFor();
    await desk.row('left').locator(T('tag-abandoned'), { hasText: 'Клиент ушёл (до' }).waitFor();
    await pictures('15 russian marks');
    await ann.page.click(T('settings'));
    await ann.page.click(T('language-en'));
    await desk.row('held').locator(T('tag-preferred'), { hasText: 'First for Boris Orlov' }).waitFor();
    await desk.row('call').locator(T('tag-overflow'), { hasText: 'From Press' }).waitFor();
    await pictures('16 marks');
    await ann.page.unroute('**/*.Inbox/ListConversations');
  });

  await step('no page complained', async () => {
    // Nobody is signed in at first, and one Done came too early.
    assert.deepEqual(browser.complaints(/ 401 .*GetMe| 400 .*FinishConversation/), []);
  });
});
