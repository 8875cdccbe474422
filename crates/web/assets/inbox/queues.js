// The queues as a supervisor watches them.

import { call } from "./api.js";
import { getState } from "./app.js";
import { everySecond } from "./clock.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { Page, table } from "./page.js";
import { asideIcon, operatorName, presenceDot, waitTimer } from "./parts.js";
import { openFolder } from "./sidebar.js";
import { strategyText } from "./why-parts.js";
import { showWhyNotMe } from "./why.js";

/** @import { Queue } from "./types/api.js" */
/** @import { Key } from "./i18n.js" */

const EVERY_S = 3;

class Queues extends Page {
  start() {
    this.frame(t("page.queues"), t("queues.text"));
    const read = () => call("Routing/ListQueues", {});
    const show = (/** @type {{ queues?: Queue[] }} */ { queues = [] }) => this.#draw(queues);
    void this.load(read, show);
    let seconds = 0;
    this.onLeave(
      everySecond(() => {
        seconds += 1;
        if (seconds % EVERY_S === 0 && document.visibilityState === "visible") void this.load(read, show, true);
      }),
    );
  }

  /** @param {Queue[]} queues */
  #draw(queues) {
    if (queues.length === 0) {
      this.showEmpty("layers", t("queues.none"));
      return;
    }
    const heads = [
      t("queues.name"),
      t("queues.waiting"),
      t("queues.longest"),
      t("queues.active"),
      t("queues.ready"),
      t("queues.free"),
      t("queues.strategy"),
    ];
    const rows = queues.map((q) => [
      h("button", { type: "button", class: "link", onclick: () => openFolder("WAITING", q.id) }, q.displayName || q.id),
      h(
        "span",
        { class: "number" },
        q.waiting ?? 0,
        (q.offered ?? 0) > 0 && h("small", null, ` ${t("queues.offered", { n: q.offered ?? 0 })}`),
        more("queues.deferred", q.deferred),
        more("queues.abandoned", q.abandoned),
      ),
      q.oldestWaitingSince && (q.waiting ?? 0) > 0 ? waitTimer(q.oldestWaitingSince) : "—",
      h("span", { class: "number" }, q.active ?? 0, more("queues.wrappingUp", q.wrappingUp)),
      h("span", { class: "number" }, q.readyOperators ?? 0),
      h("span", { class: "number" }, q.freeOperators ?? 0),
      h(
        "span",
        { title: strategyText(q.strategy) },
        t(/** @type {Key} */ (`strategy.${q.strategy || "longest_idle"}`)),
        q.direct && h("small", { class: "muted" }, `, ${t("strategy.direct")}`),
      ),
    ]);
    const operators = Object.values(getState().operators)
      .filter((o) => !o.disabled)
      .sort(
        (a, b) =>
          (b.presence === "READY" ? 1 : 0) - (a.presence === "READY" ? 1 : 0) ||
          operatorName(a).localeCompare(operatorName(b)),
      );
    const people = operators.map((o) => [
      h("span", { class: "with-dot" }, presenceDot(o), operatorName(o)),
      o.awayReason || t(`presence.${o.presence ?? "OFFLINE"}`),
      h(
        "button",
        { type: "button", class: "link with-dot", onclick: () => showWhyNotMe(o.id), "data-testid": "operator-why" },
        asideIcon(o),
        o.routingState ? t(`routing.${o.routingState}`) : t("why.ask"),
      ),
      h("span", { class: "number" }, `${o.load ?? 0}/${o.capacity ?? 100}`),
      (o.queues ?? []).map((m) => getState().queues[m.queueId]?.displayName || m.queueId).join(", "),
    ]);
    this.show(
      table(t("page.queues"), heads, rows, "queues-table"),
      h("h2", null, t("queues.operators")),
      table(
        t("queues.operators"),
        [t("people.name"), t("queues.presence"), t("queues.state"), t("presence.load"), t("nav.queues")],
        people,
        "operators-table",
      ),
    );
  }
}
customElements.define("sb-queues", Queues);

/** What stands beside a number, if there is any. @param {Key} key @param {number | undefined} n */
function more(key, n) {
  return n ? h("small", { class: "beside" }, t(key, { n })) : null;
}
