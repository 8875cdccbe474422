// What a session knows beside the messages: the visitor's place in the queue, what can be rated, and
// what was asked for and not answered yet.

export class Beside {
  /** @type {Site.Standing | undefined} */
  standing;
  /** @type {Site.Rate | undefined} */
  rate;
  /** @type {Map<string, (problem: string) => void>} Who waits for the answer to which frame. */
  #asked = new Map();

  /** @param {Site.BesideOwner} session */
  constructor(session) {
    this.session = session;
  }

  /** What still holds is told again. */
  forget() {
    this.standing = this.rate = undefined;
  }

  /** @param {Extract<Site.ServerFrame, { type: 'standing' | 'rate' }>} frame */
  hear(frame) {
    if (frame.type === 'standing') {
      const { position, closed_until, callback_left } = frame;
      this.standing = position || closed_until || callback_left ? frame : undefined;
    } else if (frame.score || this.session.storage.get('dismissed') !== frame.conversation_id) {
      this.rate = frame;
    }
  }

  /** @returns {Site.Shown} */
  get shown() {
    const { standing, rate } = this;
    return { standing, rate };
  }

  /** @param {Site.Shown} shown */
  show(shown) {
    if ('standing' in shown) this.standing = shown.standing;
    if ('rate' in shown) this.rate = shown.rate;
  }

  /**
   * Asks for something that is done now or not at all; `done` hears why not, or nothing.
   * @param {Site.Asking} frame
   * @param {(problem: string) => void} done
   */
  ask(frame, done) {
    const client_id = newId();
    this.#asked.set(client_id, done);
    if (this.session.status !== 'online') this.answer(client_id, 'offline');
    else this.session.send({ ...frame, client_id });
  }

  /**
   * Answers whether somebody waited for that.
   * @param {string} asked
   * @param {string} problem
   */
  answer(asked, problem) {
    const done = this.#asked.get(asked);
    this.#asked.delete(asked);
    done?.(problem);
    return Boolean(done);
  }

  giveUp() {
    for (const asked of this.#asked.keys()) this.answer(asked, 'offline');
  }

  /** @param {string} phone @param {(problem: string) => void} done */
  leaveNumber(phone, done) {
    this.ask({ type: 'callback', phone }, (problem) => {
      if (!problem) this.#share({ standing: this.standing && { ...this.standing, callback_left: true } });
      done(problem);
    });
  }

  /** @param {Site.Score} score @param {string} comment @param {(problem: string) => void} done */
  give(score, comment, done) {
    const { rate } = this;
    if (!rate) return;
    this.ask({ type: 'rating', conversation_id: rate.conversation_id, score, comment }, (problem) => {
      done(problem);
      if (!problem) this.#share({ rate: { ...rate, score, comment } });
    });
  }

  /** The visitor does not want to be asked again about this conversation. */
  dismiss() {
    if (this.rate) this.session.storage.set('dismissed', this.rate.conversation_id);
    this.#share({ rate: undefined });
  }

  /**
   * In every tab.
   * @param {Site.Shown} shown
   */
  #share(shown) {
    this.show(shown);
    this.session.share(shown);
  }
}

/** A UUID would do; `crypto.randomUUID` exists on https pages only. */
export function newId() {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}
