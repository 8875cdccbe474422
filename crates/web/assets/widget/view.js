// The panel: a dialog beside the page, a full screen sheet on a phone.

import { Composer } from './composer.js';
import { arrange, h, icon, iconButton, linkified, safeLink, setText } from './dom.js';
import { startOfDay } from './i18n.js';
import { PHONE } from './style.js';
import { Waiting } from './waiting.js';

/** A first connection quicker than this needs no word about it. */
const CONNECTING_QUIET_MS = 1_200;
/** Messages of one author within this time stand together under one name and one time. */
const GROUP_MS = 300_000;
const NEAR_END_PX = 60;
/** Formats every browser draws and that carry no script. */
const PICTURES = /^image\/(png|jpeg|gif|webp|avif)$/;
/** Links are signed for five minutes; a little earlier they are asked for again. */
const LINK_LIFE_MS = 240_000;

export class View {
  /** @type {Composer | undefined} */
  #composer;
  /** @type {Log | undefined} */
  #log;
  /** @type {Waiting | undefined} */
  #waiting;
  #banner = h('div', { class: 'banner', role: 'status' });
  #content = h('div', { class: 'middle' });
  #drop;
  #sound;
  #live = false;
  /** @type {boolean | undefined} Whether the form is shown. */
  #asks;
  #shownAt = 0;
  /** @type {(() => void)[]} */
  #awaitingLinks = [];

  /** @param {Site.ViewParts} parts */
  constructor(parts) {
    const { config, words, actions } = (this.parts = parts);
    const { t } = words;
    this.#sound = iconButton('sound', 'sound', '', () => {
      actions.sound(this.#sound.ariaPressed !== 'true');
      this.#showSound();
    });
    this.#drop = h('div', { class: 'drop', hidden: true }, t('drop'));
    const heading = h('div', { class: 'heading' }, h('h2', { id: 'title', dir: 'auto' }, config.title || t('title')));
    if (config.subtitle !== '') heading.append(h('p', { dir: 'auto' }, config.subtitle || t('subtitle')));
    this.element = h(
      'section',
      { class: 'panel', id: 'panel', role: 'dialog', 'aria-labelledby': 'title', tabindex: -1, hidden: true, dir: 'ltr', lang: words.language },
      h('div', { class: 'header' }, heading, this.#sound, iconButton('close', 'close', t('close'), actions.close)),
      this.#banner,
      this.#content,
      this.#drop,
    );
    this.#showSound();
    this.#listen();
    this.update();
  }

  get draft() {
    return this.#composer?.box.value ?? this.parts.draft;
  }

