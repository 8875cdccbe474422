// Notes that name the operator: told when they come, listed on a page, read when
// their conversation is.

import { nameOf, toastError } from "./actions.js";
import { ringMention } from "./alerts.js";
import { call } from "./api.js";
import { dispatch, getState, subscribe } from "./app.js";
import { serverNow } from "./clock.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { momentText, shortText, t } from "./i18n.js";
import { withMentions } from "./mention-text.js";
import { Page } from "./page.js";
import { avatar, channelName, operatorName } from "./parts.js";
import { conversationHref, goToConversation, route } from "./route.js";
import { conversation } from "./selectors.js";
import { toast } from "./toasts.js";

/** @import { ListMentionsResponse, Mention, Message } from "./types/api.js" */
/** @import { State } from "./types/state.js" */

const PAGE = 50;

/** A note came that may name the operator. @param {Message} message */
export function announceMention(message) {
  const state = getState();
  const me = state.me?.id ?? "";
  if (!message.mentions?.includes(me) || message.operatorId === me) return;
  const id = message.conversationId ?? "";
  if (isLookedAt(id)) return;
  const name = operatorName(state.operators[message.operatorId ?? ""]);
  const text = message.text?.plain ?? "";
  const open = () => goToConversation(id);
  toast({
    text: t("mentions.toast", { name, text: text.length > 120 ? `${text.slice(0, 120)}…` : text }),
    icon: "at",
    action: { label: t("mentions.open"), run: open },
  });
  ringMention(message.id, t("mentions.notification", { name }), text, open);
}

/** @param {string} id of a conversation */
function isLookedAt(id) {
  const { page, id: open } = route();
  return page === "inbox" && open === id && document.visibilityState === "visible" && document.hasFocus();
}

/** What was said to be read, so that it is said once. @type {Set<string>} */
const told = new Set();

/** The notes in an open conversation that name the operator are read when they are shown. */
function readOpen() {
  const state = getState();
  const id = state.selectedId;
  const me = state.me?.id ?? "";
  if (state.mentions === 0 || state.phase !== "ready" || !id || !isLookedAt(id)) return;
  const timeline = state.timelines[conversation(state, id)?.contact?.id ?? ""];
  const last = (timeline?.messages ?? [])
    .filter((one) => one.conversationId === id && one.mentions?.includes(me))
    .at(-1);
  if (!last || told.has(last.id)) return;
  told.add(last.id);
  read(id).catch(() => told.delete(last.id));
}

subscribe(readOpen);
window.addEventListener("focus", readOpen);
document.addEventListener("visibilitychange", readOpen);

/** @param {string} conversationId empty for all */
async function read(conversationId) {
  const { unreadCount = 0 } = await call("Inbox/MarkMentionsRead", { conversationId });
  dispatch({ type: "mentions", unread: unreadCount });
}

class Mentions extends Page {
  start() {
    /** @type {boolean} */
    this.unreadOnly = getState().mentions > 0;
    /** @type {Mention[]} */
    this.found = [];
    this.token = "";
    /** @type {number} */
    this.counted = getState().mentions;
    this.modes = h("div", { class: "modes", role: "radiogroup", "aria-label": t("mentions.which") });
    this.all = h(
      "button",
      { type: "button", class: "button", onclick: () => void this.#readAll(), "data-testid": "mentions-read-all" },
      icon("checks"),
      t("mentions.readAll"),
    );
    this.frame(t("page.mentions"), t("mentions.text"), this.modes, this.all);
    this.#modes();
    this.#read(false, false);
  }

  /** @param {State} state */
  watch(state) {
    return [state.mentions];
  }

  /** @param {State} state */
  render(state) {
    if (this.all) this.all.hidden = state.mentions === 0;
    if (state.mentions === this.counted) return;
    this.counted = state.mentions;
    this.#read(false, true);
  }

  #modes() {
    /** @param {boolean} only @param {string} label @param {string} testid */
    const button = (only, label, testid) =>
      h(
        "button",
        {
          type: "button",
          class: "mode",
          role: "radio",
          "aria-checked": String(this.unreadOnly === only),
          tabindex: this.unreadOnly === only ? "0" : "-1",
          "data-testid": testid,
          onclick: () => this.#choose(only),
          onkeydown: (/** @type {KeyboardEvent} */ event) => {
            if (event.code !== "ArrowLeft" && event.code !== "ArrowRight") return;
            event.preventDefault();
            this.#choose(!only);
            /** @type {HTMLElement | null | undefined} */ (this.modes?.querySelector("[aria-checked=true]"))?.focus();
          },
        },
        label,
      );
    if (!this.modes) return;
    replace(
      this.modes,
      button(true, t("mentions.unread"), "mentions-unread"),
      button(false, t("mentions.all"), "mentions-all"),
    );
  }

  /** @param {boolean} only */
  #choose(only) {
    if (this.unreadOnly === only) return;
    this.unreadOnly = only;
    this.#modes();
    this.#read(false, false);
  }

  /** @param {boolean} more @param {boolean} quiet */
  #read(more, quiet) {
    const unreadOnly = this.unreadOnly ?? false;
    void this.load(
      () => call("Inbox/ListMentions", { unreadOnly, pageSize: PAGE, pageToken: more ? this.token : undefined }),
      (/** @type {ListMentionsResponse} */ answer) => {
        if (unreadOnly !== this.unreadOnly) return;
        this.found = [...(more ? (this.found ?? []) : []), ...(answer.mentions ?? [])];
        this.token = answer.nextPageToken ?? "";
        this.#draw();
      },
      more || quiet,
    );
  }

  async #readAll() {
    try {
      await read("");
    } catch (error) {
      toastError(error);
    }
  }

  #draw() {
    const found = this.found ?? [];
    if (found.length === 0) {
      this.showEmpty("at", this.unreadOnly ? t("mentions.noneUnread") : t("mentions.none"), t("mentions.noneText"));
      return;
    }
    this.show(
      h("ul", { class: "plain mention-list", "data-testid": "mention-list" }, found.map(row)),
      this.token && h("button", { type: "button", class: "button", onclick: () => this.#read(true, true) }, t("more")),
    );
  }
}
customElements.define("sb-mentions", Mentions);

/** @param {Mention} mention */
function row({ message, conversation: c, readAt }) {
  const state = getState();
  const author = operatorName(state.operators[message.operatorId ?? ""]);
  const at = message.sentAt ?? message.storedAt;
  return h(
    "li",
    null,
    h(
      "a",
      {
        class: `mention-row${readAt ? "" : " unread"}`,
        href: conversationHref(message.conversationId ?? ""),
        "data-testid": "mention-row",
        // It may be further back than what the thread loads.
        onclick: () => !readAt && void read(message.conversationId ?? "").catch(toastError),
      },
      avatar(author),
      h(
        "span",
        { class: "mention-main" },
        h(
          "span",
          { class: "mention-top" },
          h("b", null, author),
          h("span", { class: "muted" }, [nameOf(c), channelName(state, c?.lineId, c?.channel)].join(" · ")),
          h("time", { class: "muted", datetime: at ?? "", title: momentText(at) }, shortText(at, serverNow())),
        ),
        h(
          "span",
          { class: "mention-text" },
          message.deletedAt ? t("message.deleted") : withMentions(state, message, message.text?.plain ?? "", (rest) => [rest]),
        ),
      ),
      !readAt &&
        h("span", {
          class: "unread-dot",
          role: "img",
          "aria-label": t("mentions.unread"),
          title: t("mentions.unread"),
        }),
    ),
  );
}
