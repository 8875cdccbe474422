// Switchboard site chat: what the loader (`widget.js`) fetches into its shadow root. Text from outside
// becomes text nodes only; nothing is stored before consent where the line asks for it.

import { Uploads } from './composer.js';
import { h, icon, setText } from './dom.js';
import { translator } from './i18n.js';
import { Session } from './session.js';
import { panelSheet } from './style.js';
import { Storage } from './thread.js';
import { View } from './view.js';

/**
 * @param {Site.Context} context
 * @returns {Site.Chat}
 */
export function start(context) {
  const { base, root, launcher, emit, config } = context;
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, panelSheet()];
  const badge = h('span', { class: 'badge', 'aria-hidden': true });
  launcher.append(icon('collapse'), badge);

  let words = translator(context.locale);
  const storage = new Storage(context.prefix);
  /** @type {View | undefined} */
  let view;
  let opened = false;
  let unread = 0;
  /** @type {Site.User | undefined} */
  let user;
  /** @type {HTMLElement} */
  let focusedBefore = launcher;

  const session = new Session(context, storage, {
    changed,
    arrived: () => {
      if (session.focused && !watching() && soundOn()) chime();
    },
    forgotten: () => {
      uploads.clear();
      user = undefined;
      close();
      draw('');
      changed();
    },
  });
  session.limits = { ...config.limits };
  const uploads = new Uploads(`${base}chat/${context.line}/files`, () => session.token, () => view?.update());

  function changed() {
    uploads.resume();
    if (watching()) session.markRead();
    view?.update();
    if (session.thread.unread !== unread) {
      unread = session.thread.unread;
      showInTitle(unread);
      emit('unread', unread);
    }
    showLauncher();
  }

  /** Whether the visitor has the newest message before their eyes. */
  function watching() {
    return opened && view?.atEnd && document.visibilityState === 'visible' && document.hasFocus();
  }

  function showLauncher() {
    setText(badge, unread > 99 ? '99+' : unread ? String(unread) : '');
    const label = opened ? words.t('close') : unread ? words.t('openUnread', { count: unread }) : words.t('open');
    if (launcher.ariaLabel !== label) launcher.ariaLabel = label;
    launcher.ariaExpanded = String(opened);
  }

  function soundOn() {
    return storage.get('sound') !== 'off';
  }

  /** Starts the conversation; from here on this browser remembers it. */
  function begin() {
    if (session.started) return;
    storage.persist();
    if (user) introduce(user);
    session.start();
  }

  /** @param {Site.User} known */
  async function introduce({ token, name, email, phone }) {
    try {
      const signed = typeof token === 'function' ? await token() : token;
      if (signed) session.identify(signed);
    } catch (error) {
      console.warn('Switchboard: no identity token:', error);
    }
    if (name || email || phone) session.setProfile({ name, email, phone });
  }

  /** What has to be asked before a first conversation; what the site has told is not. */
  function prechat() {
    const { prechat: fields = [], consent = {} } = config;
    return { prechat: fields.filter(({ name }) => !user || !(user.token || name in user)), consent };
  }

  /**
   * Draws the panel anew: in another language, for another visitor.
   * @param {string} draft
   */
  function draw(draft) {
    const focused = root.activeElement;
    const { locale } = context;
    const texts = config.texts?.[locale] ?? config.texts?.[locale.slice(0, 2)] ?? {};
    view?.element.remove();
    view = new View({
      base, words, session, uploads, draft,
      config: { ...config, ...prechat(), ...texts, texts: { here: texts } },
      actions: {
        close,
        seen: changed,
        soundOn,
        sound: (on) => storage.set('sound', on ? 'on' : 'off'),
        begin: (profile) => {
          session.setProfile(profile);
          begin();
        },
      },
    });
    root.append(view.element);
    if (!opened) return;
    const outside = /** @type {HTMLElement} */ (document.activeElement);
    view.show();
    if (!focused) outside.focus({ preventScroll: true });
  }

  function open() {
    if (opened) return;
    const asked = prechat();
    if (!asked.prechat.length && !asked.consent.required) begin();
    const focused = root.activeElement ?? document.activeElement;
    focusedBefore = focused instanceof HTMLElement && focused !== document.body ? focused : launcher;
    opened = true;
    if (view && (session.started || !user)) view.show();
    else draw('');
    changed();
    emit('opened');
  }

  function close() {
    if (!opened) return;
    opened = false;
    if (view) view.element.hidden = true;
    showLauncher();
    (focusedBefore.isConnected ? focusedBefore : launcher).focus({ preventScroll: true });
    emit('closed');
  }

  addEventListener('focus', changed);
  document.addEventListener('visibilitychange', changed);
  showLauncher();
  if (storage.known()) begin();

  return {
    open,
    close,
    toggle: () => (opened ? close() : open()),
    identify: (who) => {
      user = typeof who === 'string' ? { token: who } : who;
      if (session.started) introduce(user);
    },
    setAttributes: (attributes) => session.setProfile({ attributes }),
    setLocale: (locale) => {
      if (locale === context.locale) return;
      context.locale = locale;
      words = translator(locale);
      if (view) draw(view.draft);
      showLauncher();
    },
    reset: () => session.reset(),
  };
}

let titleCount = 0;
let titlePrefix = '';
/** @type {MutationObserver | undefined} */
let titleWatcher;

/**
 * Puts the count before the page's own title, which a single-page site may change meanwhile.
 * @param {number} count
 */
function showInTitle(count) {
  titleCount = count;
  writeTitle();
  titleWatcher ??= new MutationObserver(writeTitle);
  titleWatcher.observe(document.head, { childList: true, subtree: true, characterData: true });
}

function writeTitle() {
  const { title } = document;
  const own = titlePrefix && title.startsWith(titlePrefix) ? title.slice(titlePrefix.length) : title;
  titlePrefix = titleCount ? `(${titleCount}) ` : '';
  if (title !== titlePrefix + own) document.title = titlePrefix + own;
}

/** @type {AudioContext | undefined} */
let audio;

/** Two short tones, made here: no file to fetch. Browsers allow it only after a gesture. */
function chime() {
  if (!navigator.userActivation?.hasBeenActive) return;
  audio ??= new AudioContext();
  audio.resume();
  for (const [hertz, delay] of [[660, 0], [880, 0.12]]) {
    const at = audio.currentTime + delay;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.08, at);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.25);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.3);
  }
}