  get atEnd() {
    return Boolean(this.#log?.atEnd);
  }

  show() {
    this.#shownAt = Date.now();
    this.element.hidden = false;
    this.#fit();
    this.update();
    this.#log?.toEnd();
    setTimeout(() => this.update(), CONNECTING_QUIET_MS);
    this.#focus();
  }

  update() {
    const { session, words } = this.parts;
    const { t } = words;
    const asks = !session.started || session.asks;
    if (asks !== this.#asks) {
      this.#asks = asks;
      const focused = this.#content.matches(':focus-within');
      if (asks) this.#content.replaceChildren(this.#prechat());
      else this.#showThread();
      if (focused) this.#focus();
    }
    if (session.synced) this.#awaitingLinks.splice(0).forEach((done) => done());
    this.#log?.update(session.thread.items(), this.#live, session.typing);
    this.#live ||= session.synced;
    this.#waiting?.update();
    this.#composer?.update();
    const { status } = session;
    const quiet = status === 'connecting' && Date.now() - this.#shownAt < CONNECTING_QUIET_MS;
    setText(this.#banner, (status === 'connecting' || status === 'reconnecting') && !quiet ? t(status) : '');
    this.element.dataset.status = status;
  }

  #focus() {
    // On a touch screen a focused text box brings the keyboard up over what is to be read.
    const touch = matchMedia('(pointer: coarse)').matches;
    const first = this.element.querySelector(/** @type {'input'} */ ('.box, .prechat input'));
    (touch || !first ? this.element : first).focus({ preventScroll: true });
  }

  #showThread() {
    const { config, words, session, base, actions, uploads } = this.parts;
    this.#log = new Log(words, config.greeting || words.t('greeting'), {
      base,
      seen: actions.seen,
      retry: (clientId) => session.retry(clientId),
      discard: (clientId) => session.discard(clientId),
      refreshed: () => new Promise((resolve) => {
        this.#awaitingLinks.push(resolve);
        session.refresh();
      }),
    });
    this.#composer = new Composer(words, session, uploads, this.draft);
    this.#waiting = new Waiting(words, session, () => this.#focus());
    this.#content.replaceChildren(this.#log.element, this.#waiting.element, this.#composer.element);
  }

  #prechat() {
    const { config, words, actions } = this.parts;
    const { t } = words;
    const { prechat: fields = [], consent = {}, texts, closed_until: closed = 0 } = config;
    const own = texts?.here ?? {};
    const inputs = fields.map(({ name, required }) => ({
      name,
      label: own[name] ?? t(name),
      input: h('input', {
        name, required, maxlength: 200, autocomplete: name.replace('phone', 'tel'), type: { name: 'text', email: 'email', phone: 'tel' }[name],
      }),
    }));
    const box = h('input', { type: 'checkbox', name: 'consent', required: true });
    const privacy = safeLink(consent.privacy_url ?? '');
    const agreed = h('span', { dir: 'auto' }, ...linkified(own.consent_text || consent.text || t('consent')));
    if (privacy) agreed.append(' ', h('a', { href: privacy, target: '_blank', rel: 'noopener' }, t('privacy')));
    const form = h(
      'form',
      { class: 'prechat' },
      h('p', { class: 'hello', dir: 'auto' }, config.greeting || t('greeting')),
      closed > Date.now() && h('p', {}, words.closed(closed)),
      ...inputs.map(({ label, input }) => h('label', { class: 'field', dir: 'auto' }, label + (input.required ? '' : ` (${t('optional')})`), input)),
      consent.required && h('label', { class: 'consent' }, box, agreed),
      h('button', { class: 'primary' }, t('start')),
    );
    form.onsubmit = (event) => {
      event.preventDefault();
      /** @type {Site.Profile} */
      const profile = { consent: consent.required ? box.checked : undefined };
      for (const { name, input } of inputs) profile[name] = input.value.trim() || undefined;
      actions.begin(profile);
    };
    return form;
  }

  #showSound() {
    const on = this.parts.actions.soundOn();
    this.#sound.ariaPressed = String(on);
    this.#sound.ariaLabel = this.#sound.title = this.parts.words.t('sound');
    this.#sound.replaceChildren(icon(on ? 'sound' : 'mute'));
  }

  #listen() {
    const { element } = this;
    element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !event.isComposing) this.parts.actions.close();
      if (event.key === 'Tab' && matchMedia(PHONE).matches) this.#keepFocus(event);
    });
    // From outside, a keystroke in here does not look like one in a text field: the page's own
    // shortcuts would fire while the visitor writes.
    for (const type of ['keydown', 'keypress', 'keyup']) element.addEventListener(type, (event) => event.stopPropagation());
    element.ondragover = (event) => {
      if (!this.#composer || !event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      this.#drop.hidden = false;
    };
    element.ondragleave = (event) => {
      this.#drop.hidden = !element.contains(/** @type {Node | null} */ (event.relatedTarget));
    };
    element.ondrop = (event) => {
      if (this.#drop.hidden) return;
      event.preventDefault();
      this.#drop.hidden = true;
      this.#composer?.addFiles(event.dataTransfer?.files);
    };
    // A phone's keyboard shrinks the visual viewport only.
    for (const type of ['resize', 'scroll']) visualViewport?.addEventListener(type, () => this.#fit());
  }

  #fit() {
    if (!visualViewport) return;
    this.element.ariaModal = String(matchMedia(PHONE).matches);
    this.element.style.setProperty('--height', `${visualViewport.height}px`);
    this.element.style.setProperty('--top', `${visualViewport.offsetTop}px`);
  }

  /**
   * A sheet covers the page, so Tab stays in it.
   * @param {KeyboardEvent} event
   */
  #keepFocus(event) {
    const all = [...this.element.querySelectorAll(/** @type {'button'} */ ('button, textarea, input, a, .log'))]
      .filter((one) => !one.disabled && one.checkVisibility());
    const [from, to] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
    if (!from?.matches(':focus') && !this.element.matches(':focus')) return;
    event.preventDefault();
    to?.focus();
  }
}

