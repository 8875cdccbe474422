// The conversation as this tab knows it. Frames may come twice and late (a replay, another tab);
// applying one again changes nothing.

export class Thread {
  /** @type {Map<string, Site.Message & { key: string, received_at: number }>} */
  #messages = new Map();
  /** @type {Map<string, Site.Outgoing>} */
  #outgoing = new Map();
  /** @type {Site.Cursor} How far the server's log is known here. */
  cursor = '';
  /** @type {Site.Cursor} How far the visitor has read. */
  read = '';

  clear() {
    this.#messages.clear();
    this.cursor = '';
  }

  discardOutgoing() {
    this.#outgoing.clear();
  }

  /**
   * Takes a message in; answers whether it is one that was not known before.
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
    if (message.client_id) this.#outgoing.delete(message.client_id);
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
    return true;
  }

  get unread() {
    let count = 0;
    for (const message of this.#messages.values()) {
      if (message.author === 'operator' && !message.deleted && message.delivery !== 'read' && later(message.cursor, this.read)) count += 1;
    }
    return count;
  }

  /** @param {Site.Outgoing} entry */
  queue(entry) {
    for (const message of this.#messages.values()) if (message.client_id === entry.client_id) return;
    this.#outgoing.set(entry.client_id, entry);
  }

  /** The oldest message that still has to be sent. */
  next() {
    for (const entry of this.#outgoing.values()) if (!entry.acknowledged && !entry.failed) return entry;
    return undefined;
  }

  /** @param {string} clientId */
  outgoing(clientId) {
    return this.#outgoing.get(clientId);
  }

  /** @param {string} clientId */
  discard(clientId) {
    this.#outgoing.delete(clientId);
  }

  /** @returns {{ messages: Site.Message[], outgoing: Site.Outgoing[] }} */
  snapshot() {
    return { messages: [...this.#messages.values()], outgoing: [...this.#outgoing.values()] };
  }

  /**
   * The bubbles, oldest first; what is not sent yet comes last.
   * @returns {Site.Item[]}
   */
  items() {
    const known = [...this.#messages.values()]
      .map(itemOf)
      .sort((one, other) => one.at - other.at);
    const outgoing = [...this.#outgoing.values()].map(itemOfOutgoing);
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
  const { key, id, client_id, operator_name, sent_at, text = '', attachments = [], reply_to, edited_at, deleted = false, received_at } = message;
  const reactions = (message.reactions ?? []).map(({ emoji }) => emoji).join(' ');
  const own = message.author === 'client';
  const marks = /** @type {const} */ (['delivered', 'read', 'failed']);
  const state = own ? marks.find((mark) => mark === message.delivery) ?? 'sent' : '';
  return { key, id, client_id, own, name: operator_name, at: sent_at, text, attachments, reply_to, edited: Boolean(edited_at), deleted, reactions, state, received_at };
}

/**
 * @param {Site.Outgoing} entry
 * @returns {Site.Item}
 */
function itemOfOutgoing({ client_id, written_at, text, attachments, failed, acknowledged }) {
  const state = failed ? 'failed' : acknowledged ? 'sent' : 'queued';
  return { key: client_id, client_id, own: true, at: written_at, text, attachments, edited: false, deleted: false, reactions: '', state, failed, received_at: written_at };
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
