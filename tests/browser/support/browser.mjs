// A browser, the people in it, and what their pages complain about.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const INSTALLED = join(ROOT, 'target/xtask/node/node_modules/');
// NODE_PATH is heard by `require` only.
const require = createRequire(existsSync(INSTALLED) ? INSTALLED : import.meta.url);
/** @type {typeof import('playwright-core')} */
const { chromium } = require('playwright-core');

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];
const PATIENCE_MS = 10_000;
/** What a browser says by itself when a server is away. */
const ABOUT_CONNECTION =
  /ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|INTERNET_DISCONNECTED)|WebSocket connection to .* failed/;

/** What it says by itself when the first question finds nobody signed in. */
const NOT_SIGNED_IN = / 401 .*GetMe/;

export async function openBrowser() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium',
    args: ARGUMENTS,
  });
  return new Browser(browser);
}

class Browser {
  /** @type {string[]} */
  #complaints = [];
  /** While the gateway is away its absence is no complaint. */
  away = false;

  /**
   * What pages complained of, each with its page's name.
   * @param {RegExp} [expected]
   */
  complaints(expected = NOT_SIGNED_IN) {
    return this.#complaints.filter((text) => !expected.test(text));
  }

  /** @param {import('playwright-core').Browser} browser */
  constructor(browser) {
    this.browser = browser;
  }

  /**
   * A person: a context with nothing shared with others.
   * @param {string} name
   * @param {import('playwright-core').BrowserContextOptions} [options]
   */
  async person(name, options = {}) {
    const context = await this.browser.newContext({
      viewport: { width: 1280, height: 800 },
      locale: 'en-US',
      ...options,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    context.on('page', (page) => this.#listen(name, page));
    return { context, page: await context.newPage() };
  }

  /** @param {string} name @param {import('playwright-core').Page} page */
  #listen(name, page) {
    page.on('console', (message) => {
      const text = `${message.text()} ${message.location().url}`;
      if (!['error', 'warning'].includes(message.type())) return;
      if (this.away && ABOUT_CONNECTION.test(text)) return;
      this.#complaints.push(`${name}: ${text}`);
    });
    page.on('pageerror', (error) => this.#complaints.push(`${name}: ${error.stack ?? error}`));
  }

  pages() {
    return this.browser.contexts().flatMap((context) => context.pages());
  }

  async close() {
    await this.browser.close();
  }
}

export const PASSWORD = 'correct horse battery';

/**
 * Makes the first admin by the one-time link.
 * @param {import('playwright-core').Page} page
 * @param {string | undefined} link
 * @param {string} name
 */
export async function setUp(page, link, name) {
  await page.goto(link ?? '');
  await page.fill(T('setup-name'), name);
  await page.fill(T('setup-login'), login(name));
  await page.fill(T('setup-password'), PASSWORD);
  await page.fill(T('setup-password-again'), PASSWORD);
  await page.click(T('set-up'));
  await page.waitForSelector(T('presence'));
}

/**
 * Makes a colleague on the page of people, and goes back to the inbox.
 * @param {import('playwright-core').Page} page
 * @param {string} name
 * @param {string[]} [queues] their names; all when not given
 */
export async function addColleague(page, name, queues) {
  await page.evaluate(() => (location.hash = '#/people'));
  await page.click(T('add-operator'));
  await page.fill(T('operator-name'), name);
  await page.fill(T('operator-login'), login(name));
  await page.fill(T('operator-password'), PASSWORD);
  for (const choice of queues ? await page.locator('.queue-choice').all() : []) {
    const is = queues?.includes((await choice.locator('label').innerText()).trim()) ?? true;
    await choice.locator('input[type=checkbox]').setChecked(is);
  }
  await page.click(T('operator-submit'));
  await page.locator(T('people-table'), { hasText: name }).waitFor();
  await page.evaluate(() => (location.hash = '#/'));
}

/** @param {string} name */
function login(name) {
  return name.split(' ')[0].toLowerCase();
}

/** @param {import('playwright-core').Locator} locator @param {number} [count] */
export async function shown(locator, count = 1) {
  await locator.first().waitFor();
  assert.equal(await locator.count(), count);
}

/** Waits until nothing of it is left. @param {import('playwright-core').Locator} locator */
export const gone = (locator) => locator.first().waitFor({ state: 'hidden' });

/** By `data-testid`. @param {string} id */
export const T = (id) => `[data-testid="${id}"]`;

/**
 * The site chat's parts on a page. CSS goes through its open shadow root.
 * @param {import('playwright-core').Page} page
 */
export function chatOn(page) {
  const host = page.locator('switchboard-chat');
  const panel = host.locator('.panel');
  return {
    page,
    launcher: host.locator('button.launcher'),
    panel,
    banner: panel.locator('.banner'),
    box: panel.getByRole('textbox', { name: /^(Message|Сообщение)$/ }),
    send: panel.getByRole('button', { name: /^(Send|Отправить)$/ }),
    typing: panel.locator('.typing'),
    /** @param {string} text */
    message: (text) => panel.locator('article.message', { hasText: text }),
    online: () => panel.and(page.locator('[data-status=online]')).waitFor(),
    /** @param {string} text */
    async write(text) {
      await this.box.fill(text);
      await this.box.press('Enter');
    },
    async open() {
      await this.launcher.click();
      await this.online();
    },
  };
}

/** Lets a page hear a frame as if the gateway had said it. @param {import('playwright-core').Page} page */
export async function overhear(page) {
  await page.addInitScript(() => {
    const sockets = /** @type {WebSocket[]} */ ([]);
    window.WebSocket = class extends WebSocket {
      /** @param {string | URL} url */
      constructor(url) {
        super(url);
        sockets.push(this);
      }
    };
    Object.assign(window, {
      hear: (/** @type {object} */ frame) =>
        sockets.at(-1)?.onmessage?.(new MessageEvent('message', { data: JSON.stringify(frame) })),
    });
  });
}

/** @param {import('playwright-core').Page} page @param {object} frame */
export const hear = (page, frame) => page.evaluate((told) => /** @type {any} */ (window).hear(told), frame);

/**
 * The inbox of somebody who is signed in.
 * @param {import('playwright-core').Page} page
 */
export function inboxOn(page) {
  return {
    page,
    /** @param {string} text @param {string} [direction] */
    message: (text, direction) =>
      page.locator(direction ? `${T('message')}[data-direction=${direction}]` : T('message'), { hasText: text }),
    /** @param {string} text */
    row: (text) => page.locator(T('conversation-row'), { hasText: text }),
    /** @param {string} text */
    offer: (text) => page.locator(T('offer'), { hasText: text }),
    /** @param {string} choice */
    async presence(choice) {
      await page.click(T('presence'));
      await page.click(T(`presence-${choice}`));
      const now = { ready: 'READY', offline: 'OFFLINE' }[choice] ?? 'AWAY';
      const there = page.locator(`${T('presence')}[data-presence=${now}]`);
      // Who leaves live clients is asked first.
      const sure = page.locator(T('offline-now'));
      await there.or(sure).first().waitFor();
      if (await sure.isVisible()) await sure.click();
      await there.waitFor();
    },
    /** @param {string} text */
    async reply(text) {
      await page.fill(T('composer-text'), text);
      await page.press(T('composer-text'), 'Control+Enter');
    },
    /** @param {string} login @param {string} password */
    async signIn(login, password) {
      await page.fill(T('login'), login);
      await page.fill(T('password'), password);
      await page.click(T('sign-in'));
      await page.waitForSelector(T('presence'));
    },
  };
}
