// The way to the server: the tabs of one browser agree on a leader, which alone holds a socket.

import { later } from './thread.js';

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;
/** After a connection that lived this long the backoff starts anew. */
const STABLE_MS = 5_000;
const WELCOME_TIMEOUT_MS = 10_000;
/** Proxies commonly cut a connection that is silent for a minute. */
const PING_INTERVAL_MS = 25_000;
const PROBE_TIMEOUT_MS = 4_000;
/** Without an ack for this long the connection is taken for dead. */
const ACK_TIMEOUT_MS = 15_000;
/** A leader answers from a message handler, which no timer throttling delays. */
const LEADER_ANSWER_MS = 3_000;

/** A WebSocket that comes back, with backoff, jitter and pings. */
class Socket {
  /** @type {WebSocket | undefined} */
  #link;
  #wanted = false;
  #welcomed = false;
  #attempt = 0;
  #openedAt = 0;
  #unanswered = false;
  #resumeAfterMs = 0;
  #retryAt = 0;
  #retry = 0;
  #deadline = 0;
  #pings = 0;

  /**
   * @param {string} url
   * @param {Site.SocketOwner} owner
   */
  constructor(url, owner) {
    this.url = url;
    this.owner = owner;
  }

  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    addEventListener('online', this.#wake);
    document.addEventListener('visibilitychange', this.#wake);
    this.owner.status('connecting');
    this.#connect();
  }

  stop() {
    this.#wanted = false;
    removeEventListener('online', this.#wake);
    document.removeEventListener('visibilitychange', this.#wake);
    clearTimeout(this.#retry);
    this.#close();
  }

  /**
   * Answers whether the frame left; nothing is kept here.
   * @param {Site.ClientFrame} frame
   */
  send(frame) {
    if (!this.#welcomed || this.#link?.readyState !== WebSocket.OPEN) return false;
    this.#link.send(JSON.stringify(frame));
    return true;
  }

  restart() {
    if (!this.#wanted) return;
    this.#close();
    this.owner.status('reconnecting');
    this.#connect();
  }

  /** Makes the attempt that is due, where this tab's own timers are late. */
  nudge() {
    if (this.#wanted && !this.#link && Date.now() > this.#retryAt) this.#connect();
  }

  #connect() {
    clearTimeout(this.#retry);
    const link = (this.#link = new WebSocket(this.url));
    this.#expect(WELCOME_TIMEOUT_MS);
    link.onopen = () => link.send(JSON.stringify(this.owner.hello()));
    link.onmessage = ({ data }) => link === this.#link && this.#receive(JSON.parse(data));
    link.onclose = () => link === this.#link && this.#lost();
  }

  /** @param {Site.ServerFrame} frame */
  #receive(frame) {
    this.#unanswered = false;
    const first = frame.type === 'welcome' && !this.#welcomed;
    if (first) {
      this.#welcomed = true;
      this.#openedAt = Date.now();
      this.#pings = setInterval(() => {
        if (this.#unanswered) this.restart();
        else this.#unanswered = this.send({ type: 'ping' });
      }, PING_INTERVAL_MS);
    }
    if (this.#welcomed) clearTimeout(this.#deadline);
    if (frame.type === 'bye') this.#resumeAfterMs = frame.resume_after_ms ?? 0;
    this.owner.frame(frame);
    if (first) this.owner.status('online');
  }

  /** The network or the person is back: the timers are not waited for. */
  #wake = () => {
    if (document.hidden) return;
    if (!this.#link) {
      this.#attempt = 0;
      this.#connect();
    } else if (this.send({ type: 'ping' })) {
      this.#expect(PROBE_TIMEOUT_MS);
    }
  };

  /** @param {number} ms */
  #expect(ms) {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lost(), ms);
  }

  #close() {
    if (this.#welcomed && Date.now() - this.#openedAt > STABLE_MS) this.#attempt = 0;
    const link = this.#link;
    this.#link = undefined;
    this.#welcomed = this.#unanswered = false;
    clearTimeout(this.#deadline);
    clearInterval(this.#pings);
    link?.close();
  }

  #lost() {
    this.#close();
    this.owner.status('reconnecting');
    const ceiling = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#attempt);
    // Half fixed, half random: a restarted gateway is not met by all its visitors at once.
    const wait = Math.max(this.#resumeAfterMs, ceiling / 2) + (Math.random() * ceiling) / 2;
    this.#attempt += 1;
    this.#resumeAfterMs = 0;
    this.#retryAt = Date.now() + wait;
    this.#retry = setTimeout(() => this.#connect(), wait);
  }
}

/** What the leading tab says: hello, the outbox in order, marks, who the visitor is. */
export class Leader extends Socket {
  #synced = false;
  /** @type {Site.Cursor} */
  #deliveredCursor = '';
  /** @type {Site.Cursor} */
  #readCursor = '';
  /** The one message that waits for its ack: one at a time keeps them in order. */
  #inFlight = '';
  #ackTimer = 0;
  #pausedUntil = 0;

  /**
   * @param {Site.Context} context
   * @param {Site.LeaderOwner} session
   */
  constructor(context, session) {
    const { thread } = session;
    super(`${context.base.replace(/^http/, 'ws')}chat/${context.line}/socket`, {
      hello: () => ({
        type: 'hello',
        token: session.token,
        cursor: thread.cursor || undefined,
        visitor_id: thread.visitor || undefined,
        session: session.ticket || undefined,
        locale: context.locale,
        // Without the query: it may hold what the visitor did not mean to tell.
        page: location.origin + location.pathname,
        referrer: document.referrer || undefined,
      }),
      frame: (frame) => {
        session.frame(frame);
        this.#react(frame);
      },
      status: (status) => {
        if (status === 'online') this.introduce();
        else this.#rest();
        session.shareStatus(status);
      },
    });
    this.thread = thread;
    this.session = session;
  }

  stop() {
    super.stop();
    this.#rest();
  }

  /** What was told and is awaited is not about the thread that follows. */
  begin() {
    this.#rest();
    this.#deliveredCursor = this.#readCursor = '';
  }

  /** Until there is a conversation the server forgets a profile with the connection. */
  introduce() {
    const { identity } = this.session;
    const { profile } = this.thread;
    if (identity) this.send({ type: 'identify', token: identity });
    if ('by' in profile) this.send({ type: 'profile', ...profile });
  }

  refresh() {
    this.thread.cursor = '';
    this.restart();
  }

  /** Sends the oldest message of the outbox, once the server has told what it has and who this is. */
  flush() {
    const { identity, asks } = this.session;
    if (!this.#synced || identity || asks || this.#inFlight || Date.now() < this.#pausedUntil) return;
    const entry = this.thread.next();
    if (!entry) return;
    const { client_id, text, upload_ids } = entry;
    if (!this.send({ type: 'message', client_id, text, upload_ids })) return;
    this.#inFlight = client_id;
    this.#ackTimer = setTimeout(() => this.restart(), ACK_TIMEOUT_MS);
  }

  sendMarks() {
    const { cursor, read } = this.thread;
    if (!this.#synced || this.session.identity) return;
    if (later(cursor, this.#deliveredCursor) && this.send({ type: 'delivered', cursor })) this.#deliveredCursor = cursor;
    if (later(read, this.#readCursor) && this.send({ type: 'read', cursor: read })) this.#readCursor = read;
  }

  /** @param {Site.ServerFrame} frame */
  #react(frame) {
    if (frame.type === 'synced') this.#synced = true;
    if (frame.type === 'refused' && frame.retry_after_ms !== undefined) {
      this.#pausedUntil = Date.now() + frame.retry_after_ms;
      setTimeout(() => {
        this.introduce();
        this.flush();
      }, frame.retry_after_ms + 50);
    }
    if ('client_id' in frame && frame.client_id === this.#inFlight) {
      clearTimeout(this.#ackTimer);
      this.#inFlight = '';
    }
    this.sendMarks();
    this.flush();
  }

  #rest() {
    this.#synced = false;
    this.#inFlight = '';
    clearTimeout(this.#ackTimer);
  }
}

/**
 * A Web Lock elects the leader, a BroadcastChannel carries what is said; where either is missing
 * every tab leads itself.
 */
export class Tabs {
  leads = false;
  /** @type {BroadcastChannel | undefined} */
  #channel;
  /** @type {(() => void) | undefined} */
  #release;
  #patience = 0;
  #joined = false;

  /**
   * @param {string} id this tab's own
   * @param {string} name what the tabs that belong together share
   * @param {Site.TabsOwner} owner
   */
  constructor(id, name, owner) {
    this.id = id;
    this.name = name;
    this.owner = owner;
  }

  join() {
    if (this.#joined) return;
    this.#joined = true;
    if (!navigator.locks || !globalThis.BroadcastChannel) {
      this.#leadAlone();
      return;
    }
    this.#channel = new BroadcastChannel(this.name);
    this.#channel.onmessage = (event) => this.#hear(event.data);
    this.#stand({});
    this.ask();
  }

  leave() {
    this.#joined = false;
    clearTimeout(this.#patience);
    this.#stepDown();
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** Asks the leader for its state; one that does not answer (frozen, stuck) loses the lead. */
  ask() {
    if (this.leads || !this.#channel) return;
    this.post({ kind: 'join', from: this.id });
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#stand({ steal: true }), LEADER_ANSWER_MS);
  }

  /** @param {Site.TabMessage} message */
  post(message) {
    this.#channel?.postMessage(message);
  }

  /** @param {Site.TabMessage} message */
  #hear(message) {
    if (message.kind === 'snapshot') {
      if (message.to !== this.id) return;
      clearTimeout(this.#patience);
    }
    if (message.kind === 'lead') clearTimeout(this.#patience);
    this.owner.hear(message);
  }

  /** @param {LockOptions} options */
  #stand(options) {
    let held = false;
    navigator.locks
      .request(this.name, options, () => {
        if (!this.#joined || this.leads) return undefined;
        clearTimeout(this.#patience);
        held = true;
        this.leads = true;
        this.owner.lead();
        this.post({ kind: 'lead', from: this.id });
        return new Promise((resolve) => {
          this.#release = () => resolve(undefined);
        });
      })
      .catch(() => {
        if (!this.#joined) return;
        if (held) {
          // Another tab took the lead, having waited for an answer in vain.
          this.#stepDown();
          this.#stand({});
        } else if (!this.leads) {
          // A sandboxed frame has no locks.
          this.#leadAlone();
        }
      });
  }

  #leadAlone() {
    this.leads = true;
    this.owner.lead();
  }

  #stepDown() {
    this.#release?.();
    this.#release = undefined;
    if (!this.leads) return;
    this.leads = false;
    this.owner.follow();
  }
}
