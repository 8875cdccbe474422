// A shop in the middle of its day, in two languages, for whoever looks at every page of it.

import { PASSWORD, setUp } from './browser.mjs';

// Open on one day of the week only, and that is neither today nor tomorrow.
const OPEN_DAY = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(new Date().getUTCDay() + 3) % 7];

/** Nobody answers at the webhook's port, so that there is something to see there. */
export const CONFIG = `
[[hours]]
id = "office"
zone = "UTC"
${OPEN_DAY} = "09:00-18:00"

[[queue]]
id = "sales"
name = "Sales"
wrap_up = "manual"
wrap_up_time = "1h"
dispositions = ["Sold", "No sale", "Call later"]
disposition_required = true
offer_timeout = "1h"
abandon_after = "never"

[[queue]]
id = "support"
name = "Поддержка"
offer_timeout = "1h"
abandon_after = "never"

[[queue]]
id = "night"
name = "Night desk"
hours = "office"
abandon_after = "never"

[[line]]
id = "site"
name = "Shop chat"
channel = "webchat"
queue = "sales"
[line.texts.ru]
title = "Чат магазина"

[[line]]
id = "help"
name = "Помощь на сайте"
channel = "webchat"
queue = "support"

[[line]]
id = "night"
name = "Night chat"
channel = "webchat"
queue = "night"

[[line]]
id = "contact-form"
name = "Contact form"
channel = "form"
queue = "support"

[[webhook]]
id = "crm"
url = "http://127.0.0.1:9/switchboard"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
`;

const SERVICES = {
  Inbox: 'switchboard.inbox.v1.Inbox',
  Admin: 'switchboard.admin.v1.Admin',
  Routing: 'switchboard.routing.v1.Routing',
};

/**
 * As the page itself calls.
 * @param {import('playwright-core').Page} page
 * @param {string} method such as "Inbox/GetMe"
 * @param {object} body
 * @returns {Promise<any>}
 */
export async function call(page, method, body) {
  const [service, name] = method.split('/');
  const path = `/${SERVICES[/** @type {keyof SERVICES} */ (service)]}/${name}`;
  const answer = await page.evaluate(
    async ([to, sent]) => {
      const response = await fetch(to, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'connect-protocol-version': '1' },
        body: JSON.stringify(sent),
      });
      return { ok: response.ok, body: await response.json() };
    },
    /** @type {const} */ ([path, { clientId: crypto.randomUUID(), ...body }]),
  );
  if (!answer.ok) throw new Error(`${method}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** A read has no client_id. */
const READS = { clientId: undefined };

/**
 * Somebody writes on a line of the site, and stays.
 * @param {import('playwright-core').Page} page one of the gateway's own
 * @param {string} line
 * @param {{ name?: string, locale?: string, phone?: string }} who
 * @param {string[]} texts
 */
export async function writes(page, line, who, texts) {
  return page.evaluate(
    async ([id, { phone, locale = 'en', ...profile }, words]) => {
      const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/chat/${id}/socket`);
      const say = (/** @type {object} */ frame) => socket.send(JSON.stringify(frame));
      let left = words.length + (phone ? 1 : 0);
      await new Promise((done, fail) => {
        socket.onopen = () => say({ type: 'hello', locale });
        socket.onerror = fail;
        socket.onmessage = ({ data }) => {
          const frame = JSON.parse(data);
          if (frame.type === 'welcome') {
            say({ type: 'profile', ...profile });
            for (const text of words) say({ type: 'message', client_id: crypto.randomUUID(), text });
            if (phone) say({ type: 'callback', client_id: crypto.randomUUID(), phone });
          }
          if (frame.type === 'refused' || frame.type === 'error') fail(new Error(data));
          if (frame.type === 'ack' && --left === 0) done(undefined);
        };
      });
      const kept = /** @type {any} */ (window);
      kept.sockets = [...(kept.sockets ?? []), socket];
      return kept.sockets.length - 1;
    },
    /** @type {const} */ ([line, who, texts]),
  );
}

/**
 * A client who stayed rates what has ended.
 * @param {import('playwright-core').Page} page
 * @param {number} client what `writes` answered
 * @param {string} conversation
 * @param {number} score
 * @param {string} comment
 */
export async function rates(page, client, conversation, score, comment) {
  await page.evaluate(
    async ([index, rating]) => {
      const socket = /** @type {WebSocket} */ (/** @type {any} */ (window).sockets[index]);
      await new Promise((done, fail) => {
        socket.onmessage = ({ data }) => {
          const frame = JSON.parse(data);
          if (frame.type === 'ack') done(undefined);
          if (frame.type === 'refused') fail(new Error(data));
        };
        socket.send(JSON.stringify({ type: 'rating', client_id: crypto.randomUUID(), ...rating }));
      });
    },
    /** @type {const} */ ([client, { conversation_id: conversation, score, comment }]),
  );
}

/**
 * The conversation that begins or ends with these words.
 * @param {import('playwright-core').Page} page
 * @param {string} text
 * @param {string} [folder]
 */
export async function found(page, text, folder = 'ALL_OPEN') {
  for (;;) {
    const { conversations = [] } = await call(page, 'Inbox/ListConversations', { ...READS, folder, pageSize: 100 });
    const one = conversations.find((/** @type {any} */ c) => (c.lastMessageText ?? '').includes(text));
    if (one) return /** @type {string} */ (one.id);
    await page.waitForTimeout(50);
  }
}

