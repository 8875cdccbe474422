// The conversation as every tab lives it: the leading tab repeats each frame of the server to the others.

import { Leader, Tabs } from './socket.js';
import { Thread, later } from './thread.js';

const OUTBOX = 'out/';
/** The word that typing stopped may be lost with a connection. */
const TYPING_SHOWN_MS = 8_000;
/** A hidden leader's timers run once a minute; a tab in use asks it to try again sooner. */
const NUDGE_INTERVAL_MS = 5_000;

export class Session {
  thread = new Thread();
  /** @type {Site.Status} */
  status = 'idle';
  synced = false;
  /** @type {Site.Limits} */
  limits = {};
  /** Who is typing. */
  typing = '';
  /** Whether this is the tab the visitor looked at last: it alone makes sounds. */
  focused = false;

  /** @type {Tabs | undefined} */
  #tabs;
  #leader;
  /** Whether another tab is known to lead. */
  #follows = false;
  #visitor = '';
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
    this.#leader = new Leader(context, this.thread, this);
  }

  get started() {
    return this.#tabs !== undefined;
  }

  get token() {
    return this.storage.get('token');
  }

  /** @returns {Site.Profile | undefined} */
  get profile() {
    return JSON.parse(this.storage.get('profile') ?? 'null') ?? undefined;
  }

  start() {
    if (this.#tabs) return;
    this.status = 'connecting';
    this.thread.markRead(JSON.parse(this.storage.get('read') ?? '0'));
    this.#tabs = new Tabs(newId(), this.context.prefix, {
      lead: () => {
        this.#follows = false;
        this.#loadOutbox();
        this.#leader.start();
      },
      follow: () => this.#leader.stop(),
      hear: (message) => this.#hear(message),
    });
    // The channel is open before the outbox is read: an ack in between is not missed.
    this.#tabs.join();
    this.#loadOutbox();
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
   * Keeps the message until the server has it for certain.
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
    this.storage.remove(OUTBOX + clientId);
    this.view.changed();
  }

  /** @param {boolean} active */
  sendTyping(active) {
    if (this.#tabs?.leads) this.#leader.send({ type: 'typing', active });
    else this.#tabs?.post({ kind: 'send', frame: { type: 'typing', active } });
  }

  markRead() {
    if (!this.thread.markRead(this.thread.cursor)) return;
    this.storage.set('read', JSON.stringify(this.thread.read));
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
    this.#leader.identify(token);
    this.#passIdentity();
  }

  /** Asks for everything again: the links of attachments are signed for a short time only. */
  refresh() {
    this.synced = false;
    if (this.#tabs?.leads) this.#leader.refresh();
    else this.#tabs?.post({ kind: 'refresh' });
  }

  // Called by the leading tab's end of the socket.

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

  /** Whoever spoke here so far was another visitor. */
  forgetVisitor() {
    this.#visitor = '';
    this.thread.clear();
    this.thread.read = '';
    this.#leader.forgetMarks();
    this.storage.remove('token');
    this.storage.remove('read');
  }

  /** @param {Site.ServerFrame} frame */
  #handle(frame) {
    switch (frame.type) {
      case 'welcome':
        if (this.#visitor !== frame.visitor_id && (this.#visitor || frame.visitor_token)) this.forgetVisitor();
        // The log begins anew, after a restored backup.
        if (later(this.thread.cursor, frame.cursor)) this.thread.clear();
        this.#visitor = frame.visitor_id;
        if (frame.visitor_token) this.storage.set('token', frame.visitor_token);
        this.limits = { ...this.limits, ...frame.limits };
        if (frame.server_time) this.#clockOffsetMs = frame.server_time - Date.now();
        break;
      case 'message': {
        const isNew = this.thread.apply(frame, Date.now());
        if (frame.client_id) this.storage.remove(OUTBOX + frame.client_id);
        if (frame.author === 'client') this.storage.remove('profile');
        if (isNew && frame.author === 'operator') {
          this.#setTyping('');
          if (this.synced) this.view.arrived();
        }
        break;
      }
      case 'synced':
        this.thread.advance(frame.cursor);
        this.synced = true;
        break;
      case 'ack': {
        const entry = this.thread.outgoing(frame.client_id);
        if (entry) entry.acknowledged = true;
        this.storage.remove(OUTBOX + frame.client_id);
        break;
      }
      case 'refused': {
        const entry = frame.client_id && this.thread.outgoing(frame.client_id);
        if (entry && frame.retry_after_ms === undefined) {
          entry.failed = frame.text;
          this.storage.set(OUTBOX + entry.client_id, JSON.stringify(entry));
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
    this.storage.set(OUTBOX + entry.client_id, JSON.stringify(entry));
    this.#tabs?.post({ kind: 'outgoing', entry });
    this.thread.queue(entry);
    this.view.changed();
    this.#leader.flush();
    this.#tabs?.ask();
  }

  #loadOutbox() {
    const entries = this.storage.keys(OUTBOX).flatMap((key) => {
      try {
        return [/** @type {Site.Outgoing} */ (JSON.parse(this.storage.get(key) ?? ''))];
      } catch {
        this.storage.remove(key);
        return [];
      }
    });
    entries.sort((one, other) => one.written_at - other.written_at);
    for (const entry of entries) if (!this.thread.outgoing(entry.client_id)) this.thread.queue(entry);
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
      case 'profile':
        this.#mergeProfile(message.profile);
        return;
      case 'identify':
        if (leads) this.#leader.identify(message.token);
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
    const { cursor, read } = this.thread;
    const { token, limits, status, synced } = this;
    return { token, visitor_id: this.#visitor, cursor, read, limits, status, synced, ...this.thread.snapshot() };
  }

  /** @param {Site.Snapshot} snapshot */
  #adopt(snapshot) {
    if (this.#visitor && this.#visitor !== snapshot.visitor_id) this.thread.clear();
    this.#visitor = snapshot.visitor_id ?? '';
    if (snapshot.token && snapshot.token !== this.token) this.storage.set('token', snapshot.token);
    this.limits = snapshot.limits;
    this.status = snapshot.status;
    this.thread.markRead(snapshot.read ?? '');
    for (const message of snapshot.messages) this.thread.apply(message, Date.now());
    for (const entry of snapshot.outgoing) this.thread.queue(entry);
    this.thread.advance(snapshot.cursor ?? '');
    this.synced = snapshot.synced;
    this.#follows = true;
    this.#passIdentity();
    this.view.changed();
  }

  /** @param {Site.Profile} profile */
  #mergeProfile(profile) {
    const { attributes, ...known } = this.profile ?? {};
    const merged = { ...known, ...profile };
    if (attributes || profile.attributes) merged.attributes = { ...attributes, ...profile.attributes };
    this.storage.set('profile', JSON.stringify(merged));
    if (this.#tabs?.leads) this.#leader.introduce();
  }

  /** Until a leader is known, this tab may become it. */
  #passIdentity() {
    const token = this.#follows && !this.#tabs?.leads && this.#leader.takeIdentity();
    if (token) this.#tabs?.post({ kind: 'identify', token });
  }

  #forget() {
    this.#listen(false);
    this.#leave();
    this.#tabs = undefined;
    this.#follows = false;
    this.forgetVisitor();
    this.#leader.takeIdentity();
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

  #onVisible = () => {
    if (document.visibilityState === 'visible') this.#tabs?.ask();
  };

  // A page in the back-forward cache holds neither the lock nor the socket.
  #onHide = () => this.#leave();
  #onShow = (/** @type {Event} */ event) => {
    if (/** @type {PageTransitionEvent} */ (event).persisted) this.#tabs?.join();
  };
}

/** A random UUID; `crypto.randomUUID` exists on https pages only. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
