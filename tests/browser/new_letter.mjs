// A letter to somebody who did not write yet. The mail servers are away: what is written waits.

import assert from 'node:assert/strict';

import { Gateway } from './support/gateway.mjs';
import { PASSWORD, T, inboxOn, openBrowser, setUp, shown } from './support/browser.mjs';
import { story } from './support/steps.mjs';

const CONFIG = `
[[queue]]
id = "main"
name = "Sales"

[[line]]
id = "mail"
name = "Shop letters"
channel = "email"
queue = "main"
address = "shop@example.com"
password = "secret"

[[line.mailbox]]
host = "127.0.0.1"
port = 9
security = "none"

[line.smtp]
host = "127.0.0.1"
port = 9
security = "none"
login = false
`;

const gateway = await Gateway.start(CONFIG);
const browser = await openBrowser();
const ann = await browser.person('Ann');
const boris = await browser.person('Boris', { locale: 'ru-RU' });
const desk = inboxOn(ann.page);
const stage = {
  pages: () => browser.pages(),
  close: async () => {
    await browser.close();
    await gateway.stop();
  },
};

await story('a new letter', stage, async (step) => {
  await step('what is no address is refused, and what was written stays', async () => {
    await setUp(ann.page, gateway.setUpLink, 'Ann Lee');
    await ann.page.click(T('new-letter'));
    await ann.page.fill(T('new-letter-to'), 'nobody');
    await ann.page.fill(T('new-letter-subject'), 'Your order');
    await ann.page.click(T('new-letter-submit'));
    await ann.page.getByText('nobody is no address').first().waitFor();
    assert.equal(await ann.page.inputValue(T('new-letter-to')), 'nobody');
    assert.equal(await ann.page.inputValue(T('new-letter-subject')), 'Your order');
  });

  await step('the letter is written in a conversation of its own', async () => {
    await ann.page.fill(T('new-letter-to'), 'vera@client.example');
    await ann.page.click(T('new-letter-submit'));
    await ann.page.waitForSelector(T('composer-text'));
    await shown(desk.row('vera@client.example'));
    await desk.reply('It is ready.');
    const said = desk.message('It is ready.', 'OUTBOUND');
    await shown(said);
    assert.match(await said.locator(T('letter-head')).innerText(), /Your order[^]*vera@client\.example/);
  });

  await step('it is begun from the palette as well, in Russian', async () => {
    await boris.page.goto(gateway.url);
    await inboxOn(boris.page).signIn('ann', PASSWORD);
    await boris.page.keyboard.press('Control+k');
    await boris.page.click(T('palette-new-letter'));
    await boris.page.getByRole('heading', { name: 'Новое письмо' }).waitFor();
    await boris.page.getByRole('button', { name: 'Начать разговор' }).waitFor();
  });
});
