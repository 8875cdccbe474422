// The widget's words. A language is a table; plural forms are keyed by `Intl.PluralRules` category.

/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>>} Phrase */

const en = {
  title: 'Chat with us',
  subtitle: 'Write to us, we read every message',
  greeting: 'Hello! How can we help?',
  open: 'Open chat',
  openUnread: 'Open chat, {count} unread',
  close: 'Close chat',
  log: 'Messages',
  placeholder: 'Write a message…',
  message: 'Message',
  send: 'Send',
  attach: 'Attach a file',
  attachLimit: 'Attach a file, up to {size}',
  files: 'Files up to {size}',
  drop: 'Drop files to attach them',
  remove: 'Remove {name}',
  waiting: 'Waiting for the connection',
  uploading: 'Uploading, {percent}%',
  done: 'Ready to send, {size}',
  sendAfter: 'The message goes as soon as the file is uploaded.',
  tooLarge: '“{name}” is larger than {size}.',
  tooMany: 'No more than {count} files in one message.',
  counter: '{count} of {max} characters',
  tooLong: 'Too long: {count} of {max} characters',
  connecting: 'Connecting…',
  reconnecting: 'Reconnecting… Your messages are kept and will be sent.',
  queued: 'Sending…',
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
  failed: 'Not sent',
  retry: 'Try again',
  discard: 'Delete',
  deleted: 'Message deleted',
  edited: 'edited',
  you: 'You',
  operator: 'Support',
  typing: '{name} is typing…',
  latest: 'To the latest messages',
  sound: 'Sound of new messages',
  start: 'Start chat',
  optional: 'optional',
  name: 'Name',
  email: 'E-mail',
  phone: 'Phone',
  privacy: 'Privacy policy',
  consent: 'I agree to the processing of my personal data.',
  today: 'Today',
  yesterday: 'Yesterday',
};

/** @type {Record<keyof typeof en, Phrase>} */
const ru = {
  title: 'Напишите нам',
  subtitle: 'Мы читаем каждое сообщение',
  greeting: 'Здравствуйте! Чем можем помочь?',
  open: 'Открыть чат',
  openUnread: {
    one: 'Открыть чат, {count} непрочитанное',
    other: 'Открыть чат, {count} непрочитанных',
  },
  close: 'Закрыть чат',
  log: 'Сообщения',
  placeholder: 'Напишите сообщение…',
  message: 'Сообщение',
  send: 'Отправить',
  attach: 'Прикрепить файл',
  attachLimit: 'Прикрепить файл, до {size}',
  files: 'Файлы до {size}',
  drop: 'Отпустите файлы, чтобы прикрепить',
  remove: 'Убрать {name}',
  waiting: 'Ждём соединения',
  uploading: 'Загрузка, {percent}%',
  done: 'Готово к отправке, {size}',
  sendAfter: 'Сообщение уйдёт, как только файл загрузится.',
  tooLarge: 'Файл «{name}» больше {size}.',
  tooMany: 'Не больше {count} файлов в одном сообщении.',
  counter: '{count} из {max} знаков',
  tooLong: 'Слишком длинно: {count} из {max} знаков',
  connecting: 'Соединяемся…',
  reconnecting: 'Восстанавливаем связь… Сообщения сохранены и будут отправлены.',
  queued: 'Отправляется…',
  sent: 'Отправлено',
  delivered: 'Доставлено',
  read: 'Прочитано',
  failed: 'Не отправлено',
  retry: 'Повторить',
  discard: 'Удалить',
  deleted: 'Сообщение удалено',
  edited: 'изменено',
  you: 'Вы',
  operator: 'Поддержка',
  typing: '{name} печатает…',
  latest: 'К последним сообщениям',
  sound: 'Звук новых сообщений',
  start: 'Начать чат',
  optional: 'необязательно',
  name: 'Имя',
  email: 'Эл. почта',
  phone: 'Телефон',
  privacy: 'Политика конфиденциальности',
  consent: 'Я согласен на обработку персональных данных.',
  today: 'Сегодня',
  yesterday: 'Вчера',
};

/** @type {Record<string, Record<keyof typeof en, Phrase>>} */
const TABLES = { en, ru };

/** @typedef {ReturnType<typeof translator>} Words */

/** @param {string} wanted a language tag, such as `ru-RU` */
export function translator(wanted) {
  const short = wanted.toLowerCase().split(/[-_]/)[0];
  const language = short in TABLES ? short : 'en';
  const table = TABLES[language];
  // Dates as the visitor has them elsewhere, in this language.
  const locale = navigator.languages.find((tag) => tag.startsWith(language)) ?? language;
  const plural = new Intl.PluralRules(locale);
  const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
  const days = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });

  /**
   * @param {keyof typeof en} key
   * @param {Record<string, string | number>} [values]
   */
  function t(key, values = {}) {
    const phrase = table[key];
    const text = typeof phrase === 'string' ? phrase : phrase[plural.select(Number(values.count))] ?? phrase.other ?? '';
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
  }

  return {
    language,
    t,
    /** @param {number} at */
    time: (at) => clock.format(at),
    /** @param {number} at */
    day: (at) => {
      const ago = Math.round((startOfDay(Date.now()) - startOfDay(at)) / 86_400_000);
      if (ago === 0) return t('today');
      if (ago === 1) return t('yesterday');
      return days.format(at);
    },
    /** @param {number} count */
    bytes: (count) => {
      const step = Math.max(1, Math.min(3, Math.floor(Math.log2(Math.max(count, 1)) / 10)));
      const unit = ['', 'kilobyte', 'megabyte', 'gigabyte'][step];
      const amount = count / 1024 ** step;
      return new Intl.NumberFormat(locale, { style: 'unit', unit, maximumFractionDigits: amount < 10 ? 1 : 0 }).format(amount);
    },
  };
}

/** @param {number} at */
export function startOfDay(at) {
  return new Date(at).setHours(0, 0, 0, 0);
}
