// The widget's words. A language is a table; plural forms are keyed by `Intl.PluralRules` category.

/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>>} Phrase */

const MINUTE_MS = 60_000;
/** From here on minutes are said in hours. */
const LONG_MINUTES = 90;
const WEEK_MS = 6 * 86_400_000;

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
  next: 'You are next in line',
  place: { one: 'You are {count}st in line', two: 'You are {count}nd in line', few: 'You are {count}rd in line', other: 'You are {count}th in line' },
  wait: ', about {time}',
  soon: ', less than a minute',
  closed: 'We are closed. Open again: {when}. Write to us, we answer then.',
  callback: 'Leave your number, keep your place',
  leaveNumber: 'Leave your number',
  callMe: 'Call me back',
  cancel: 'Cancel',
  left: 'We will call you back. Your place is kept.',
  badPhone: 'That does not look like a phone number. Write it with the country code.',
  notDone: 'That did not work. Please try again.',
  rate: 'How did you like the conversation with {name}?',
  score1: 'Very bad',
  score2: 'Bad',
  score3: 'All right',
  score4: 'Good',
  score5: 'Excellent',
  why: 'Why? (optional)',
  sendRating: 'Send the rating',
  dismiss: 'Do not rate',
  thanks: 'Thank you! Your rating: {word}.',
  change: 'Change',
  tooLate: 'This conversation cannot be rated any more.',
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
  next: 'Вы первые в очереди',
  place: 'Ваше место в очереди: {count}',
  wait: ', примерно {time}',
  soon: ', меньше минуты',
  closed: 'Сейчас мы не работаем. Откроемся: {when}. Напишите нам, тогда и ответим.',
  callback: 'Оставить номер и сохранить место',
  leaveNumber: 'Оставить номер',
  callMe: 'Перезвоните мне',
  cancel: 'Отмена',
  left: 'Мы перезвоним. Ваше место сохранено.',
  badPhone: 'Это не похоже на номер телефона. Укажите его с кодом страны.',
  notDone: 'Не получилось. Попробуйте ещё раз.',
  rate: 'Как прошёл разговор? Отвечал оператор: {name}',
  score1: 'Очень плохо',
  score2: 'Плохо',
  score3: 'Нормально',
  score4: 'Хорошо',
  score5: 'Отлично',
  why: 'Почему? (необязательно)',
  sendRating: 'Отправить оценку',
  dismiss: 'Не оценивать',
  thanks: 'Спасибо! Ваша оценка: {word}.',
  change: 'Изменить',
  tooLate: 'Этот разговор уже нельзя оценить.',
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
  const ordinal = new Intl.PluralRules(locale, { type: 'ordinal' });
  const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
  const days = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });

  /**
   * @param {keyof typeof en} key
   * @param {Record<string, string | number>} [values]
   * @param {Intl.PluralRules} [rules]
   */
  function t(key, values = {}, rules = plural) {
    const phrase = table[key];
    const text = typeof phrase === 'string' ? phrase : phrase[rules.select(Number(values.count))] ?? phrase.other ?? '';
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
  }

  /**
   * A span of waiting, as people say it.
   * @param {number} low
   * @param {number} high
   */
  function wait(low, high) {
    const [from, to] = [Math.floor(low / MINUTE_MS), Math.ceil(high / MINUTE_MS)];
    if (to <= 1) return t('soon');
    const long = to > LONG_MINUTES;
    const [least, most] = long ? [Math.round(from / 60), Math.ceil(to / 60)] : [from, to];
    const format = new Intl.NumberFormat(locale, { style: 'unit', unit: long ? 'hour' : 'minute' });
    const first = Math.max(1, least);
    return t('wait', { time: first < most ? format.formatRange(first, most) : format.format(most) });
  }

  /** @param {number} at when the line opens */
  function closed(at) {
    const day = startOfDay(at) === startOfDay(Date.now()) ? undefined : at - Date.now() < WEEK_MS ? { weekday: 'long' } : { day: 'numeric', month: 'long' };
    const when = new Intl.DateTimeFormat(locale, { .../** @type {{ weekday?: 'long' }} */ (day), hour: '2-digit', minute: '2-digit' });
    return t('closed', { when: when.format(at) });
  }

  return {
    language,
    t,
    closed,
    /** @param {Site.Standing} standing */
    standing: ({ position: count, expected_ms, low_ms = expected_ms, high_ms = expected_ms, closed_until, callback_left }) => {
      let said = closed_until ? closed(closed_until) : '';
      if (count && !closed_until) {
        const place = count === 1 ? t('next') : t('place', { count }, ordinal);
        said = `${place}${high_ms === undefined ? '' : wait(low_ms ?? high_ms, high_ms)}.`;
      }
      return callback_left ? `${said} ${t('left')}`.trim() : said;
    },
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
