// The promises to the client of the open conversation, above the timeline.

/** @import { Obligation } from "./types/api.js" */
/** @import { State } from "./types/state.js" */

import { View } from "./app.js";
import { everySecond, serverNow } from "./clock.js";
import { h, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { dueMark, kindOf, ownerText, promiseButtons, reachLink } from "./promise-parts.js";
import { promisesTo } from "./promise-state.js";
import { loadPromisesTo } from "./promises.js";
import { conversation } from "./selectors.js";

// How often the time that is left is drawn anew.
const PACE_MS = 20_000;

class PromiseStrip extends View {
  start() {
    /** @type {string} */
    this.contactId = "";
    this.onLeave(everySecond(() => this.update()));
  }

  /** @param {State} state */
  watch(state) {
    const c = conversation(state, state.selectedId);
    return [
      c?.contact?.id,
      state.promises,
      state.operators,
      state.me,
      state.timelines[c?.contact?.id ?? ""]?.messages,
      Math.floor(serverNow() / PACE_MS),
    ];
  }

  /** @param {State} state */
  render(state) {
    const c = conversation(state, state.selectedId);
    const contactId = c?.contact?.id ?? "";
    if (contactId !== this.contactId) {
      this.contactId = contactId;
      if (contactId) void loadPromisesTo(contactId);
    }
    const now = serverNow();
    const promises = contactId ? promisesTo(state, contactId) : [];
    this.hidden = promises.length === 0;
    reconcile(this, promises, {
      key: (p) => p.id,
      stamp: (p) => [p, Math.floor(now / PACE_MS), state.operators[p.operatorId ?? ""], wroteSince(state, p), state.me],
      draw: (p) => strip(state, p, now),
    });
  }
}
customElements.define("sb-promise-strip", PromiseStrip);

/** Whether the operator has written to the client since. @param {State} state @param {Obligation} p */
function wroteSince(state, p) {
  const messages = state.timelines[p.contact?.id ?? ""]?.messages ?? [];
  return messages.some(
    (m) => m.direction === "OUTBOUND" && m.operatorId === state.me?.id && (m.storedAt ?? "") > (p.createdAt ?? ""),
  );
}

/** @param {State} state @param {Obligation} p @param {number} now */
function strip(state, p, now) {
  const likely = p.kind === "OBLIGATION_KIND_REPLY" && wroteSince(state, p);
  return h(
    "div",
    { class: "strip promise-strip", "data-testid": "promise-strip" },
    icon(kindOf(p).icon),
    h(
      "span",
      { class: "promise-strip-text" },
      h("b", null, t(kindOf(p).key)),
      dueMark(p, now),
      h("span", null, ownerText(state, p)),
      reachLink(p),
      p.note && h("span", { class: "promise-strip-note", title: p.note }, p.note),
      likely && h("b", { class: "promise-ask" }, t("promise.keptAsk")),
    ),
    promiseButtons(state, p, likely),
  );
}
