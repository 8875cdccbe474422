// The conversation as this tab knows it. Frames may come twice and late (a replay, another tab);
// applying one again changes nothing.

const OUTBOX = 'out/';

export class Thread {
  /** @type {Map<string, Site.Message & { key: string, received_at: number }>} */
  #messages = new Map();
  /** @type {Map<string, Site.Outgoing>} */
  #outgoing = new Map();
  /** @type {Site.Cursor} How far the server's log is known here. */
  cursor = '';
  /** @type {Site.Cursor} How far the visitor has read. */
  read = '';
  visitor = '';

  /**
   * @param {Storage} storage
   * @param {boolean} shared whether one browser may have several visitors
   */
  constructor(storage, shared) {
    this.storage = storage;
    this.shared = shared;
  }

  clear() {
    this.#messages.clear();
    this.cursor = '';
  }

  /**
   * Answers whether that is another one.
   * @param {string} visitor
   */
  become(visitor) {
    if (visitor === this.visitor) return false;
    this.clear();
    this.visitor = visitor;
    this.read = JSON.parse(this.storage.get(`read/${visitor}`) ?? '0');
    return true;
  }

  /** What was left before it was known by whom is this visitor's. */
  claim() {
    for (const entry of this.#outgoing.values()) if (!entry.by) this.keep({ ...entry, by: this.visitor });
    if (this.profile.by === '') this.introduce({}, this.visitor);
  }

  /**
   * What one visitor left here is not sent as another's.
   * @param {{ by?: string }} left
   */
  #own({ by }) {
    return !by || by === this.visitor;
  }

  /** @returns {Site.Kept} */
  get profile() {
    const kept = JSON.parse(this.storage.get('profile') ?? '{}');
    return this.#own(kept) ? kept : {};
  }

  /**
   * @param {Site.Profile} profile
   * @param {string} by
   */
  introduce(profile, by) {
    const attributes = { ...this.profile.attributes, ...profile.attributes };
    this.storage.set('profile', JSON.stringify({ ...this.profile, ...profile, attributes, by }));
  }

  discardOutgoing() {
    this.#outgoing.clear();
  }

  /**
   * Answers whether it was not known before.
   * @param {Site.Message} message
   * @param {number} now
   */
  apply(message, now) {
    this.advance(message.cursor);
    const known = this.#messages.get(message.id);
    if (known && later(known.cursor, message.cursor)) return false;
    // What only changes after all was read, a delivery mark or an edit, is no news.
    if (known && !this.unread) this.markRead(message.cursor);
    const key = known?.key ?? message.client_id ?? message.id;
    this.#messages.set(message.id, { ...message, key, received_at: now });
    if (message.client_id) this.discard(message.client_id);
    return !known;
  }

  /** @param {Site.Cursor} cursor */
  advance(cursor) {
    if (later(cursor, this.cursor)) this.cursor = cursor;
  }

  /**
   * Answers whether that moved the mark.
   * @param {Site.Cursor} cursor
   */
  markRead(cursor) {
    if (!later(cursor, this.read)) return false;
    this.read = cursor;
    this.storage.set(`read/${this.visitor}`, JSON.stringify(cursor));
    return true;
  }

  get unread() {
    return [...this.#messages.values()].filter(
      ({ author, deleted, delivery, cursor }) => author === 'operator' && !deleted && delivery !== 'read' && later(cursor, this.read),
    ).length;
  }

