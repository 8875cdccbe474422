// The queue from the client's side: the place, a number to be called back at, a rating at the end, and
// what the desk sees of it. English on a desktop, Russian in the dark on a phone.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { Gateway } from './support/gateway.mjs';
import { T, chatOn, gone, hear, inboxOn, openBrowser, overhear, setUp, shown } from './support/browser.mjs';
import { story } from './support/steps.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, locale: 'ru-RU', colorScheme: /** @type {const} */ ('dark') };

const gateway = await Gateway.start();
const browser = await openBrowser();
const ann = await browser.person('Ann');
const visitor = await browser.person('visitor');
const guest = await browser.person('guest', { ...PHONE, hasTouch: true, isMobile: true });
const desk = inboxOn(ann.page);
const chat = chatOn(visitor.page);
const theirs = chatOn(guest.page);
const stage = {
  pages: () => browser.pages(),
  close: async () => {
    await browser.close();
    await gateway.stop();
  },
};

/** A picture for people to look at. @param {import('playwright-core').Page} page @param {string} name */
async function picture(page, name) {
  const folder = process.env.SHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.waitForTimeout(400);
  await page.screenshot({ path: join(folder, `queue ${name}.png`.replaceAll(/[^\w.]+/g, '-')) });
}

const THIRD = { type: 'standing', position: 3, low_ms: 120_000, high_ms: 300_000, callback: true, callback_left: false };

