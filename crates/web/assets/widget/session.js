// The conversation as every tab lives it: the leading tab repeats each frame of the server to the others.

import { Beside, newId } from './beside.js';
import { Leader, Tabs } from './socket.js';
import { Thread, later, userOf } from './thread.js';

/** The word that typing stopped may be lost with a connection. */
const TYPING_SHOWN_MS = 8_000;
/** A hidden leader's timers run once a minute; a tab in use asks it to try again sooner. */
const NUDGE_INTERVAL_MS = 5_000;

export class Session {
  /** @type {Site.Status} */
  status = 'idle';
  synced = false;
  /** @type {Site.Limits} */
  limits = {};
  typing = '';
  /** Whether this is the tab the visitor looked at last: it alone makes sounds. */
  focused = false;
  /** Who the site says it is, until the server has answered. */
  identity = '';
  /** Says it to the server again after a lost connection. In memory only: the next page may be another user's. */
  ticket = '';
  /** Whether the server wants what the form before a conversation asks for. */
  asks = false;

  /** @type {Tabs | undefined} */
  #tabs;
  #leader;
  /** Whether another tab is known to lead. */
  #follows = false;
  #clockOffsetMs = 0;
  #typingTimer = 0;
  #nudges = 0;

  /**
   * @param {Site.Context} context
   * @param {Site.Storage} storage
   * @param {Site.SessionOwner} view
   */
  constructor(context, storage, view) {
    this.context = context;
    this.storage = storage;
    this.view = view;
    this.thread = new Thread(storage, context.config.identify !== false);
    this.#leader = new Leader(context, this);
    this.beside = new Beside(this);
  }

  get started() {
    return this.#tabs !== undefined;
  }

  get token() {
    return this.storage.get('token');
  }