  /** @param {Site.Outgoing} entry */
  queue(entry) {
    for (const message of this.#messages.values()) if (message.client_id === entry.client_id) return;
    this.#outgoing.set(entry.client_id, entry);
  }

  /**
   * Keeps it until the server has it for certain; for the next page only if it is known whose it is.
   * @param {Site.Outgoing} entry
   */
  keep(entry) {
    if (entry.by || !this.shared) this.storage.set(OUTBOX + entry.client_id, JSON.stringify(entry));
    this.queue(entry);
  }

  /** Takes in what earlier pages could not send. */
  load() {
    const entries = this.storage.keys(OUTBOX).flatMap((key) => attempt(() => JSON.parse(this.storage.get(key) ?? '')) ?? []);
    entries.sort((one, other) => one.written_at - other.written_at);
    for (const entry of entries) if (!this.outgoing(entry.client_id)) this.queue(entry);
  }

  /** The oldest message that still has to be sent. */
  next() {
    return [...this.#outgoing.values()].find((entry) => this.#own(entry) && !entry.acknowledged && !entry.failed);
  }

  /** @param {string} clientId */
  outgoing(clientId) {
    return this.#outgoing.get(clientId);
  }

  /** @param {string} clientId */
  discard(clientId) {
    this.#outgoing.delete(clientId);
    this.storage.remove(OUTBOX + clientId);
  }

  /** @param {string} clientId */
  acknowledge(clientId) {
    const entry = this.outgoing(clientId);
    if (entry) entry.acknowledged = true;
    this.storage.remove(OUTBOX + clientId);
  }

  /** @returns {{ messages: Site.Message[], outgoing: Site.Outgoing[] }} */
  snapshot() {
    return { messages: [...this.#messages.values()], outgoing: [...this.#outgoing.values()] };
  }

  /** @returns {Site.Item[]} */
  items() {
    const known = [...this.#messages.values()]
      .map(itemOf)
      .sort((one, other) => one.at - other.at);
    const outgoing = [...this.#outgoing.values()].filter((entry) => this.#own(entry)).map(itemOfOutgoing);
    return [...known, ...outgoing];
  }
}

/**
 * @param {Site.Cursor} one
 * @param {Site.Cursor} other
 */
export function later(one, other) {
  return Number(one) > Number(other);
}

/**
 * @param {Site.Message & { key: string, received_at: number }} message
 * @returns {Site.Item}
 */
function itemOf(message) {
  const { operator_name: name, sent_at: at, edited_at } = message;
  const reactions = (message.reactions ?? []).map(({ emoji }) => emoji).join(' ');
  const own = message.author === 'client';
  const marks = /** @type {const} */ (['delivered', 'read', 'failed']);
  const state = own ? marks.find((mark) => mark === message.delivery) ?? 'sent' : '';
  return { text: '', attachments: [], deleted: false, ...message, own, name, at, edited: Boolean(edited_at), reactions, state };
}

/**
 * @param {Site.Outgoing} entry
 * @returns {Site.Item}
 */
function itemOfOutgoing(entry) {
  const { client_id: key, written_at: at } = entry;
  const state = entry.failed ? 'failed' : entry.acknowledged ? 'sent' : 'queued';
  return { ...entry, key, at, received_at: at, own: true, edited: false, deleted: false, reactions: '', state };
}

/**
 * Whom a signed identity or a ticket names, as it stands there: to be compared only.
 * @param {string} signed
 */
export function userOf(signed) {
  return JSON.parse(atob(signed.split('.')[0].replace(/-/g, '+').replace(/_/g, '/'))).user_id;
}

/** What this browser remembers of the line: in memory until `persist`, then in localStorage where that works. */
export class Storage {
  /** @type {Record<string, string>} */
  #memory = {};
  #durable = false;

  /** @param {string} prefix */
  constructor(prefix) {
    this.prefix = prefix;
  }

  /** Keeps everything in localStorage from now on. */
  persist() {
    this.#durable = true;
    for (const [key, value] of Object.entries(this.#memory)) this.set(key, value);
  }

  /** Whether an earlier page left something; looks without writing, so it needs no consent. */
  known() {
    return Boolean(attempt(() => localStorage.getItem(`${this.prefix}token`)));
  }

  /** @param {string} key */
  get(key) {
    return this.#memory[key] ?? ((this.#durable && attempt(() => localStorage.getItem(this.prefix + key))) || undefined);
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  set(key, value) {
    this.#memory[key] = value;
    if (!this.#durable) return;
    attempt(() => {
      localStorage.setItem(this.prefix + key, value);
      delete this.#memory[key];
    });
  }

  /** @param {string} key */
  remove(key) {
    delete this.#memory[key];
    if (this.#durable) attempt(() => localStorage.removeItem(this.prefix + key));
  }

  /**
   * The keys that start so.
   * @param {string} start
   */
  keys(start) {
    const stored = this.#durable && attempt(() => Object.keys(localStorage).filter((key) => key.startsWith(this.prefix)));
    const keys = [...Object.keys(this.#memory), ...(stored || []).map((key) => key.slice(this.prefix.length))];
    return keys.filter((key) => key.startsWith(start));
  }

  clear() {
    this.keys('').forEach((key) => this.remove(key));
    this.#durable = false;
  }
}

/**
 * Storage may be full or switched off: then this page remembers and the next one does not.
 * @template T
 * @param {() => T} action
 */
function attempt(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}
