// Canned replies: the shared ones and one's own, found, made, changed, removed.

import { toastError } from "./actions.js";
import { call, clientId } from "./api.js";
import { getState } from "./app.js";
import { confirmDanger } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { Page, table } from "./page.js";
import { empty } from "./parts.js";
import { editReply, mayChange, showReply } from "./replies-edit.js";
import { isSupervisor } from "./selectors.js";
import { toast } from "./toasts.js";

/** @import { CannedReply, ListCannedRepliesResponse } from "./types/api.js" */
/** @import { State } from "./types/state.js" */

const PAGE = 100;
const SEARCH_MS = 250;

class Replies extends Page {
  start() {
    /** @type {CannedReply[]} */
    this.found = [];
    this.token = "";
    this.turn = 0;
    /** @type {number} */
    this.version = getState().repliesVersion;
    this.search = h("input", {
      type: "search",
      class: "page-search",
      maxlength: 200,
      placeholder: t("replies.search"),
      "aria-label": t("replies.search"),
      "data-testid": "replies-search",
      oninput: () => {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.#read(false, true), SEARCH_MS);
      },
    });
    this.frame(
      t("page.replies"),
      t(isSupervisor(getState()) ? "replies.text" : "replies.textOwn"),
      this.search,
      h(
        "button",
        {
          type: "button",
          class: "button primary",
          onclick: () => void this.#edit(null),
          "data-testid": "add-reply",
        },
        icon("plus"),
        t("replies.add"),
      ),
    );
    this.#read(false, false);
  }

  /** @param {State} state */
  watch(state) {
    return [state.repliesVersion];
  }

  /** @param {State} state */
  render(state) {
    if (state.repliesVersion === this.version) return;
    this.version = state.repliesVersion;
    this.#read(false, true);
  }

  /** @param {boolean} more @param {boolean} quiet */
  #read(more, quiet) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const query = this.search?.value ?? "";
    void this.load(
      () => call("Admin/ListCannedReplies", { query, pageSize: PAGE, pageToken: more ? this.token : undefined }),
      (/** @type {ListCannedRepliesResponse} */ answer) => {
        if (turn !== this.turn) return;
        this.found = [...(more ? (this.found ?? []) : []), ...(answer.cannedReplies ?? [])];
        this.token = answer.nextPageToken ?? "";
        this.#draw(query);
      },
      more || quiet,
    );
  }

  /** @param {string} query */
  #draw(query) {
    const found = this.found ?? [];
    if (found.length === 0) {
      this.show(
        query
          ? empty("search", t("replies.notFound"))
          : empty("bolt", t("replies.none"), t("replies.noneText")),
      );
      return;
    }
    const heads = [
      t("replies.shortcut"),
      t("replies.reply"),
      t("replies.for"),
      t("replies.uses"),
      t("table.actions"),
    ];
    this.show(
      table(
        t("page.replies"),
        heads,
        found.map((one) => this.#row(one)),
        "replies-table",
      ),
      this.token && h("button", { type: "button", class: "button", onclick: () => this.#read(true, true) }, t("more")),
    );
  }

  /** @param {CannedReply} one */
  #row(one) {
    const name = one.title ?? "";
    /** @param {string} label @param {string} aria @param {string} testid @param {() => void} run */
    const button = (label, aria, testid, run) =>
      h(
        "button",
        { type: "button", class: "button small", onclick: run, "aria-label": aria, "data-testid": testid },
        label,
      );
    return [
      h("code", null, `/${one.shortcut ?? ""}`),
      h(
        "span",
        { class: "reply-cell" },
        h("b", null, name),
        h("span", { class: "reply-text muted" }, (one.text ?? "").slice(0, 300)),
      ),
      audience(one),
      h("span", { class: "number" }, Number(one.useCount ?? 0)),
      h(
        "span",
        { class: "cell-buttons" },
        mayChange(getState(), one)
          ? [
              button(t("edit"), t("replies.editName", { name }), "edit-reply", () => void this.#edit(one)),
              button(t("remove"), t("replies.removeName", { name }), "delete-reply", () => void this.#remove(one)),
            ]
          : button(t("replies.show"), t("replies.showName", { name }), "show-reply", () => showReply(one)),
      ),
    ];
  }

  /** @param {CannedReply | null} one */
  async #edit(one) {
    if (!(await editReply(one))) return;
    toast({ text: t("done.saved") });
    this.#read(false, true);
  }

  /** @param {CannedReply} one */
  async #remove(one) {
    const name = one.title ?? "";
    const text = t(one.personal ? "replies.removeOwnText" : "replies.removeText", { name });
    if (!(await confirmDanger(t("replies.remove"), text, t("remove"), "remove-reply"))) return;
    try {
      await call("Admin/DeleteCannedReply", { id: one.id ?? "", clientId: clientId() });
      this.#read(false, true);
    } catch (error) {
      toastError(error);
    }
  }
}
customElements.define("sb-replies", Replies);

/** Whom a canned reply is for. @param {CannedReply} one */
function audience({ personal, queueIds = [] }) {
  const state = getState();
  const queues = queueIds.map((id) => {
    const queue = state.queues[id] ?? state.otherQueues.find((other) => other.id === id);
    return queue?.displayName || id;
  });
  return h(
    "span",
    { class: "reply-for" },
    personal && h("span", { class: "tag" }, icon("person"), t("replies.own")),
    queues.length > 0 ? queues.join(", ") : personal ? "" : t("replies.everybody"),
  );
}
