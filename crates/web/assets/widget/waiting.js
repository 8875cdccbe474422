// What stands between the messages and the text box: the visitor's place in the queue with a number
// to be called back at, and the rating when a conversation has ended.

import { h, iconButton, setText } from './dom.js';

const SCORES = /** @type {const} */ ([1, 2, 3, 4, 5]);
/** As the server allows. */
const COMMENT_LENGTH_MAX = 1_000;

export class Waiting {
  #status = h('p', { role: 'status' });
  #offer;
  #number;
  #rating = h('div');
  /** @type {Rating | undefined} */
  #asked;

  /**
   * @param {Site.Words} words
   * @param {Site.Session} session
   * @param {() => void} focusElsewhere
   */
  constructor(words, session, focusElsewhere) {
    this.words = words;
    this.session = session;
    this.focusElsewhere = focusElsewhere;
    this.#number = new NumberForm(words, session, () => this.update());
    this.#offer = h('button', { type: 'button', class: 'link', onclick: () => this.#number.show() });
    this.element = h('div', { class: 'waiting' }, h('div', { class: 'place' }, this.#status, this.#offer, this.#number.element), this.#rating);
    this.update();
  }

  update() {
    const { session, words } = this;
    const { standing, rate } = session.beside;
    const focused = this.element.matches(':focus-within');
    // One node, changed in place: a screen reader says what is new and nothing twice.
    setText(this.#status, standing ? words.standing(standing) : '');
    const callable = Boolean(standing?.callback && !standing.callback_left);
    if (!callable) this.#number.element.hidden = true;
    setText(this.#offer, words.t(standing?.closed_until ? 'leaveNumber' : 'callback'));
    this.#offer.hidden = !callable || !this.#number.element.hidden;
    if (rate?.conversation_id !== this.#asked?.id) {
      this.#asked = rate && new Rating(rate, words, session);
      this.#rating.replaceChildren(...(this.#asked ? [this.#asked.element] : []));
    }
    if (rate) this.#asked?.update(rate);
    // What had the focus may be gone now.
    const root = /** @type {ShadowRoot} */ (this.element.getRootNode());
    if (focused && !root.activeElement?.checkVisibility()) this.focusElsewhere();
  }
}

/** A phone number to be called back at. */
class NumberForm {
  #input;
  #problem = h('p', { class: 'wrong', role: 'alert' });

  /**
   * @param {Site.Words} words
   * @param {Site.Session} session
   * @param {() => void} changed
   */
  constructor({ t }, session, changed) {
    this.changed = changed;
    this.#input = h('input', { type: 'tel', name: 'phone', required: true, maxlength: 40, autocomplete: 'tel', value: session.thread.profile.phone });
    this.element = h(
      'form',
      { class: 'number', hidden: true },
      h('label', { class: 'field' }, t('phone'), this.#input),
      this.#problem,
      h('div', { class: 'row' },
        h('button', { class: 'primary' }, t('callMe')),
        h('button', { type: 'button', class: 'link', onclick: () => this.#hide() }, t('cancel'))),
    );
    this.element.onsubmit = (event) => {
      event.preventDefault();
      setText(this.#problem, '');
      session.beside.leaveNumber(this.#input.value.trim(), (problem) => {
        if (problem) setText(this.#problem, t(problem === 'phone' ? 'badPhone' : 'notDone'));
      });
    };
  }

  show() {
    this.element.hidden = false;
    this.changed();
    this.#input.focus();
  }

  #hide() {
    this.element.hidden = true;
    this.changed();
  }
}

/** Five stars, a word for each, and why. */
class Rating {
  #words;
  #session;
  #choices;
  #why;
  #word = h('p', { class: 'word', 'aria-hidden': true });
  #problem = h('p', { class: 'wrong', role: 'alert' });
  #form;
  #thanks;
  #changing = false;

  /**
   * @param {Site.Rate} rate
   * @param {Site.Words} words
   * @param {Site.Session} session
   */
  constructor(rate, words, session) {
    const { t } = words;
    this.id = rate.conversation_id;
    this.#words = words;
    this.#session = session;
    this.#choices = SCORES.map((score) => h('input', { type: 'radio', name: 'score', value: score, required: true, 'aria-label': t(`score${score}`), onchange: () => this.#choose() }));
    this.#why = h('textarea', { rows: 2, maxlength: COMMENT_LENGTH_MAX, dir: 'auto', placeholder: t('why'), 'aria-label': t('why') });
    this.#form = h(
      'form',
      {},
      h('fieldset', {}, h('legend', { dir: 'auto' }, t('rate', { name: rate.operator_name || t('operator') })), h('div', { class: 'stars' }, ...this.#choices), this.#word),
      this.#why,
      this.#problem,
      h('button', { class: 'primary' }, t('sendRating')),
    );
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      this.#send();
    };
    this.#thanks = h('p', { role: 'status' });
    this.element = h(
      'section',
      { class: 'rating' },
      iconButton('close', 'dismiss', t('dismiss'), () => session.beside.dismiss()),
      this.#form,
      this.#thanks,
      h('button', { type: 'button', class: 'link', onclick: () => this.#change() }, t('change')),
    );
    this.#why.value = rate.comment;
    for (const choice of this.#choices) choice.checked = Number(choice.value) === rate.score;
    this.update(rate);
  }

  get #score() {
    return SCORES.find((score) => this.#choices[score - 1].checked);
  }

  /** @param {Site.Rate} rate */
  update({ score }) {
    const { t } = this.#words;
    const done = Boolean(score && !this.#changing);
    this.#form.hidden = done;
    /** @type {HTMLElement} */ (this.element.lastChild).hidden = !done;
    setText(this.#thanks, done ? t('thanks', { word: t(`score${score ?? 1}`) }) : '');
    this.#showWord();
  }

  #choose() {
    setText(this.#problem, '');
    this.#showWord();
  }

  #showWord() {
    const score = this.#score;
    setText(this.#word, score ? this.#words.t(`score${score}`) : '');
    // Who has chosen is asked why; before that there is nothing to explain.
    this.#why.hidden = !score;
    for (const [index, choice] of this.#choices.entries()) choice.classList.toggle('lit', index < (score ?? 0));
  }

  #change() {
    this.#changing = true;
    this.#session.view.changed();
    this.#choices[(this.#score ?? 1) - 1].focus();
  }

  #send() {
    const score = this.#score;
    if (!score) return;
    this.#session.beside.give(score, this.#why.value.trim(), (problem) => {
      if (problem) setText(this.#problem, this.#words.t(problem === 'rating_closed' ? 'tooLate' : 'notDone'));
      else this.#changing = false;
    });
  }
}
