// Promises: what is to be done, whose, and what became of the others.

/** @import { Obligation, ObligationFilter, ObligationScope } from "./types/api.js" */
/** @import { State } from "./types/state.js" */
/** @import { Key } from "./i18n.js" */

import { call } from "./api.js";
import { getState } from "./app.js";
import { everySecond, serverNow } from "./clock.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { momentText, t } from "./i18n.js";
import { Page } from "./page.js";
import { empty, operatorName } from "./parts.js";
import { dueMark, kindOf, madeText, ownerText, promiseButtons, queueName, reachLink } from "./promise-parts.js";
import { concerns, isOpen } from "./promise-state.js";
import { clientOf, openPromise } from "./promises.js";
import { isSupervisor } from "./selectors.js";

const PAGE = 100;
const PACE_MS = 20_000;

/** @typedef {{ id: string, key: Key, scope: ObligationScope, filter: ObligationFilter, supervisor?: boolean }} Tab */

/** @type {Tab[]} */
const TABS = [
  { id: "mine", key: "promises.mine", scope: "OBLIGATION_SCOPE_MINE", filter: "OBLIGATION_FILTER_OPEN" },
  { id: "queues", key: "promises.queues", scope: "OBLIGATION_SCOPE_QUEUES", filter: "OBLIGATION_FILTER_OPEN" },
  {
    id: "escalated",
    key: "promises.escalated",
    scope: "OBLIGATION_SCOPE_ALL",
    filter: "OBLIGATION_FILTER_ESCALATED",
    supervisor: true,
  },
  {
    id: "all",
    key: "promises.all",
    scope: "OBLIGATION_SCOPE_ALL",
    filter: "OBLIGATION_FILTER_OPEN",
    supervisor: true,
  },
  { id: "done", key: "promises.done", scope: "OBLIGATION_SCOPE_QUEUES", filter: "OBLIGATION_FILTER_DONE" },
];

class Promises extends Page {
  start() {
    this.tabs = h("div", { class: "tabs", role: "group", "aria-label": t("page.promises") });
    this.frame(t("page.promises"), t("promises.text"), this.tabs);
    const state = getState();
    // Who is to see to what is left begins there.
    const left = Object.values(state.promises).some((p) => p.escalated && concerns(state, p));
    /** @type {Tab} */
    this.tab = (isSupervisor(state) && left ? TABS.find((tab) => tab.id === "escalated") : undefined) ?? TABS[0];
    /** @type {Obligation[]} */
    this.promises = [];
    this.token = "";
    /** @type {boolean} */
    this.loaded = false;
    /** @type {State["promises"]} */
    this.known = state.promises;
    /** @type {number} */
    this.pace = 0;
    this.onLeave(everySecond(() => this.#tick()));
    this.#drawTabs();
    this.#read(false);
  }

  // Without a watched state it draws only when asked to.
  #tick() {
    const state = getState();
    const pace = Math.floor(serverNow() / PACE_MS);
    if (state.promises !== this.known) {
      this.known = state.promises;
      this.#read(false, true);
    } else if (pace !== this.pace && this.loaded) this.#draw();
    this.pace = pace;
  }

  #drawTabs() {
    const state = getState();
    replace(
      this.tabs ?? this,
      TABS.filter((tab) => !tab.supervisor || isSupervisor(state)).map((tab) =>
        h(
          "button",
          {
            type: "button",
            class: "tab",
            "aria-pressed": String(tab === this.tab),
            "data-testid": `promises-${tab.id}`,
            onclick: () => {
              this.tab = tab;
              this.loaded = false;
              this.#drawTabs();
              this.#read(false);
            },
          },
          t(tab.key),
        ),
      ),
    );
  }

  /** @param {boolean} more @param {boolean} [quiet] */
  #read(more, quiet = more) {
    /** @type {Tab} */
    const tab = this.tab ?? TABS[0];
    const scope =
      tab.filter === "OBLIGATION_FILTER_DONE" && isSupervisor(getState()) ? "OBLIGATION_SCOPE_ALL" : tab.scope;
    void this.load(
      () =>
        call("Inbox/ListObligations", {
          scope,
          filter: tab.filter,
          pageSize: PAGE,
          pageToken: more ? this.token : undefined,
        }),
      (/** @type {import("./types/api.js").ListObligationsResponse} */ answer) => {
        if (tab !== this.tab) return;
        this.promises = [...(more ? (this.promises ?? []) : []), ...(answer.obligations ?? [])];
        this.token = answer.nextPageToken ?? "";
        this.loaded = true;
        this.#draw();
      },
      quiet,
    );
  }

  #draw() {
    const state = getState();
    const now = serverNow();
    const promises = this.promises ?? [];
    if (promises.length === 0) {
      const done = this.tab?.id === "done";
      this.show(empty(done ? "archive" : "check", t(done ? "promises.noneDone" : "promises.none"), t("promises.none.text")));
      return;
    }
    this.show(
      h(
        "ul",
        { class: "plain promise-list", "data-testid": "promise-list" },
        promises.map((p) => row(state, p, now)),
      ),
      this.token && h("button", { type: "button", class: "button", onclick: () => this.#read(true) }, t("more")),
    );
  }
}
customElements.define("sb-promises", Promises);

const ENDS = /** @type {const} */ ({
  OBLIGATION_STATE_OPEN: "promise.state.open",
  OBLIGATION_STATE_KEPT: "promise.state.kept",
  OBLIGATION_STATE_LATE: "promise.state.late",
  OBLIGATION_STATE_BROKEN: "promise.state.broken",
  OBLIGATION_STATE_WAIVED: "promise.state.waived",
});

/** How it ended. @param {State} state @param {Obligation} p */
function end(state, p) {
  const tone = { OBLIGATION_STATE_KEPT: "ok", OBLIGATION_STATE_LATE: "warn", OBLIGATION_STATE_BROKEN: "bad" };
  const name = p.state ?? "OBLIGATION_STATE_OPEN";
  const by = p.endedByOperatorId ? operatorName(state.operators[p.endedByOperatorId]) : "";
  return h(
    "span",
    { class: "promise-end" },
    h("span", { class: `tag ${tone[/** @type {keyof typeof tone} */ (name)] ?? ""}` }, t(ENDS[name])),
    h("small", { class: "muted" }, [momentText(p.endedAt), by].filter(Boolean).join(" · ")),
  );
}

/** @param {State} state @param {Obligation} p @param {number} now */
function row(state, p, now) {
  const kind = kindOf(p);
  return h(
    "li",
    { class: "promise-row", "data-testid": "promise-row", "data-state": p.state ?? "" },
    h("span", { class: "promise-icon" }, icon(kind.icon)),
    h(
      "span",
      { class: "promise-main" },
      h(
        "span",
        { class: "promise-top" },
        h(
          "button",
          { type: "button", class: "link promise-name", onclick: () => void openPromise(p), "data-testid": "promise-open" },
          clientOf(p),
        ),
        h("span", null, t(kind.key)),
        reachLink(p),
        p.escalated && h("span", { class: "tag warn", "data-testid": "promise-escalated" }, icon("up"), t("promise.escalated")),
      ),
      p.note && h("span", { class: "promise-note" }, p.note),
      h(
        "small",
        { class: "muted" },
        [ownerText(state, p), p.operatorId ? queueName(state, p.queueId) : "", madeText(state, p, now), p.waiveReason]
          .filter(Boolean)
          .join(" · "),
      ),
    ),
    h("span", { class: "promise-side" }, isOpen(p) ? dueMark(p, now) : end(state, p), isOpen(p) && promiseButtons(state, p)),
  );
}
