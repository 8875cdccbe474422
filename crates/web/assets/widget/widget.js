// Switchboard site chat, the loader: a launcher, and the chat itself when it is opened or there is
// a conversation. How a site embeds and calls it: docs/channels/webchat.md.
(() => {
  const script = /** @type {HTMLScriptElement} */ (
    document.currentScript || document.querySelector('script[src$="/widget.js"]')
  );
  const early = window.Switchboard || [];
  if (!script || !Array.isArray(early)) return;

  const { line = 'site', locale: fixed } = script.dataset;
  const base = new URL('.', script.src).href;
  const prefix = `switchboard:${base}${line}:`;
  const page = document.documentElement;
  /** @type {Site.Config} */
  let config = {};
  /** @type {any} */
  let chat;
  /** @type {Promise<Site.Chat> | undefined} */
  let loading;
  /** @type {number | ''} */
  let attempt = '';
  let ready = false;
  let chosen = fixed;
  let lang = page.lang;
  /** @type {(chat: Site.Chat) => void} */
  let announce;
  /** @type {Promise<Site.Chat>} */
  const started = new Promise((resolve) => (announce = resolve));

  const host = document.createElement('switchboard-chat');
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  root.adoptedStyleSheets = [sheet];
  const launcher = document.createElement('button');
  launcher.className = 'launcher';
  const svg = 'http://www.w3.org/2000/svg';
  const icon = document.createElementNS(svg, 'svg');
  icon.setAttribute('viewBox', '0 0 24 24');
  const path = document.createElementNS(svg, 'path');
  path.setAttribute('d', 'M5 5h14v10H11l-5 4v-4H5z');
  icon.append(path);
  launcher.append(icon);
  const note = document.createElement('p');
  note.className = 'note';
  note.setAttribute('role', 'status');
  root.append(note, launcher);

  const locale = () => chosen || page.lang || config.locale || navigator.language;
  const say = (/** @type {string} */ en, /** @type {string} */ ru) => (/^ru/i.test(locale()) ? ru : en);
  const emit = (/** @type {string} */ event, /** @type {unknown} */ detail) =>
    host.dispatchEvent(new CustomEvent(event, { detail }));

  const paint = () => {
    const accent = /^#[\da-f]{6}$/i.exec(config.color || '')?.[0] || '#2457d6';
    const [r, g, b] = [1, 3, 5].map((i) => (parseInt(accent.slice(i, i + 2), 16) / 255) ** 2.2);
    // Under this luminance white has 4.5:1 on the accent, over it black has.
    const ink = config.text_color || (0.2126 * r + 0.7152 * g + 0.0722 * b < 0.18 ? '#fff' : '#101317');
    const side = (host.dataset.side = /left/.test(config.position || '') ? 'left' : 'right');
    sheet.replaceSync(`
:host { all: initial !important; position: fixed !important; inset: auto 0 0 auto !important; z-index: 2147483000 !important;
  --accent: ${accent}; --ink: ${ink}; --font: 15px/1.45 system-ui, sans-serif; }
.launcher { position: fixed; bottom: max(20px, env(safe-area-inset-bottom)); ${side}: 20px; width: 58px; height: 58px; padding: 15px; border: 0;
  border-radius: 50%; background: var(--accent); color: var(--ink); cursor: pointer; box-shadow: 0 4px 20px #0005; }
.launcher:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
.launcher svg { display: block; fill: currentColor; stroke: currentColor; stroke-width: 3; stroke-linejoin: round; }
.note { position: fixed; bottom: 80px; ${side}: 20px; padding: 10px 14px; border-radius: 12px; background: #222; color: #fff; font: var(--font); }
.note:empty { display: none; }
@media print { :host { display: none !important; } }`);
  };
  const relabel = () => {
    if (chat) chat.setLocale(locale());
    else launcher.setAttribute('aria-label', say('Open chat', 'Открыть чат'));
  };

  const load = () => {
    note.textContent = '';
    // Browsers may remember a failed module: another attempt has another address.
    loading ||= import(`${base}widget/chat.js${attempt && `?${attempt}`}`).then((module) => {
      chat = module.start({ base, line, prefix, root, launcher, config, locale: locale(), emit });
      announce(chat);
      return chat;
    }).catch((error) => {
      loading = undefined;
      attempt = Date.now();
      throw error;
    });
    return loading;
  };
  const open = (/** @type {'open' | 'toggle'} */ how) =>
    configured.then(load).then((loaded) => loaded[how]()).catch(() => {
      note.textContent = say('No connection, please try again', 'Нет связи, попробуйте ещё раз');
    });
  launcher.onclick = () => open('toggle');

  /** @type {Site.Api} */
  const api = (window.Switchboard = {
    open: () => void open('open'),
    close: () => chat?.close(),
    identify: (user) => started.then((loaded) => loaded.identify(user)),
    setAttributes: (attributes) => started.then((loaded) => loaded.setAttributes(attributes)),
    setLocale: (tag) => {
      chosen = tag;
      relabel();
    },
    reset: () => started.then((loaded) => loaded.reset()),
    on: (event, listener) => {
      const hear = (/** @type {any} */ { detail }) => listener(detail);
      host.addEventListener(event, hear);
      if (event === 'ready' && ready) listener();
      return () => host.removeEventListener(event, hear);
    },
    push: (...callbacks) => callbacks.forEach((callback) => callback(api)),
  });

  // Single-page sites replace the body or what is in it: the host goes back. The pause keeps two
  // scripts that undo each other from spinning.
  const attach = () => {
    if (ready && document.body && !host.isConnected) document.body.append(host);
  };
  const watcher = new MutationObserver(() => {
    watch();
    if (!host.isConnected) setTimeout(attach, 50);
    if (lang !== page.lang) relabel();
    lang = page.lang;
  });
  const watch = () => {
    watcher.observe(page, { childList: true, attributeFilter: ['lang'] });
    if (document.body) watcher.observe(document.body, { childList: true });
  };
  watch();

  const configured = fetch(`${base}chat/${line}/config`, { credentials: 'omit' })
    .then((answer) => {
      if (answer.status === 403 || answer.status === 404) throw `no chat line "${line}" for this site`;
      return answer.ok ? answer.json() : {};
    }, () => ({})) // A gateway that restarts keeps its launcher.
    .then((found) => {
      config = found || {};
      paint();
      relabel();
      ready = true;
      attach();
      emit('ready', undefined);
      try {
        if (localStorage.getItem(`${prefix}token`)) load().catch(() => {});
      } catch {
        // Storage is switched off: each page load is a new visitor.
      }
    });
  configured.catch((error) => console.warn('Switchboard:', error));
  api.push(...early);
})();
