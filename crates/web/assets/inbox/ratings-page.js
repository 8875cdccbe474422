// What clients thought of their conversations, for supervisors.

import { call } from "./api.js";
import { getState } from "./app.js";
import { serverNow } from "./clock.js";
import { field } from "./dialog.js";
import { h } from "./dom.js";
import { momentText, t } from "./i18n.js";
import { Page, table } from "./page.js";
import { operatorName } from "./parts.js";
import { queueName } from "./promise-parts.js";
import { scoreMark } from "./ratings.js";
import { rangeOf } from "./report-range.js";
import { conversationHref } from "./route.js";

/** @import { ListRatingsResponse, Rating } from "./types/api.js" */
/** @import { State } from "./types/state.js" */
/** @import { RangeName } from "./report-range.js" */

const PAGE = 100;
/** @type {(RangeName | "ever")[]} */
const PERIODS = ["today", "yesterday", "week", "month", "quarter", "ever"];
// As bad as this or worse.
const SCORES = /** @type {const} */ ([1, 2, 3]);

/** What was chosen last, for as long as the page is open. */
const choice = { period: /** @type {RangeName | "ever"} */ ("month"), score: "", operatorId: "" };

/** The moments between which the ratings were given. */
function period() {
  if (choice.period === "ever") return {};
  const range = rangeOf({ range: choice.period, first: "", last: "", grouping: "BY_DAY", queueId: "", target: 0 }, serverNow());
  return "error" in range ? {} : { from: range.from.toISOString(), to: range.to.toISOString() };
}

class Ratings extends Page {
  start() {
    /** @type {Rating[]} */
    this.found = [];
    this.token = "";
    /** @type {State["opinions"]} */
    this.opinions = getState().opinions;
    const people = Object.values(getState().operators).sort((a, b) => operatorName(a).localeCompare(operatorName(b)));
    this.frame(
      t("page.ratings"),
      t("ratings.text"),
      this.#select("period", PERIODS.map((name) => [name, t(name === "ever" ? "ratings.ever" : `reports.range.${name}`)])),
      this.#select("score", [
        ["", t("ratings.every")],
        ...SCORES.map((score) => /** @type {[string, string]} */ ([String(score), t(`ratings.upTo.${score}`)])),
      ]),
      this.#select("operatorId", [
        ["", t("ratings.everybody")],
        ...people.map((one) => /** @type {[string, string]} */ ([one.id, operatorName(one)])),
      ]),
    );
    this.#read(false, false);
  }

  /** @param {State} state */
  watch(state) {
    return [state.opinions];
  }

  /** A rating has come. @param {State} state */
  render(state) {
    if (state.opinions === this.opinions) return;
    this.opinions = state.opinions;
    this.#read(false, true);
  }

  /** @param {keyof typeof choice} name @param {[string, string][]} options */
  #select(name, options) {
    const box = h(
      "select",
      {
        "data-testid": `ratings-${name}`,
        onchange: () => {
          Object.assign(choice, { [name]: box.value });
          this.#read(false, false);
        },
      },
      options.map(([value, text]) => h("option", { value }, text)),
    );
    box.value = choice[name];
    return field(t(`ratings.${name}`), box);
  }

  /** @param {boolean} more @param {boolean} quiet */
  #read(more, quiet) {
    const asked = (this.asked = {
      ...period(),
      scoreMax: Number(choice.score) || undefined,
      operatorId: choice.operatorId || undefined,
      pageSize: PAGE,
      pageToken: more ? this.token : undefined,
    });
    void this.load(
      () => call("Inbox/ListRatings", asked),
      (/** @type {ListRatingsResponse} */ { ratings = [], nextPageToken = "" }) => {
        // Another choice was made meanwhile.
        if (asked !== this.asked) return;
        this.found = [...(more ? (this.found ?? []) : []), ...ratings];
        this.token = nextPageToken;
        this.#draw();
      },
      more || quiet,
    );
  }

  #draw() {
    const found = this.found ?? [];
    if (found.length === 0) {
      this.showEmpty("star", t("ratings.none"), t("ratings.noneText"));
      return;
    }
    const heads = [
      t("ratings.at"),
      t("ratings.score"),
      t("ratings.comment"),
      t("ratings.operatorId"),
      t("queues.name"),
      t("table.actions"),
    ];
    this.show(
      table(t("page.ratings"), heads, found.map(row), "ratings-table"),
      this.token && h("button", { type: "button", class: "button", onclick: () => this.#read(true, true) }, t("more")),
    );
  }
}
customElements.define("sb-ratings", Ratings);

/** @param {Rating} rating */
function row(rating) {
  const state = getState();
  const at = momentText(rating.ratedAt);
  return [
    h("time", { datetime: rating.ratedAt ?? "" }, at),
    scoreMark(rating),
    h("span", { class: "wrap" }, rating.comment || "—"),
    operatorName(state.operators[rating.operatorId ?? ""]),
    queueName(state, rating.queueId),
    h(
      "a",
      {
        class: "button small",
        href: conversationHref(rating.conversationId ?? ""),
        "aria-label": t("ratings.openOf", { time: at }),
        "data-testid": "rating-open",
      },
      t("ratings.open"),
    ),
  ];
}