const ENDED = [
  ['Do you repair belts?', 'Vera Novak', 'We do, on the same day.', 'Sold', 5, 'Quick and to the point. Thank you!'],
  ['Где мой заказ № 4512?', 'Ольга Смирнова', 'Он уже в пути, будет завтра.', 'No sale', 2, 'Ждала ответа слишком долго'],
  ['Is the Ridge in stock in green, size L?', 'Tom Baker', 'It is.', 'Sold', 4, ''],
  ['Сколько стоит доставка?', 'Пётр Ильич Константинопольский', 'Бесплатно от 5 000 ₽.', 'Call later', 1, 'Так и не понял, сколько платить.'],
];

/**
 * Fills a gateway with a day: conversations that wait, are answered and have ended, promises, canned
 * replies, notes that name somebody, ratings, a block.
 *
 * @param {string} url
 * @param {string | undefined} link of the set-up
 * @param {import('playwright-core').Page} ann
 * @param {import('playwright-core').Page} clients
 */
export async function openShop(url, link, ann, clients) {
  await setUp(ann, link, 'Ann Lee');
  await clients.goto(`${url}demo`);
  const { operator: me } = await call(ann, 'Inbox/GetMe', READS);
  const everywhere = [{ queueId: 'sales' }, { queueId: 'support' }, { queueId: 'night' }];
  const boris = await call(ann, 'Admin/CreateOperator', {
    login: 'boris',
    displayName: 'Борис Орлов',
    password: PASSWORD,
    role: 'OPERATOR',
    queues: everywhere.slice(0, 2),
    skills: ['billing', 'lang:ru'],
  });
  await call(ann, 'Admin/CreateOperator', {
    login: 'maria',
    displayName: 'Maria Kuznetsova-Abercrombie',
    password: PASSWORD,
    role: 'SUPERVISOR',
    queues: everywhere,
  });
  for (const [shortcut, title, text, personal] of /** @type {const} */ ([
    ['hello', 'Greeting', 'Good day, {{client.first_name}}! This is {{operator.name}}.', false],
    ['dostavka', 'Доставка', 'Доставка по России занимает от двух до пяти дней.', false],
    ['bye', 'Мой ответ', 'Спасибо, что написали!', true],
  ])) {
    const variants = shortcut === 'hello' ? [{ locale: 'ru', text: 'Здравствуйте!' }] : [];
    await call(ann, 'Admin/SaveCannedReply', { cannedReply: { shortcut, title, text, personal, variants } });
  }
  for (const [question, name, answer, disposition, score, comment] of ENDED) {
    const client = await writes(clients, 'site', { name: String(name) }, [String(question)]);
    const conversationId = await found(ann, String(question));
    await call(ann, 'Inbox/TakeConversation', { conversationId });
    await call(ann, 'Inbox/SendMessage', { conversationId, text: answer });
    await call(ann, 'Inbox/FinishConversation', { conversationId, disposition });
    await call(ann, 'Inbox/FinishConversation', { conversationId, disposition });
    await rates(clients, client, conversationId, Number(score), String(comment));
    if (score === 2) await call(ann, 'Inbox/ScoreConversation', { conversationId, score: 4, comment: 'Polite' });
  }
  return { me, boris };
}

/**
 * What goes on while somebody looks.
 * @param {import('playwright-core').Page} ann
 * @param {import('playwright-core').Page} clients
 * @param {string} boris
 */
export async function openDay(ann, clients, boris) {
  await writes(clients, 'night', { name: 'Late Larry' }, ['Do you answer at night?']);
  await writes(clients, 'help', { name: 'Мария', locale: 'ru' }, ['Добрый день!', 'Не приходит письмо с подтверждением заказа.']);
  await writes(clients, 'site', { name: 'Client with a number', phone: '+7 916 123-45-67' }, ['Please call me']);
  await writes(clients, 'site', {}, ['Buy cheap watches']);
  const spam = await found(ann, 'cheap watches');
  await call(ann, 'Inbox/FinishConversation', { conversationId: spam, spam: true, disposition: 'No sale' });

  await writes(clients, 'site', { name: 'Иван Петров', locale: 'ru' }, [
    'Здравствуйте! Есть ли Ridge зелёного цвета?',
    'И можно ли забрать его сегодня вечером, после работы? Я буду около восьми, если пробки не задержат на Садовом.',
  ]);
  const talk = await found(ann, 'пробки');
  await call(ann, 'Inbox/TakeConversation', { conversationId: talk });
  const say = (/** @type {string} */ text) => call(ann, 'Inbox/SendMessage', { conversationId: talk, text });
  await say('Здравствуйте, Иван! Да, есть один, размер L.');
  await call(ann, 'Inbox/AddNote', {
    conversationId: talk,
    text: '@Борис Орлов, отложи, пожалуйста, зелёный Ridge.',
    mentionedOperatorIds: [boris],
  });
  await say('We are open until nine: https://example.com/visit');
  const { operator: me } = await call(ann, 'Inbox/GetMe', READS);
  await call(ann, 'Inbox/ScheduleCallback', {
    conversationId: talk,
    dueAt: new Date(Date.now() + 45 * 60_000).toISOString(),
    note: 'Say whether the green one is kept',
    operatorId: me.id,
  });
  await call(ann, 'Inbox/ScheduleCallback', {
    conversationId: spam,
    dueAt: new Date(Date.now() + 26 * 3_600_000).toISOString(),
    note: 'Выставить счёт',
    wholeQueue: true,
    kind: 'OBLIGATION_KIND_REPLY',
  });

  await writes(clients, 'site', { name: 'Greta Thornbury' }, ['How long is the guarantee on the belt drive?']);
  const ending = await found(ann, 'guarantee');
  await call(ann, 'Inbox/TakeConversation', { conversationId: ending });
  await call(ann, 'Inbox/SendMessage', { conversationId: ending, text: 'Three years.' });
  await call(ann, 'Inbox/FinishConversation', { conversationId: ending, disposition: '' });
  return { talk, ending };
}
