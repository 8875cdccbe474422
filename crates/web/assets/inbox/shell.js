// The frame: sign-in or the panes, which page is open, how wide the panes are.

import { loadOpen } from "./actions.js";
import { View, dispatch } from "./app.js";
import { conversation, isAdmin, isSupervisor } from "./selectors.js";
import { el, h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { installKeys } from "./keys.js";
import { iconButton } from "./menu.js";
import { failed } from "./parts.js";
import { isForSupervisors } from "./places.js";
import { pref, setPref, whenPrefsChange } from "./prefs.js";
import { goToConversation, isForAll, route } from "./route.js";
import { enter } from "./session.js";
import "./audit.js";
import "./blocks.js";
import "./contact.js";
import "./dead-letters.js";
import "./lines.js";
import "./list.js";
import "./mentions.js";
import "./offers.js";
import "./people.js";
import "./promise-page.js";
import "./proof.js";
import "./queues.js";
import "./ratings-page.js";
import "./replies-page.js";
import "./reports.js";
import "./sidebar.js";
import "./sign-in.js";
import "./thread.js";
import "./toasts.js";
import "./webhooks.js";
import "./wallboard.js";

/** @import { State } from "./types/state.js" */

const LIMITS = { listWidth: [260, 520], contactWidth: [250, 460] };

class App extends View {
  start() {
    /** @type {string} */
    this.shown = "";
    this.language = pref("language");
    installKeys();
    this.listen(window, "hashchange", () => this.redraw());
    this.listen(this, "sb-pane", (event) => this.#pane(event.detail));
    whenPrefsChange(() => {
      if (this.language !== pref("language")) {
        this.language = pref("language");
        this.shown = "";
        this.redraw();
      }
      this.#widths();
    });
  }

  /** @param {State} state */
  watch(state) {
    return [
      state.phase,
      state.phaseError,
      state.connection,
      state.mentions > 0,
      state.selectedId,
      state.details[state.selectedId] === undefined,
    ];
  }

  /** @param {State} state */
  render(state) {
    const { page, id, setUpToken } = route();
    const may = isForAll(page) || isAdmin(state) || (isSupervisor(state) && isForSupervisors(page));
    const shown = state.phase === "ready" ? `ready ${may ? page : "inbox"}` : state.phase;
    if (shown !== this.shown) {
      this.shown = shown;
      this.#draw(state, shown, may ? page : "inbox", setUpToken);
    }
    if (state.phase !== "ready") return;
    this.#banner(state);
    if (page === "inbox") this.#select(state, id);
  }

  /** @param {State} state @param {string} shown @param {string} page @param {string} setUpToken */
  #draw(state, shown, page, setUpToken) {
    if (shown === "signedOut") replace(this, el("sb-sign-in"));
    else if (shown === "setUp") replace(this, el("sb-set-up", { token: setUpToken }));
    else if (shown === "failed")
      replace(
        this,
        h(
          "main",
          { class: "center" },
          failed(state.phaseError, () => void enter()),
        ),
      );
    else if (shown === "starting")
      replace(
        this,
        h(
          "main",
          { class: "center", "aria-busy": "true" },
          h("div", { class: "spinner", role: "status", "aria-label": t("loading") }),
        ),
      );
    else replace(this, ...this.#frame(page));
    this.#widths();
  }

  /** @param {string} page */
  #frame(page) {
    const phoneBar = h(
      "div",
      { class: "phone-bar" },
      iconButton("queue", t("nav.open"), { onclick: () => this.#pane("nav"), "data-testid": "open-nav" }),
      h("span", { class: "phone-title" }, "Switchboard"),
    );
    this.banner = h("div", { class: "banner", role: "status", hidden: true, "data-testid": "banner" });
    const panes =
      page === "inbox"
        ? [
            h(
              "main",
              null,
              h("h1", { class: "sr" }, t("title.inbox")),
              h(
                "div",
                { class: "list-column", role: "region", "aria-label": t("list.label") },
                phoneBar,
                el("sb-list"),
                this.#resizer("listWidth", 1),
              ),
              el("sb-thread", { role: "region", "aria-label": t("thread.label") }),
            ),
            h(
              "div",
              { class: "contact-column", role: "complementary", "aria-label": t("contact.label") },
              this.#resizer("contactWidth", -1),
              el("sb-contact"),
            ),
          ]
        : [h("main", { class: "page-column" }, phoneBar, el(`sb-${page}`, { class: "page" }))];
    this.frame = h(
      "div",
      { class: `app ${page === "inbox" ? "app-inbox" : "app-page"}`, "data-pane": route().id ? "thread" : "list" },
      el("sb-sidebar", { role: "navigation", "aria-label": t("nav.label") }),
      h("button", {
        type: "button",
        class: "scrim",
        tabindex: "-1",
        "aria-label": t("close"),
        onclick: () => this.#pane("list"),
      }),
      ...panes,
    );
    return [
      this.banner,
      this.frame,
      el("sb-offers", { role: "region", "aria-label": t("offers.label") }),
      el("sb-toasts"),
    ];
  }

  /** @param {State} state @param {string} id */
  #select(state, id) {
    if (id !== state.selectedId) {
      dispatch({ type: "select", id });
      this.#pane(id ? "thread" : "list");
    } else if (state.details[id]) return;
    // What is not loaded, or was dropped by a merge or a reset, is read; the rest is live.
    if (
      id &&
      (!state.details[id] ||
        state.details[id].status === "failed" ||
        !state.timelines[conversation(state, id)?.contact?.id ?? ""])
    )
      void loadOpen(id);
  }

  /** @param {string} pane "nav", "list", "thread", "contact" or "contact-toggle" */
  #pane(pane) {
    if (!this.frame) return;
    if (pane === "contact-toggle") {
      setPref("contactOpen", !pref("contactOpen"));
      this.frame.dataset.pane = this.frame.dataset.pane === "contact" ? "thread" : "contact";
      return;
    }
    if (pane === "list" && this.frame.dataset.pane === "thread" && route().id) goToConversation("");
    this.frame.dataset.pane = pane;
  }

  /** @param {State} state */
  #banner(state) {
    this.classList.toggle("has-mentions", state.mentions > 0);
    if (!this.banner) return;
    const text =
      state.connection === "offline"
        ? t("banner.offline")
        : state.connection === "connecting"
          ? t("banner.connecting")
          : "";
    clearTimeout(this.bannerTimer);
    this.banner.dataset.kind = state.connection;
    if (!text) {
      this.banner.hidden = true;
      return;
    }
    // A short reconnect is nobody's business.
    this.bannerTimer = setTimeout(
      () => {
        if (!this.banner) return;
        replace(this.banner, icon("offline"), text);
        this.banner.hidden = false;
      },
      state.connection === "offline" ? 0 : 1500,
    );
  }

  #widths() {
    this.style.setProperty("--list-width", `${pref("listWidth")}px`);
    this.style.setProperty("--contact-width", `${pref("contactWidth")}px`);
    this.classList.toggle("contact-closed", !pref("contactOpen"));
  }

  /**
   * @param {"listWidth" | "contactWidth"} name
   * @param {1 | -1} side which way makes it wider
   */
  #resizer(name, side) {
    const [least, most] = LIMITS[name];
    const set = (/** @type {number} */ width) => {
      const value = Math.round(Math.min(most, Math.max(least, width)));
      bar.setAttribute("aria-valuenow", String(value));
      setPref(name, value);
    };
    const bar = h("div", {
      class: `resizer resizer-${name}`,
      role: "separator",
      tabindex: "0",
      "aria-orientation": "vertical",
      "aria-label": t(name === "listWidth" ? "resize.list" : "resize.contact"),
      "aria-valuemin": least,
      "aria-valuemax": most,
      "aria-valuenow": pref(name),
      onpointerdown: (/** @type {PointerEvent} */ event) => {
        const from = event.clientX;
        const width = pref(name);
        bar.setPointerCapture(event.pointerId);
        bar.classList.add("active");
        bar.onpointermove = (move) => set(width + (move.clientX - from) * side);
        bar.onpointerup = bar.onpointercancel = () => {
          bar.onpointermove = null;
          bar.classList.remove("active");
        };
      },
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const step = { ArrowLeft: -16, ArrowRight: 16 }[event.code];
        if (!step) return;
        event.preventDefault();
        set(pref(name) + step * side);
      },
    });
    return bar;
  }
}
customElements.define("sb-app", App);
