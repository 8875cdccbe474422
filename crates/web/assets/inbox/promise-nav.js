// The next promises in the sidebar, and how many there are.

/** @import { Obligation } from "./types/api.js" */
/** @import { State } from "./types/state.js" */

import { View } from "./app.js";
import { everySecond, serverNow } from "./clock.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { dayText, t, timeText } from "./i18n.js";
import { duePromises, isOverdue } from "./promise-state.js";
import { clientOf, openPromise } from "./promises.js";
import { route } from "./route.js";

const SHOWN = 3;
const PACE_MS = 20_000;

class PromiseNav extends View {
  start() {
    this.listen(window, "hashchange", () => this.redraw());
    this.onLeave(everySecond(() => this.update()));
  }

  /** @param {State} state */
  watch(state) {
    return [state.promises, state.me, state.promisesLoaded, Math.floor(serverNow() / PACE_MS)];
  }

  /** @param {State} state */
  render(state) {
    const now = serverNow();
    const promises = duePromises(state);
    const overdue = promises.filter((p) => isOverdue(p, now)).length;
    const current = route().page === "promises";
    replace(
      this,
      h(
        "a",
        { class: "nav-item", href: "#/promises", "aria-current": current ? "page" : null, "data-testid": "page-promises" },
        icon("alarm"),
        h("span", { class: "nav-label" }, t("page.promises")),
        overdue > 0 &&
          h(
            "span",
            {
              class: "badge bad",
              role: "img",
              "aria-label": t("promise.overdueCount", { n: overdue }),
              title: t("promise.overdueCount", { n: overdue }),
              "data-testid": "promises-overdue",
            },
            overdue,
          ),
        promises.length > 0 && h("span", { class: "count", "data-testid": "promises-count" }, promises.length),
      ),
      promises.length > 0 &&
        h(
          "ul",
          { class: "nav-promises" },
          promises.slice(0, SHOWN).map((p) => next(p, now)),
        ),
    );
  }
}
customElements.define("sb-promise-nav", PromiseNav);

/** The time today, else the day: there is little room. @param {string | undefined} time @param {number} now */
function dayOrTime(time, now) {
  const isToday = new Date(time ?? 0).toDateString() === new Date(now).toDateString();
  return isToday ? timeText(time) : dayText(time, now);
}

/** @param {Obligation} p @param {number} now */
function next(p, now) {
  const overdue = isOverdue(p, now);
  return h(
    "li",
    null,
    h(
      "button",
      {
        type: "button",
        class: `nav-promise${overdue ? " overdue" : ""}`,
        onclick: (/** @type {Event} */ event) => {
          // On a phone the sidebar lies above what it opens.
          event.currentTarget?.dispatchEvent(new CustomEvent("sb-pane", { bubbles: true, detail: "thread" }));
          void openPromise(p);
        },
        "data-testid": "nav-promise",
      },
      h("span", { class: "nav-label" }, clientOf(p)),
      h("time", { datetime: p.dueAt ?? "" }, overdue ? t("promise.overdue") : dayOrTime(p.dueAt, now)),
    ),
  );
}
