// The queues and operators of this moment, to be read from across the room.

import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { countText, durationText, percentText } from "./metric-text.js";
import { Page, table } from "./page.js";
import { waitTimer } from "./parts.js";
import { openFolder } from "./sidebar.js";
import { listed, number, person, tile, told } from "./wallboard-parts.js";

/** @import { Queue } from "./types/api.js" */
/** @import { Activity, OperatorNow, WatchQueuesResponse } from "./types/metrics.js" */
/** @import { IconName } from "./icons.js" */

const URL_OF_BOARD = "/switchboard.routing.v1.Routing/WatchQueues";
const RETRY_FIRST_MS = 1_000;
const RETRY_LAST_MS = 15_000;
// The usual goal is 80 % in 20 s.
const GOOD = 0.8;
const FAIR = 0.6;

/** Who needs attention comes first. @type {Activity[]} */
const ACTIVITIES = ["MISSING_OFFERS", "IDLE", "BUSY", "ON_A_BREAK"];
/** @type {Record<Activity, IconName>} */
const ACTIVITY_ICONS = {
  BUSY: "chat",
  IDLE: "check",
  MISSING_OFFERS: "bell",
  ON_A_BREAK: "moon",
  NOT_AT_WORK: "power",
};

export const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** @param {Queue[]} queues @param {(queue: Queue) => number | undefined} read */
const sum = (queues, read) => queues.reduce((all, queue) => all + (read(queue) ?? 0), 0);

/** Over queues of different size. @param {Queue[]} queues @param {(q: Queue) => number | undefined} value @param {(q: Queue) => number} weight */
function mean(queues, value, weight) {
  const told = queues.filter((q) => value(q) !== undefined && weight(q) > 0);
  const all = sum(told, weight);
  return all > 0 ? sum(told, (q) => (value(q) ?? 0) * weight(q)) / all : null;
}

const answered = (/** @type {Queue} */ q) => q.today?.answered ?? 0;
const ended = (/** @type {Queue} */ q) => answered(q) + (q.today?.abandoned ?? 0);
const level = (/** @type {Queue[]} */ queues) => mean(queues, (q) => q.today?.serviceLevel, ended);
const speed = (/** @type {Queue[]} */ queues) => mean(queues, (q) => q.today?.asaSeconds, answered);

/** @param {number | null} part */
function levelGrade(part) {
  if (part === null) return "none";
  return part >= GOOD ? "good" : part >= FAIR ? "fair" : "poor";
}

class Wallboard extends Page {
  start() {
    /** @type {WatchQueuesResponse | null} */
    this.board = null;
    this.queueId = "";
    /** @type {number} */
    this.retryMs = RETRY_FIRST_MS;
    /** The queues that can be chosen. @type {string} */
    this.named = "";
    /** @type {((first: null) => void) | null} */
    this.first = null;
    this.pick = h("select", {
      "aria-label": t("wallboard.queue"),
      "data-testid": "wallboard-queue",
      onchange: () => {
        this.queueId = this.pick?.value ?? "";
        this.#draw();
      },
    });
    this.pick.hidden = true;
    this.frame(
      t("page.wallboard"),
      t("wallboard.text"),
      this.pick,
      h(
        "button",
        { type: "button", class: "button", onclick: () => void this.#full(), "data-testid": "wallboard-full" },
        t("wallboard.full"),
      ),
    );
    // Until the first picture comes.
    void this.load(
      () => new Promise((resolve) => (this.first = resolve)),
      () => this.#draw(),
    );
    this.#open();
    this.onLeave(() => {
      clearTimeout(this.retryTimer);
      this.source?.close();
    });
  }

  #open() {
    this.source?.close();
    const source = new EventSource(`${URL_OF_BOARD}?timeZone=${encodeURIComponent(timeZone())}`);
    this.source = source;
    source.onmessage = ({ data }) => {
      this.retryMs = RETRY_FIRST_MS;
      this.lost = false;
      this.board = JSON.parse(data);
      if (this.first) {
        this.first(null);
        this.first = null;
      } else this.#draw();
    };
    source.onerror = () => {
      // The browser's own retry gives up on an HTTP error.
      source.close();
      this.lost = true;
      if (this.board) this.#draw();
      const pause = this.retryMs ?? RETRY_FIRST_MS;
      this.retryTimer = setTimeout(() => this.#open(), pause);
      this.retryMs = Math.min(pause * 2, RETRY_LAST_MS);
    };
  }

  async #full() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.requestFullscreen?.().catch(() => {});
  }

  #draw() {
    if (!this.board || !this.isConnected) return;
    const all = this.board.queues ?? [];
    if (all.length === 0) {
      this.showEmpty("board", t("wallboard.none"), t("wallboard.none.text"));
      return;
    }
    this.#choices(all);
    const queues = all.filter((q) => !this.queueId || q.id === this.queueId);
    const people = (this.board.operators ?? []).filter(
      (one) => !this.queueId || (one.queueIds ?? []).includes(this.queueId),
    );
    this.show(
      this.lost && h("p", { class: "notice", role: "status" }, icon("offline"), t("wallboard.connecting")),
      h("div", { class: "tiles", "data-testid": "tiles" }, ...this.#tiles(queues, people)),
      h("h2", null, t("wallboard.byQueue")),
      this.#queues(queues),
      h("h2", null, t("wallboard.operators")),
      this.#people(people),
    );
  }