await story('the queue and the rating', stage, async (step) => {
  await step('who waits is told of the place, and again when it improves', async () => {
    await setUp(ann.page, gateway.setUpLink, 'Ann Lee');
    for (const page of [visitor.page, guest.page]) {
      await overhear(page);
      await page.goto(`${gateway.url}demo`);
    }
    await chat.open();
    await chat.write('Is the Ridge in stock?');
    await chat.panel.locator('article[data-state=sent]').waitFor();
    const status = chat.panel.locator('.place [role=status]');
    assert.equal(await chat.panel.locator('.place').isVisible(), false, 'nothing is said of what is not known');
    await hear(visitor.page, THIRD);
    await status.filter({ hasText: /^You are 3rd in line, about 2\s?–\s?5 min\.$/ }).waitFor();
    await picture(visitor.page, '1 third in line');
    await hear(visitor.page, { ...THIRD, position: 1, low_ms: 0, high_ms: 40_000 });
    await status.filter({ hasText: 'You are next in line, less than a minute.' }).waitFor();
  });

  await step('a number that is no number is refused, a good one keeps the place', async () => {
    await chat.panel.getByRole('button', { name: 'Leave your number, keep your place' }).click();
    const phone = chat.panel.getByRole('textbox', { name: 'Phone' });
    assert.ok(await phone.evaluate((input) => input.matches(':focus')));
    await phone.fill('call me');
    await chat.panel.getByRole('button', { name: 'Call me back' }).click();
    await chat.panel.getByRole('alert').filter({ hasText: 'does not look like a phone number' }).waitFor();
    await picture(visitor.page, '2 no number');
    await phone.fill('+7 916 123-45-67');
    await phone.press('Enter');
    await chat.panel.locator('.place', { hasText: 'We will call you back. Your place is kept.' }).waitFor();
    await gone(phone);
    await visitor.page.waitForFunction(() =>
      document.querySelector('switchboard-chat')?.shadowRoot?.activeElement?.matches('.box'),
    );
    await shown(chat.message('+79161234567'));
    await picture(visitor.page, '3 number left');
  });

  await step('the operator finds the number in the thread, and ends the conversation', async () => {
    await desk.presence('ready');
    const card = desk.offer('+79161234567');
    await card.waitFor();
    await card.locator(T('offer-accept')).click();
    await ann.page.waitForSelector(T('composer-text'));
    await shown(desk.message('+79161234567', 'INBOUND'));
    await hear(visitor.page, { type: 'standing', position: 0, callback: false, callback_left: false });
    await gone(chat.panel.locator('.place'));
    await desk.reply('It is. We will call you.');
    await shown(chat.message('We will call you.'));
    await ann.page.click(T('act-finish'));
    await ann.page.click(T('finish-dialog-submit'));
  });

  await step('the client is asked, gives four stars and a reason', async () => {
    const rating = chat.panel.locator('.rating');
    await rating.getByText('How did you like the conversation with Ann Lee?').waitFor();
    await picture(visitor.page, '4 asked');
    await rating.getByRole('radio', { name: 'All right' }).check();
    await visitor.page.keyboard.press('ArrowRight');
    await rating.locator('.word', { hasText: 'Good' }).waitFor();
    await rating.getByRole('textbox', { name: 'Why? (optional)' }).fill('Quick, but not at once');
    await picture(visitor.page, '5 four stars');
    await rating.getByRole('button', { name: 'Send the rating' }).click();
    await rating.getByText('Thank you! Your rating: Good.').waitFor();
    await picture(visitor.page, '6 thanks');
  });

  await step('the desk sees it at once: in the thread, at its head and in the history', async () => {
    await ann.page.evaluate(() => (location.hash = '#/'));
    await ann.page.click(`${T('folder-ENDED')}`);
    await desk.row('We will call you.').first().click();
    await ann.page.locator(T('rating-strip'), { hasText: 'Rated 4 of 5: “Quick, but not at once”' }).waitFor();
    await ann.page.locator(`${T('timeline')} ${T('rating')}`, { hasText: '4 of 5' }).waitFor();
    await picture(ann.page, '7 desk');
  });

  await step('another mind is another rating, also after a reload', async () => {
    await visitor.page.reload();
    await chat.launcher.click();
    const rating = chat.panel.locator('.rating');
    await rating.getByText('Thank you! Your rating: Good.').waitFor();
    const second = await visitor.context.newPage();
    await second.goto(`${gateway.url}demo`);
    const tab = chatOn(second);
    await tab.launcher.click();
    await tab.panel.locator('.rating', { hasText: 'Your rating: Good.' }).waitFor();
    await hear(visitor.page, THIRD);
    await tab.panel.locator('.place', { hasText: 'You are 3rd in line' }).waitFor();
    await hear(visitor.page, { type: 'standing', position: 0, callback: false, callback_left: false });
    await gone(tab.panel.locator('.place'));
    await rating.getByRole('button', { name: 'Change' }).click();
    await rating.getByRole('radio', { name: 'Excellent' }).check();
    await rating.getByRole('button', { name: 'Send the rating' }).click();
    await rating.getByText('Your rating: Excellent.').waitFor();
    await tab.panel.locator('.rating', { hasText: 'Your rating: Excellent.' }).waitFor();
    // What a tab without the connection asks for goes by the one that has it.
    await tab.panel.getByRole('button', { name: 'Change' }).click();
    await tab.panel.getByRole('radio', { name: 'Very bad' }).check();
    await tab.panel.getByRole('button', { name: 'Send the rating' }).click();
    await rating.getByText('Your rating: Very bad.').waitFor();
    await ann.page.locator(T('rating-strip'), { hasText: 'Rated 1 of 5' }).waitFor();
    await rating.getByRole('button', { name: 'Change' }).click();
    await rating.getByRole('radio', { name: 'Excellent' }).check();
    await rating.getByRole('button', { name: 'Send the rating' }).click();
    await second.close();
    await ann.page.locator(T('rating-strip'), { hasText: 'Rated 5 of 5' }).waitFor();
  });

  await step('a supervisor scores the conversation', async () => {
    await ann.page.click(T('act-more'));
    await ann.page.click(T('menu-score'));
    await ann.page.getByRole('radio', { name: '5, excellent' }).check();
    await ann.page.getByRole('textbox', { name: 'Why' }).fill('Kept the promise');
    await picture(ann.page, '8 score');
    await ann.page.click(T('score-dialog-submit'));
    await ann.page.locator(T('score-strip'), { hasText: 'Ann Lee scored 5 of 5: “Kept the promise”' }).waitFor();
    await picture(ann.page, '9 scored');
    await ann.page.click(T('page-ratings'));
    const ratings = ann.page.locator(`${T('ratings-table')} tbody tr`);
    await shown(ratings.filter({ hasText: '5 of 5' }));
    await ann.page.selectOption(T('ratings-score'), '3');
    await ann.page.getByText('No ratings').waitFor();
    await ann.page.selectOption(T('ratings-score'), '');
    await ann.page.selectOption(T('ratings-period'), 'yesterday');
    await ann.page.getByText('No ratings').waitFor();
    await ann.page.selectOption(T('ratings-period'), 'today');
    await picture(ann.page, '9 ratings');
    await ratings.locator(T('rating-open')).click();
    await ann.page.locator(T('rating-strip'), { hasText: 'Rated 5 of 5' }).waitFor();
    await chat.write('One more question');
    await gone(chat.panel.locator('.rating'));
  });

  await step('in Russian, in the dark, on a phone', async () => {
    await theirs.launcher.tap();
    await theirs.online();
    await theirs.write('Здравствуйте, есть Ridge?');
    await theirs.panel.locator('article[data-state=sent]').waitFor();
    await hear(guest.page, { ...THIRD, position: 7 });
    const place = theirs.panel.locator('.place');
    await place.filter({ hasText: /Ваше место в очереди: 7, примерно 2\s?–\s?5\sмин\./ }).waitFor();
    await picture(guest.page, '10 phone place');
    await theirs.panel.getByRole('button', { name: 'Оставить номер и сохранить место' }).tap();
    await theirs.panel.getByRole('textbox', { name: 'Телефон' }).fill('8 916 123-45-67');
    await picture(guest.page, '11 phone number');
    await theirs.panel.getByRole('button', { name: 'Отмена' }).tap();
    const opens = new Date(Date.now() + 86_400_000).setHours(9, 0, 0, 0);
    await hear(guest.page, { ...THIRD, position: 0, closed_until: opens });
    await theirs.panel.getByRole('button', { name: 'Оставить номер', exact: true }).waitFor();
    await place.filter({ hasText: /Сейчас мы не работаем. Откроемся: .*09:00/ }).waitFor();
    await picture(guest.page, '12 phone closed');
    const ask = { type: 'rate', conversation_id: '1', operator_name: 'Анна', comment: '', until: Date.now() + 1e7 };
    await hear(guest.page, { type: 'standing', position: 0, callback: false, callback_left: false });
    await hear(guest.page, ask);
    await theirs.panel.getByRole('radio', { name: 'Отлично' }).tap();
    await picture(guest.page, '13 phone rating');
    await theirs.panel.getByRole('button', { name: 'Отправить оценку' }).tap();
    await theirs.panel.getByRole('alert').filter({ hasText: 'уже нельзя оценить' }).waitFor();
    await theirs.panel.getByRole('button', { name: 'Не оценивать' }).tap();
    await gone(theirs.panel.locator('.rating'));
    await hear(guest.page, ask);
    assert.equal(await theirs.panel.locator('.rating').count(), 0, 'who was not willing is not asked again');
  });

  await step('the form before a conversation says when a closed line opens', async () => {
    const late = await browser.person('late');
    const opens = new Date(Date.now() + 86_400_000).setHours(9, 0, 0, 0);
    await late.page.route('**/chat/*/config', async (route) => {
      const answer = await route.fetch();
      const config = { ...(await answer.json()), prechat: [{ name: 'phone', required: true }], closed_until: opens };
      await route.fulfill({ response: answer, json: config });
    });
    await late.page.goto(`${gateway.url}demo`);
    const closed = chatOn(late.page);
    await closed.launcher.click();
    await closed.panel.getByText(/^We are closed. Open again: .* 0?9:00 AM\. Write to us, we answer then\.$/).waitFor();
    await picture(late.page, '14 closed before');
  });

  await step('nobody’s page complains', async () => {
    assert.deepEqual(browser.complaints(), []);
  });
});
