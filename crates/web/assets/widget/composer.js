// Where the visitor writes: text box, files, counter, typing signal.

import { arrange, h, icon, iconButton, setText } from './dom.js';

const TYPING_EVERY_MS = 3_000;
const TYPING_IDLE_MS = 5_000;
/** The counter appears when this part of the limit is used. */
const COUNTER_FROM = 0.9;
const TEXT_LENGTH_MAX = 4_000;

export class Composer {
  #picker;
  #attach;
  #send;
  #hint = h('p', { class: 'hint', id: 'hint' });
  #files = h('ul', { class: 'uploads' });
  /** @type {Map<Site.Upload, ReturnType<Composer['_chip']>>} */
  #chips = new Map();
  #problem = '';
  #sendWhenUploaded = false;
  #typedAt = 0;
  #idle = 0;

  /**
   * @param {Site.Words} words
   * @param {Site.Session} session
   * @param {Site.Uploads} uploads
   * @param {string} draft
   */
  constructor(words, session, uploads, draft) {
    this.words = words;
    this.session = session;
    this.uploads = uploads;
    const { t } = words;
    this.#picker = h('input', { type: 'file', multiple: true, hidden: true });
    this.#picker.onchange = () => {
      this.addFiles(this.#picker.files);
      this.#picker.value = '';
    };
    this.#attach = iconButton('attach', 'attach', '', () => this.#picker.click());
    this.#send = iconButton('send', 'send', t('send'), () => this.#submit());
    this.box = h('textarea', {
      class: 'box', rows: 1, dir: 'auto', enterkeyhint: 'send', placeholder: t('placeholder'), 'aria-label': t('message'), 'aria-describedby': 'hint',
    });
    this.box.value = draft;
    this.box.oninput = () => this.#typed();
    this.box.onkeydown = (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    };
    this.box.onpaste = (event) => {
      if (!event.clipboardData?.files.length) return;
      event.preventDefault();
      this.addFiles(event.clipboardData.files);
    };
    const row = h('div', { class: 'row' }, this.#attach, this.#picker, this.box, this.#send);
    this.element = h('div', { class: 'composer' }, this.#files, row, this.#hint);
    this.update();
  }

  /** @param {FileList | null | undefined} files */
  addFiles(files) {
    const { t, bytes } = this.words;
    const { file_bytes_max: max, files_per_message_max: count = 10 } = this.session.limits;
    this.#problem = '';
    for (const file of files ?? []) {
      const { name } = file;
      if (this.uploads.list.length >= count) this.#problem = t('tooMany', { count });
      else if (max && file.size > max) this.#problem = t('tooLarge', { name, size: bytes(max) });
      else this.uploads.add(file);
    }
    this.update();
    this.box.focus();
  }

  update() {
    const { t, bytes } = this.words;
    const { file_bytes_max: max, files_per_message_max } = this.session.limits;
    this.#attach.hidden = files_per_message_max === 0;
    this.#attach.ariaLabel = this.#attach.title = max ? t('attachLimit', { size: bytes(max) }) : t('attach');
    this.#showFiles();
    if (this.#sendWhenUploaded && !this.uploads.pending) {
      this.#sendWhenUploaded = false;
      // A file that failed stays in sight, and the message with it.
      if (!this.uploads.failed) this.#submit();
    }
    this.#showHint();
  }

  #showHint() {
    const { t, bytes } = this.words;
    const { file_bytes_max: size, text_length_max: max = TEXT_LENGTH_MAX } = this.session.limits;
    const text = this.box.value.trim();
    // In code points, as the server counts.
    const count = Array.from(text).length;
    const tooLong = count > max;
    const wrong = tooLong ? t('tooLong', { count, max }) : this.#problem;
    let hint = size && !this.#attach.hidden ? t('files', { size: bytes(size) }) : '';
    if (count >= max * COUNTER_FROM) hint = t('counter', { count, max });
    if (this.#sendWhenUploaded) hint = t('sendAfter');
    setText(this.#hint, wrong || hint);
    this.#hint.classList.toggle('wrong', Boolean(wrong));
    this.#hint.role = wrong ? 'alert' : null;
    this.box.ariaInvalid = String(tooLong);
    this.#send.disabled = tooLong || !(text || this.uploads.list.length) || (this.uploads.failed && !this.uploads.pending);
    this.box.style.height = 'auto';
    this.box.style.height = `${this.box.scrollHeight + 2}px`;
  }

  #showFiles() {
    const { list } = this.uploads;
    const { t, bytes } = this.words;
    for (const upload of this.#chips.keys()) if (!list.includes(upload)) this.#chips.delete(upload);
    const chips = list.map((upload) => {
      const chip = this.#chips.get(upload) ?? this._chip(upload);
      this.#chips.set(upload, chip);
      const { state, percent, file } = upload;
      chip.element.dataset.state = state;
      chip.bar.hidden = state === 'done' || state === 'failed';
      chip.bar.value = percent;
      chip.retry.hidden = state !== 'failed';
      setText(chip.note, t(state, { percent, size: bytes(file.size) }));
      return chip.element;
    });
    arrange(this.#files, chips);
  }

  /** @param {Site.Upload} upload */
  _chip(upload) {
    const { t } = this.words;
    const { name } = upload.file;
    const bar = h('progress', { max: 100, 'aria-label': name });
    const note = h('small');
    const retry = h('button', { type: 'button', class: 'link', onclick: () => this.uploads.send(upload) }, t('retry'));
    const remove = iconButton('close', 'remove', t('remove', { name }), () => {
      this.uploads.cancel(upload);
      this.box.focus();
    });
    const text = h('div', { class: 'upload-text' }, h('span', { class: 'file-name', dir: 'auto' }, name), bar, note);
    return { element: h('li', { class: 'upload' }, icon('file'), text, retry, remove), bar, note, retry };
  }

  #typed() {
    this.#problem = '';
    this.#showHint();
    clearTimeout(this.#idle);
    if (!this.box.value) return this.#stopTyping();
    if (Date.now() - this.#typedAt > TYPING_EVERY_MS) {
      this.#typedAt = Date.now();
      this.session.send({ type: 'typing', active: true });
    }
    this.#idle = setTimeout(() => this.#stopTyping(), TYPING_IDLE_MS);
  }

  #stopTyping() {
    clearTimeout(this.#idle);
    if (this.#typedAt) this.session.send({ type: 'typing', active: false });
    this.#typedAt = 0;
  }

  #submit() {
    this.#showHint();
    if (this.#send.disabled) return;
    this.#sendWhenUploaded = this.uploads.pending;
    if (!this.#sendWhenUploaded) {
      this.session.submit(this.box.value.trim(), this.uploads.take());
      this.box.value = '';
      this.#stopTyping();
      this.#showFiles();
    }
    this.#showHint();
    this.box.focus();
  }
}

/** Files on their way up, before the message that carries them. They outlive a redrawn composer. */
export class Uploads {
  /** @type {Site.Upload[]} */
  list = [];

  /**
   * @param {string} url
   * @param {() => string | undefined} token
   * @param {() => void} changed
   */
  constructor(url, token, changed) {
    this.url = url;
    this.token = token;
    this.changed = changed;
  }

  get pending() {
    return this.list.some(({ state }) => state === 'waiting' || state === 'uploading');
  }

  get failed() {
    return this.list.some(({ state }) => state === 'failed');
  }

  /** @param {File} file */
  add(file) {
    /** @type {Site.Upload} */
    const upload = { file, state: 'waiting', percent: 0 };
    this.list.push(upload);
    this.send(upload);
  }

  /** @param {Site.Upload} upload */
  cancel(upload) {
    this.list = this.list.filter((other) => other !== upload);
    upload.request?.abort();
    this.changed();
  }

  resume() {
    if (this.token()) this.list.forEach((upload) => upload.state === 'waiting' && this.send(upload));
  }

  take() {
    const done = this.list.flatMap((upload) => upload.uploaded ?? []);
    this.list = [];
    return done;
  }

  clear() {
    for (const { request } of this.list) request?.abort();
    this.list = [];
  }

  /** @param {Site.Upload} upload */
  send(upload) {
    const token = this.token();
    upload.state = token ? 'uploading' : 'waiting';
    upload.percent = 0;
    if (token) {
      const { file } = upload;
      // fetch does not tell how far an upload has come.
      const request = (upload.request = new XMLHttpRequest());
      request.open('POST', this.url);
      request.setRequestHeader('authorization', `Bearer ${token}`);
      request.setRequestHeader('x-file-name', encodeURIComponent(file.name));
      request.setRequestHeader('content-type', file.type || 'application/octet-stream');
      request.upload.onprogress = ({ loaded, total }) => {
        upload.percent = Math.floor((loaded / (total || 1)) * 100);
        this.changed();
      };
      request.onload = request.onerror = () => {
        try {
          if (request.status >= 300) throw request;
          upload.uploaded = JSON.parse(request.responseText);
          upload.state = 'done';
        } catch {
          upload.state = 'failed';
        }
        this.changed();
      };
      request.send(file);
    }
    this.changed();
  }
}