  /** @param {Queue[]} queues */
  #choices(queues) {
    const named = queues.map((q) => q.displayName || q.id).join("\n");
    if (!this.pick || named === this.named) return;
    this.named = named;
    this.pick.hidden = queues.length < 2;
    replace(
      this.pick,
      h("option", { value: "" }, t("wallboard.all")),
      queues.map((q) => h("option", { value: q.id }, q.displayName || q.id)),
    );
    this.pick.value = this.queueId ?? "";
  }

  /** @param {Queue[]} queues @param {OperatorNow[]} people */
  #tiles(queues, people) {
    const waiting = sum(queues, (q) => q.waiting);
    const oldest = queues
      .filter((q) => (q.waiting ?? 0) > 0 && q.oldestWaitingSince)
      .map((q) => q.oldestWaitingSince ?? "")
      .sort()[0];
    const part = level(queues);
    const grade = levelGrade(part);
    const seconds = queues[0]?.today?.serviceLevelSeconds ?? 20;
    const doing = (/** @type {Activity} */ what) => people.filter((one) => one.activity === what).length;
    return [
      tile(
        "waiting",
        countText(waiting),
        listed(
          t("wallboard.waiting.detail", { n: sum(queues, (q) => q.offered) }),
          told("queues.deferred", sum(queues, (q) => q.deferred)),
        ),
      ),
      tile("longest", oldest ? waitTimer(oldest) : "—", oldest ? "" : t("wallboard.nobody")),
      tile(
        "level",
        percentText(part),
        part === null ? t("wallboard.level.none") : t("wallboard.level.detail", { n: seconds }),
        grade,
      ),
      tile("asa", durationText(speed(queues)), t("wallboard.asa.detail")),
      tile(
        "answered",
        countText(sum(queues, answered)),
        t("wallboard.answered.detail", { n: sum(queues, (q) => q.today?.offered) }),
      ),
      tile(
        "abandoned",
        countText(sum(queues, (q) => q.today?.abandoned)),
        told("queues.abandoned", sum(queues, (q) => q.abandoned)),
      ),
      tile(
        "active",
        countText(sum(queues, (q) => q.active)),
        told("queues.wrappingUp", sum(queues, (q) => q.wrappingUp)),
      ),
      tile("free", countText(doing("IDLE")), t("wallboard.free.detail", { n: doing("BUSY") })),
    ];
  }

  /** @param {Queue[]} queues */
  #queues(queues) {
    /** @type {import("./i18n.js").Key[]} */
    const heads = [
      "wallboard.queue",
      "wallboard.waiting",
      "queues.longest",
      "metric.service_level",
      "metric.asa",
      "metric.answered",
      "metric.abandoned",
      "wallboard.active",
      "activity.IDLE",
    ];
    return table(
      t("wallboard.byQueue"),
      heads.map((head) => t(head)),
      queues.map((q) => [
        h("button", { type: "button", class: "link", onclick: () => openFolder("WAITING", q.id) }, q.displayName || q.id),
        number(countText(q.waiting ?? 0)),
        q.oldestWaitingSince && (q.waiting ?? 0) > 0 ? waitTimer(q.oldestWaitingSince) : "—",
        number(percentText(q.today?.serviceLevel)),
        number(durationText(q.today?.asaSeconds)),
        number(countText(answered(q))),
        number(countText(q.today?.abandoned ?? 0)),
        number(countText(q.active ?? 0)),
        number(countText(q.activities?.find((one) => one.activity === "IDLE")?.operators ?? 0)),
      ]),
      "wallboard-queues",
    );
  }

  /** @param {OperatorNow[]} people */
  #people(people) {
    if (people.length === 0) return h("p", { class: "muted" }, t("wallboard.operators.none"));
    const away = people.filter((one) => !one.activity || one.activity === "NOT_AT_WORK").length;
    const groups = ACTIVITIES.map((activity) => {
      const here = people
        .filter((one) => one.activity === activity)
        .sort((a, b) => ((a.since ?? "") < (b.since ?? "") ? -1 : 1));
      return (
        here.length > 0 &&
        h(
          "section",
          { class: "crew", "data-activity": activity, "data-testid": `crew-${activity}` },
          h("h3", null, icon(ACTIVITY_ICONS[activity]), t(`activity.${activity}`), ` · ${countText(here.length)}`),
          h("ul", { class: "plain" }, ...here.map(person)),
        )
      );
    });
    return h(
      "div",
      { class: "crews", "data-testid": "wallboard-operators" },
      ...groups,
      away > 0 && h("p", { class: "muted" }, t("wallboard.away", { n: away })),
    );
  }
}
customElements.define("sb-wallboard", Wallboard);
