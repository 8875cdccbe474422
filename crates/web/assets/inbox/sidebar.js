// Presence, folders, queues, pages, and who is signed in.

import { View, dispatch } from "./app.js";
import { loadList } from "./actions.js";
import { el, h, reconcile, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { letterLines, newLetter } from "./letter-new.js";
import { withMenu } from "./menu.js";
import { FOLDERS } from "./order.js";
import { avatar, operatorName } from "./parts.js";
import { places } from "./places.js";
import { setPref } from "./prefs.js";
import { route } from "./route.js";
import { settingsMenu } from "./settings.js";
import "./presence.js";
import "./promise-nav.js";
import { openPalette } from "./palette.js";

/** @import { Folder } from "./types/api.js" */
/** @import { State } from "./types/state.js" */
/** @import { IconName } from "./icons.js" */

/** @type {Record<Folder, IconName>} */
const FOLDER_ICONS = { MINE: "inbox", WAITING: "clock", ALL_OPEN: "layers", SNOOZED: "moon", ENDED: "archive" };

/** Opens a folder, in all queues or one. @param {Folder} folder @param {string} queueId */
export function openFolder(folder, queueId) {
  setPref("folder", folder);
  setPref("queueId", queueId);
  dispatch({ type: "folder", folder, queueId });
  if (route().page !== "inbox") location.hash = "#/";
  document.querySelector("sb-sidebar")?.dispatchEvent(new CustomEvent("sb-pane", { bubbles: true, detail: "list" }));
  void loadList(folder, queueId);
}

class Sidebar extends View {
  start() {
    /** @type {string} */
    this.drawnFrame = "";
    this.folders = h("div", { class: "nav-group", role: "list" });
    this.queues = h("div", { class: "nav-group", role: "list" });
    this.pages = h("div", { class: "nav-group" });
    this.me = h("div", { class: "nav-me" });
    this.write = h(
      "button",
      { type: "button", class: "nav-search", onclick: () => void newLetter(), hidden: true, "data-testid": "new-letter" },
      icon("email"),
      h("span", null, t("letter.new")),
    );
    replace(
      this,
      h(
        "div",
        { class: "nav-head" },
        h("div", { class: "brand" }, h("img", { src: "/favicon.svg", alt: "", width: 24, height: 24 }), "Switchboard"),
      ),
      el("sb-presence"),
      h(
        "button",
        { type: "button", class: "nav-search", onclick: () => openPalette(), "data-testid": "open-search" },
        icon("search"),
        h("span", null, t("search.open")),
        h("kbd", null, "Ctrl K"),
      ),
      this.write,
      h(
        "div",
        { class: "nav-scroll" },
        this.folders,
        el("sb-promise-nav"),
        h("h2", { class: "nav-title" }, t("nav.queues")),
        this.queues,
        this.pages,
      ),
      this.me,
    );
    this.listen(window, "hashchange", () => this.redraw());
  }

  /** @param {State} state */
  watch(state) {
    return [state.me, state.counts, state.queues, state.queueIds, state.folder, state.queueId, state.mentions, state.lines];
  }

  /** @param {State} state */
  render(state) {
    const inbox = route().page === "inbox";
    drawItems(
      this.folders,
      [
        ...FOLDERS.map((folder) => ({
          name: FOLDER_ICONS[folder],
          label: t(`folder.${folder}`),
          testid: `folder-${folder}`,
          count: folder === "ENDED" ? 0 : (state.counts[folder]?.count ?? 0),
          unread: folder === "MINE" ? (state.counts.MINE?.unread ?? 0) : 0,
          current: inbox && state.folder === folder && state.queueId === "",
          open: () => openFolder(folder, ""),
        })),
        mentionsItem(state),
      ],
    );
    drawItems(
      this.queues,
      state.queueIds
        .map((id) => state.queues[id])
        .map((queue) => ({
          name: "queue",
          label: queue.displayName || queue.id,
          testid: `queue-${queue.id}`,
          count: queue.waiting ?? 0,
          unread: 0,
          current: inbox && state.queueId === queue.id,
          open: () => openFolder("WAITING", queue.id),
        })),
    );
    if (this.write) this.write.hidden = letterLines(state).length === 0;
    // Drawn anew only when it says something else: a click must not lose its button.
    const frame = [state.me?.displayName, state.me?.role, route().page].join(" ");
    if (frame === this.drawnFrame) return;
    this.drawnFrame = frame;
    this.#pages(state);
    this.#me(state);
    this.pages?.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest" });
  }

  /** @param {State} state */
  #pages(state) {
    const current = route().page;
    replace(
      this.pages ?? this,
      h("h2", { class: "nav-title" }, t("nav.manage")),
      h(
        "div",
        { role: "list" },
        places(state).map(([page, name, key]) =>
          h(
            "div",
            { role: "listitem" },
            h(
              "a",
              {
                class: "nav-item",
                href: `#/${page}`,
                "aria-current": page === current ? "page" : null,
                "data-testid": `page-${page}`,
              },
              icon(name),
              h("span", { class: "nav-label" }, t(key)),
            ),
          ),
        ),
      ),
    );
  }

  /** @param {State} state */
  #me(state) {
    const name = operatorName(state.me ?? undefined);
    replace(
      this.me ?? this,
      withMenu(
        h(
          "button",
          { type: "button", class: "me-button", "data-testid": "settings" },
          avatar(name),
          h(
            "span",
            { class: "me-name" },
            h("b", null, name),
            h("small", null, t(`role.${state.me?.role ?? "OPERATOR"}`)),
          ),
          h("span", { class: "sr" }, t("settings.title")),
          icon("gear"),
        ),
        settingsMenu,
      ),
    );
  }
}
customElements.define("sb-sidebar", Sidebar);

/** @param {State} state @returns {Item} */
function mentionsItem({ mentions }) {
  return {
    name: "at",
    label: t("page.mentions"),
    testid: "page-mentions",
    count: mentions,
    unread: 0,
    loud: true,
    current: route().page === "mentions",
    open: () => {
      location.hash = "#/mentions";
      document.querySelector("sb-sidebar")?.dispatchEvent(new CustomEvent("sb-pane", { bubbles: true, detail: "list" }));
    },
  };
}

/** @typedef {{ name: IconName, label: string, count: number, unread: number, loud?: boolean, current: boolean, testid: string, open: () => void }} Item */

/** @param {HTMLElement | undefined} group @param {Item[]} items */
function drawItems(group, items) {
  if (!group) return;
  reconcile(group, items, {
    key: (one) => one.testid,
    stamp: (one) => [one.label, one.count, one.unread, one.current],
    draw: item,
  });
}

/** @param {Item} options */
function item({ name, label, count, unread, loud = false, current, testid, open }) {
  return h(
    "div",
    { role: "listitem" },
    h(
      "button",
      {
        type: "button",
        class: "nav-item",
        "aria-current": current ? "page" : null,
        onclick: open,
        "data-testid": testid,
      },
      icon(name),
      h("span", { class: "nav-label" }, label),
      unread > 0 &&
        h("span", {
          class: "unread-dot",
          role: "img",
          "aria-label": t("unread", { n: unread }),
          title: t("unread", { n: unread }),
        }),
      count > 0 && h("span", { class: loud ? "badge" : "count", "data-testid": "count" }, count),
    ),
  );
}