  start() {
    if (this.#tabs) return;
    this.status = 'connecting';
    this.#tabs = new Tabs(newId(), this.context.prefix, {
      lead: () => {
        this.#follows = false;
        this.thread.load();
        this.#leader.start();
      },
      follow: () => this.#leader.stop(),
      hear: (message) => this.#hear(message),
    });
    // The channel is open before the outbox is read: an ack in between is not missed.
    this.#tabs.join();
    this.thread.load();
    this.#listen(true);
    if (document.hasFocus()) this.#onFocus();
    this.view.changed();
  }

  /** Forgets the visitor in every tab: after logging out on a shared computer. */
  reset() {
    this.#tabs?.post({ kind: 'reset' });
    this.#forget();
  }

  /**
   * @param {string} text
   * @param {Site.Uploaded[]} attachments
   */
  submit(text, attachments) {
    this.#keep({
      client_id: newId(),
      text,
      upload_ids: attachments.map((attachment) => attachment.upload_id),
      attachments: attachments.map(({ file_name, media_type, size_bytes }) => ({ file_name, media_type, size_bytes })),
      written_at: Date.now() + this.#clockOffsetMs,
      by: this.#author,
    });
  }

  /** @param {string} clientId */
  retry(clientId) {
    const entry = this.thread.outgoing(clientId);
    if (entry) this.#keep({ ...entry, failed: undefined });
  }

  /** @param {string} clientId */
  discard(clientId) {
    this.#tabs?.post({ kind: 'discard', client_id: clientId });
    this.thread.discard(clientId);
    this.view.changed();
  }

  /** @param {Site.ClientFrame} frame */
  send(frame) {
    if (this.#tabs?.leads) this.#leader.send(frame);
    else this.#tabs?.post({ kind: 'send', frame });
  }

  /** @param {Site.Shown} shown */
  share(shown) {
    this.#tabs?.post({ kind: 'show', shown });
    this.view.changed();
  }

  markRead() {
    if (!this.thread.markRead(this.thread.cursor)) return;
    this.#tabs?.post({ kind: 'read', cursor: this.thread.read });
    this.#leader.sendMarks();
    this.view.changed();
  }

  /** @param {Site.Profile} profile */
  setProfile(profile) {
    this.#tabs?.post({ kind: 'profile', profile });
    this.#mergeProfile(profile);
  }

  /** @param {string} token */
  identify(token) {
    const known = this.identity || this.ticket;
    if (known && userOf(known) !== userOf(token)) {
      // A connection is one user's, and so is what waits for its answer.
      this.ticket = '';
      this.thread.discardOutgoing();
      this.thread.load();
      this.#leader.restart();
      this.view.forgotten();
    }
    this.identity = token;
    this.#leader.introduce();
    this.#passIdentity();
  }

  /** Asks for everything again: the links of attachments are signed for a short time only. */
  refresh() {
    this.synced = false;
    if (this.#tabs?.leads) this.#leader.refresh();
    else this.#tabs?.post({ kind: 'refresh' });
  }

  /** @param {Site.ServerFrame} frame */
  frame(frame) {
    this.#tabs?.post({ kind: 'frame', frame });
    this.#handle(frame);
  }

  /** @param {Site.Status} status */
  shareStatus(status) {
    this.#tabs?.post({ kind: 'status', status });
    this.#setStatus(status);
  }

  /** @param {string} visitor */
  #become(visitor) {
    if (this.thread.become(visitor)) {
      this.ticket = '';
      this.synced = this.asks = false;
      this.beside.forget();
      this.#leader.begin();
    }
    if (!this.identity) this.thread.claim();
  }

  /** Who writes now; empty while that is not known. */
  get #author() {
    return this.identity ? '' : this.thread.visitor;
  }

  /** @param {Site.ServerFrame} frame */
  #handle(frame) {
    switch (frame.type) {
      case 'welcome':
        this.#become(frame.visitor_id);
        this.beside.forget();
        // The log begins anew, after a restored backup.
        if (later(this.thread.cursor, frame.cursor)) this.thread.clear();
        if (frame.visitor_token) this.storage.set('token', frame.visitor_token);
        this.limits = { ...this.limits, ...frame.limits };
        if (frame.server_time) this.#clockOffsetMs = frame.server_time - Date.now();
        break;
      case 'message': {
        const isNew = this.thread.apply(frame, Date.now());
        if (frame.author === 'client') this.storage.remove('profile');
        // The conversation goes on, or another one begins.
        if (isNew && this.synced) this.beside.rate = undefined;
        if (isNew && frame.author === 'operator') {
          this.#setTyping('');
          if (this.synced) this.view.arrived();
        }
        break;
      }
      case 'identified':
        this.identity = '';
        this.#become(frame.visitor_id);
        this.ticket = frame.session;
        break;
      case 'synced':
        this.thread.advance(frame.cursor);
        this.synced = true;
        break;
      case 'ack':
        this.thread.acknowledge(frame.client_id);
        this.beside.answer(frame.client_id, '');
        break;
      case 'standing':
      case 'rate':
        this.beside.hear(frame);
        break;
      case 'refused': {
        const entry = frame.client_id && this.thread.outgoing(frame.client_id);
        if (this.beside.answer(frame.client_id ?? '', frame.code)) break;
        if (/^identity/.test(frame.code)) {
          this.identity = '';
          this.thread.claim();
        } else if (/_required$/.test(frame.code)) {
          this.asks = true;
        } else if (entry && frame.retry_after_ms === undefined) {
          this.thread.keep({ ...entry, failed: frame.text });
        }
        // What is not about a message is for who built the page, not for who reads it.
        if (!entry) console.warn('Switchboard:', frame.code, frame.text);
        break;
      }
      case 'typing':
        this.#setTyping(frame.active ? frame.name || ' ' : '');
        break;
      case 'error':
        console.warn('Switchboard:', frame.code, frame.text);
        break;
      default:
        return;
    }
    this.view.changed();
  }

  /** @param {Site.Status} status */
  #setStatus(status) {
    this.status = status;
    if (status !== 'online') {
      this.synced = false;
      this.#setTyping('');
      this.beside.giveUp();
    }
    this.view.changed();
  }

  /** @param {string} name */
  #setTyping(name) {
    clearTimeout(this.#typingTimer);
    this.typing = name;
    if (name) this.#typingTimer = setTimeout(() => this.#handle({ type: 'typing', active: false }), TYPING_SHOWN_MS);
  }

  /** @param {Site.Outgoing} entry */
  #keep(entry) {
    this.thread.keep(entry);
    this.#tabs?.post({ kind: 'outgoing', entry });
    this.view.changed();
    this.#leader.flush();
    this.#tabs?.ask();
  }

  /** @param {Site.TabMessage} message */
  #hear(message) {
    const leads = this.#tabs?.leads;
    switch (message.kind) {
      case 'join':
        if (!leads) return;
        this.#tabs?.post({ kind: 'snapshot', to: message.from, snapshot: this.#snapshot() });
        this.#leader.nudge();
        return;
      case 'lead':
        // The last leader may have lost them; the server knows repeats by their client id.
        for (const entry of this.thread.snapshot().outgoing) this.#tabs?.post({ kind: 'outgoing', entry });
        this.#tabs?.ask();
        return;
      case 'snapshot':
        this.#adopt(message.snapshot);
        return;
      case 'frame':
        if (!leads) this.#handle(message.frame);
        return;
      case 'status':
        if (!leads) this.#setStatus(message.status);
        return;
      case 'send':
        if (leads) this.#leader.send(message.frame);
        return;
      case 'outgoing':
        this.thread.queue(message.entry);
        this.#leader.flush();
        break;
      case 'discard':
        this.thread.discard(message.client_id);
        break;
      case 'show':
        this.beside.show(message.shown);
        break;
      case 'profile':
        this.#mergeProfile(message.profile);
        return;
      case 'identify':
        if (leads) this.identify(message.token);
        return;
      case 'read':
        this.thread.markRead(message.cursor);
        this.#leader.sendMarks();
        break;
      case 'focus':
        this.focused = false;
        return;
      case 'refresh':
        if (leads) this.#leader.refresh();
        return;
      case 'reset':
        this.#forget();
        return;
    }
    this.view.changed();
  }

  /** @returns {Site.Snapshot} */
  #snapshot() {
    const { visitor, cursor, read } = this.thread;
    const { token, ticket, limits, status, synced } = this;
    return { token, visitor, ticket, cursor, read, limits, status, synced, ...this.beside.shown, ...this.thread.snapshot() };
  }

  /** @param {Site.Snapshot} snapshot */
  #adopt(snapshot) {
    this.#become(snapshot.visitor);
    if (!this.identity) this.ticket = snapshot.ticket;
    if (snapshot.token && snapshot.token !== this.token) this.storage.set('token', snapshot.token);
    ({ limits: this.limits, status: this.status, synced: this.synced } = snapshot);
    this.beside.show(snapshot);
    this.thread.markRead(snapshot.read ?? '');
    for (const message of snapshot.messages) this.thread.apply(message, Date.now());
    for (const entry of snapshot.outgoing) this.thread.queue(entry);
    this.thread.advance(snapshot.cursor ?? '');
    this.#follows = true;
    this.#passIdentity();
    this.view.changed();
  }

  /** @param {Site.Profile} profile */
  #mergeProfile(profile) {
    this.thread.introduce(profile, this.#author);
    this.asks = false;
    this.#leader.introduce();
    this.#leader.flush();
    this.view.changed();
  }

  /** Until a leader is known, this tab may become it. */
  #passIdentity() {
    if (this.identity && this.#follows && !this.#tabs?.leads) this.#tabs?.post({ kind: 'identify', token: this.identity });
  }

  #forget() {
    this.#listen(false);
    this.#leave();
    this.#tabs = undefined;
    this.#follows = false;
    this.identity = '';
    this.#become('');
    this.thread.discardOutgoing();
    this.storage.clear();
    this.#setStatus('idle');
    this.view.forgotten();
  }

  #leave() {
    this.#tabs?.leave();
    this.#leader.stop();
  }

  /** @param {boolean} on */
  #listen(on) {
    const change = on ? 'addEventListener' : 'removeEventListener';
    globalThis[change]('focus', this.#onFocus);
    globalThis[change]('pagehide', this.#onHide);
    globalThis[change]('pageshow', this.#onShow);
    document[change]('visibilitychange', this.#onVisible);
    clearInterval(this.#nudges);
    if (on) this.#nudges = setInterval(() => this.status !== 'online' && this.#onVisible(), NUDGE_INTERVAL_MS);
  }

  #onFocus = () => {
    this.focused = true;
    this.#tabs?.post({ kind: 'focus' });
  };

  #onVisible = () => !document.hidden && this.#tabs?.ask();

  // A page in the back-forward cache holds neither the lock nor the socket.
  #onHide = () => this.#leave();
  #onShow = (/** @type {Event} */ event) => {
    if (/** @type {PageTransitionEvent} */ (event).persisted) this.#tabs?.join();
  };
}