/** The messages, day by day, kept at the newest while the reader is there. */
class Log {
  /** @type {Map<string, Bubble>} */
  #bubbles = new Map();
  /** @type {Map<number, HTMLElement>} */
  #days = new Map();
  /** @type {Site.Item[]} */
  #items = [];
  #greeting;
  #typing;
  #typingText = h('span');
  #latest;
  #top = 0;
  atEnd = true;

  /**
   * @param {Site.Words} words
   * @param {string} greeting
   * @param {Site.LogActions} actions
   */
  constructor(words, greeting, actions) {
    const { t } = words;
    this.words = words;
    this.actions = actions;
    this.#greeting = h('div', { class: 'message first greeting' }, h('div', { class: 'body', dir: 'auto' }, greeting));
    this.list = h('div', { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': t('log'), tabindex: 0 });
    this.list.onscroll = () => {
      const { scrollHeight, scrollTop, clientHeight } = this.list;
      if (!clientHeight) return;
      // Only the reader leaves the end: a picture that grows below does not scroll up.
      const stays = this.atEnd && scrollTop >= this.#top;
      this.#top = scrollTop;
      this.atEnd = stays || scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
      if (stays) this.#stay();
      this.#latest.hidden = this.atEnd;
      if (this.atEnd) actions.seen();
    };
    this.list.addEventListener('load', () => this.#stay(), true);
    new ResizeObserver(() => this.#stay()).observe(this.list);
    this.#typing = h('div', { class: 'typing' }, h('span', { class: 'dots', 'aria-hidden': true }, h('i'), h('i'), h('i')), this.#typingText);
    this.#latest = iconButton('collapse', 'latest', t('latest'), () => this.toEnd());
    this.element = h('div', { class: 'middle' }, this.list, this.#typing, this.#latest);
  }

  /**
   * @param {Site.Item[]} items
   * @param {boolean} live whether what comes now is news
   * @param {string} typing
   */
  update(items, live, typing) {
    const last = items.at(-1);
    if (last?.own && last.key !== this.#items.at(-1)?.key) this.atEnd = true;
    this.#items = items;
    const keys = new Set(items.map((item) => item.key));
    for (const key of this.#bubbles.keys()) if (!keys.has(key)) this.#bubbles.delete(key);
    /** @type {Element[]} */
    const wanted = [this.#greeting];
    items.forEach((item, index) => {
      const previous = items[index - 1];
      const next = items[index + 1];
      const day = startOfDay(item.at);
      if (!previous || startOfDay(previous.at) !== day) wanted.push(this.#day(day));
      const bubble = this.#bubbles.get(item.key) ?? new Bubble(item, this.words, this.actions);
      this.#bubbles.set(item.key, bubble);
      bubble.update(item, items.find(({ id }) => id && id === item.reply_to));
      bubble.element.classList.toggle('first', !together(previous, item));
      bubble.element.classList.toggle('last', item.edited || !together(item, next) || next.state !== item.state);
      wanted.push(bubble.element);
    });
    arrange(this.list, wanted);
    // The history is not read aloud, only what comes after it.
    this.list.ariaLive = live ? 'polite' : 'off';
    this.list.classList.toggle('live', live);
    this.#typing.hidden = !typing;
    setText(this.#typingText, typing && this.words.t('typing', { name: typing.trim() || this.words.t('operator') }));
    this.#stay();
  }

  toEnd() {
    this.atEnd = true;
    this.#stay();
  }

  #stay() {
    if (this.atEnd) this.list.scrollTop = this.list.scrollHeight;
    this.#latest.hidden = this.atEnd;
  }

  /** @param {number} day */
  #day(day) {
    const element = this.#days.get(day) ?? h('p', { class: 'day' });
    this.#days.set(day, element);
    setText(element, this.words.day(day));
    return element;
  }
}

/**
 * @param {Site.Item | undefined} one
 * @param {Site.Item | undefined} next
 */
function together(one, next) {
  if (!one || !next || one.failed) return false;
  return one.own === next.own && one.name === next.name && next.at - one.at < GROUP_MS && startOfDay(one.at) === startOfDay(next.at);
}

/** One message. Its parts change in place, so that a delivery mark does not make a screen reader say it all again. */
class Bubble {
  #author = h('span', { class: 'author', dir: 'auto' });
  #quote = h('div', { class: 'quote', dir: 'auto' });
  #text = h('div', { class: 'text', dir: 'auto' });
  #files = h('div', { class: 'files' });
  #body = h('div', { class: 'body' }, this.#quote, this.#text, this.#files);
  #reactions = h('div', { class: 'reactions' });
  #time = h('time');
  #state = h('span', { class: 'state' });
  #reason = h('span', { dir: 'auto' });
  #failure;
  /** @type {Site.Item} */
  #item;
  #shownFiles = '[]';

  /**
   * @param {Site.Item} item
   * @param {Site.Words} words
   * @param {Site.LogActions} actions
   */
  constructor(item, words, actions) {
    this.#item = item;
    this.words = words;
    this.actions = actions;
    const { t } = words;
    const choice = (/** @type {'retry' | 'discard'} */ name) =>
      h('button', { type: 'button', class: `link ${name}`, onclick: () => actions[name](item.key) }, t(name));
    this.#failure = h('div', { class: 'failure' }, this.#reason, choice('retry'), choice('discard'));
    this.element = h(
      'article',
      { class: item.own ? 'message own' : 'message' },
      this.#author,
      this.#body,
      this.#reactions,
      h('div', { class: 'meta' }, this.#time, this.#state),
      this.#failure,
    );
  }

  /**
   * @param {Site.Item} item
   * @param {Site.Item | undefined} quoted
   */
  update(item, quoted) {
    this.#item = item;
    const { t, time } = this.words;
    this.element.dataset.state = item.state;
    setText(this.#author, item.own ? t('you') : item.name || t('operator'));
    const text = item.deleted ? t('deleted') : item.text;
    if (text !== this.#text.textContent) this.#text.replaceChildren(...linkified(text));
    this.#text.hidden = !text;
    this.#body.classList.toggle('deleted', item.deleted);
    setText(this.#quote, quoted ? quoted.text || quoted.attachments[0]?.file_name || t('deleted') : '');
    this.#showFiles(item.deleted ? [] : item.attachments);
    setText(this.#reactions, item.reactions);
    setText(this.#time, time(item.at) + (item.edited ? `, ${t('edited')}` : ''));
    setText(this.#state, item.state && t(item.state));
    this.#failure.hidden = !item.failed;
    setText(this.#reason, item.failed ?? '');
  }

  /** @param {Site.Attachment[]} attachments */
  #showFiles(attachments) {
    const shown = JSON.stringify(attachments);
    if (shown === this.#shownFiles) return;
    this.#shownFiles = shown;
    this.#files.replaceChildren(...attachments.map((attachment, index) => this.#file(attachment, index)));
  }

  /**
   * @param {Site.Attachment} attachment
   * @param {number} index
   * @returns {HTMLElement}
   */
  #file(attachment, index) {
    const { file_name: name, media_type, size_bytes, url } = attachment;
    const href = url && safeLink(url, this.actions.base);
    const picture = href && PICTURES.test(media_type);
    const content = picture
      ? [h('img', { src: href, alt: name })]
      : [icon('file'), h('span', { class: 'file-name', dir: 'auto' }, name), h('small', {}, this.words.bytes(size_bytes))];
    if (!href) return h('span', { class: 'file' }, ...content);
    const link = h('a', { class: picture ? 'picture' : 'file', href, target: '_blank', rel: 'noopener nofollow' }, ...content);
    const stale = () => Date.now() - this.#item.received_at > LINK_LIFE_MS;
    link.onclick = (event) => {
      if (!stale()) return;
      event.preventDefault();
      this.actions.refreshed().then(() => {
        const fresh = safeLink(this.#item.attachments[index]?.url ?? '', this.actions.base);
        if (fresh) h('a', { href: fresh, target: '_blank', rel: 'noopener nofollow' }).click();
      });
    };
    link.firstElementChild?.addEventListener('error', () => {
      if (stale()) this.actions.refreshed();
      else link.replaceWith(this.#file({ ...attachment, media_type: '' }, index));
    });
    return link;
  }
}
