// The demo shop's two languages, and a button of the page that opens the chat. The widget follows the
// language of the page by itself.

/** @type {Record<string, string>} */
const RUSSIAN = {
  noteTitle: 'Этот магазин показывает чат для сайта Switchboard.',
  noteText: 'Откройте чат в углу и напишите; сообщение придёт во {inbox}, где отвечает оператор.',
  inbox: 'входящие',
  nav: 'Магазин',
  language: 'Язык',
  bikes: 'Велосипеды',
  service: 'Мастерская',
  visit: 'Как нас найти',
  heroTitle: 'Чтобы ехать на работу и не спешить домой',
  heroText: 'Стальные рамы, ременный привод и свет, который не гаснет. Каждый велосипед собран руками и проверен на ходу, прежде чем станет вашим.',
  heroAction: 'Выбрать велосипед',
  ask: 'Спросить о размере',
  bikesTitle: 'Три рамы, много цветов',
  harbour: 'Городской, с прямой посадкой: семь передач и багажник для покупок.',
  ridge: 'Гравийные шины и место для сумок. Едет дальше, чем кончается асфальт.',
  commuter: 'Ременный привод и динамо во втулке, смазывать нечего. Готов каждое утро.',
  serviceTitle: 'Мастерская',
  serviceText: 'Привозите любой велосипед, наш или нет. Обычно чиним в тот же день и звоним, прежде чем сделать больше, чем договорились.',
  visitTitle: 'Как нас найти',
  visitText: 'Портовая улица, 14, с понедельника по субботу, с десяти до семи. Прокатиться можно без записи.',
  footer: 'Fjell & Wheel не настоящий магазин. Здесь ничего не продаётся.',
};

const texts = [...document.querySelectorAll('[data-t]')].map((element) => ({
  element,
  key: element.getAttribute('data-t') ?? '',
  english: [...element.childNodes],
}));
const labels = [...document.querySelectorAll('[data-t-label]')].map((element) => ({
  element,
  key: element.getAttribute('data-t-label') ?? '',
  english: element.getAttribute('aria-label') ?? '',
}));
const buttons = document.querySelectorAll('[data-lang]');

/** @param {string} language */
function speak(language) {
  document.documentElement.lang = language;
  for (const { element, key, english } of texts) {
    element.replaceChildren(...(language === 'ru' ? russian(key) : english));
  }
  for (const { element, key, english } of labels) {
    element.setAttribute('aria-label', language === 'ru' ? RUSSIAN[key] : english);
  }
  for (const button of buttons) button.setAttribute('aria-pressed', String(button.getAttribute('data-lang') === language));
  document.title = language === 'ru' ? 'Fjell & Wheel, велосипеды на каждый день' : 'Fjell & Wheel, bicycles for every day';
}

/** @param {string} key */
function russian(key) {
  const [before, after] = RUSSIAN[key].split('{inbox}');
  if (after === undefined) return [before];
  const link = document.createElement('a');
  link.href = '/';
  link.textContent = RUSSIAN.inbox;
  return [before, link, after];
}

for (const button of buttons) button.addEventListener('click', () => speak(button.getAttribute('data-lang') ?? 'en'));
if (/^ru\b/.test(navigator.language)) speak('ru');

document.getElementById('ask')?.addEventListener('click', () => {
  if (window.Switchboard && !Array.isArray(window.Switchboard)) window.Switchboard.open();
});
