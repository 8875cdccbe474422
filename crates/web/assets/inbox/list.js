// The conversations of the open folder.

import { loadList, nameOf } from "./actions.js";
import { View, getState } from "./app.js";
import { everySecond, serverNow } from "./clock.js";
import { h, reconcile, replace } from "./dom.js";
import { icon } from "./icons.js";
import { shortText, t, timeText } from "./i18n.js";
import { iconButton } from "./menu.js";
import { isWaiting, listKey } from "./order.js";
import { channelName, conversationAvatar, empty, failed, skeleton, topicOf, waitTimer } from "./parts.js";
import { conversationHref } from "./route.js";
import { clientTyping, listed } from "./selectors.js";
import { closedText, stateTags, untilText } from "./states.js";
import { welcome } from "./welcome.js";

/** @import { Conversation } from "./types/api.js" */
/** @import { State } from "./types/state.js" */

// How near to the end of the list the next page is asked for.
const NEAR_END_PX = 400;

class List extends View {
  start() {
    this.head = h("div", { class: "pane-head" });
    this.rows = h("div", { class: "rows", role: "list", "data-testid": "conversation-list" });
    this.state = h("div", { class: "list-state" });
    this.body = h("div", { class: "list-body", tabindex: "-1" }, this.rows, this.state);
    replace(this, this.head, this.body);
    this.body.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    /** @type {string} */
    this.day = new Date().toDateString();
    this.onLeave(everySecond(() => this.#newDay()));
  }

  /** @param {State} state */
  watch(state) {
    return [
      state.conversations,
      state.folder,
      state.queueId,
      state.lists,
      state.selectedId,
      state.operators,
      state.typing,
      state.me,
      state.lines,
      state.drafts,
    ];
  }

  /** @param {State} state */
  render(state) {
    if (!this.rows || !this.state || !this.head) return;
    const list = state.lists[listKey(state.folder, state.queueId)];
    const conversations = listed(state);
    const queue = state.queues[state.queueId];
    replace(
      this.head,
      h(
        "div",
        { class: "pane-titles" },
        h("h2", null, queue ? queue.displayName || queue.id : t(`folder.${state.folder}`)),
        h(
          "small",
          { class: "muted" },
          queue ? t("folder.WAITING") : "",
          list?.status === "ready" && conversations.length > 0
            ? `${queue ? " · " : ""}${t("list.count", { n: conversations.length })}`
            : "",
        ),
      ),
      iconButton("refresh", t("refresh"), {
        onclick: () => void loadList(state.folder, state.queueId),
        "data-testid": "refresh-list",
      }),
    );
    reconcile(this.rows, conversations, {
      key: (c) => c.id,
      stamp: (c) => [
        c,
        c.id === state.selectedId,
        state.operators[c.operatorId ?? ""]?.displayName,
        state.operators[c.preferredOperatorId ?? ""],
        c.overflowFromQueueId && state.queues,
        clientTyping(state, c.id),
        state.lines[c.lineId ?? ""],
        draftOf(state, c),
        this.day,
      ],
      draw: (c) => row(state, c),
    });
    this.#foot(state, list, conversations.length);
  }

  /** @param {State} state @param {State["lists"][string] | undefined} list @param {number} count */
  #foot(state, list, count) {
    if (!this.state) return;
    if (!list || (list.status === "loading" && count === 0)) replace(this.state, skeleton(7));
    else if (list.status === "failed")
      replace(
        this.state,
        failed(list.error, () => void loadList(state.folder, state.queueId)),
      );
    else if (list.status === "loading")
      replace(this.state, h("div", { class: "spinner small", role: "status", "aria-label": t("loading") }));
    else if (count === 0) replace(this.state, emptyFolder(state));
    else replace(this.state);
  }

  #scrolled() {
    const body = this.body;
    if (!body || body.scrollHeight - body.scrollTop - body.clientHeight > NEAR_END_PX) return;
    const { folder, queueId } = getState();
    void loadList(folder, queueId, true);
  }

  #newDay() {
    const day = new Date().toDateString();
    if (day === this.day) return;
    this.day = day;
    this.redraw();
  }
}
customElements.define("sb-list", List);

/** @param {State} state */
function emptyFolder(state) {
  const nothing =
    Object.values(state.counts).every(({ count }) => count === 0) && Object.keys(state.conversations).length === 0;
  if (nothing && state.folder !== "ENDED") return welcome(state);
  if (state.folder === "WAITING") return empty("check", t("empty.WAITING"), t("empty.WAITING.text"));
  if (state.folder === "MINE" && (state.counts.WAITING?.count ?? 0) > 0 && state.me?.presence !== "READY") {
    return empty("inbox", t("empty.MINE"), t("empty.MINE.notReady", { n: state.counts.WAITING?.count ?? 0 }));
  }
  return empty("inbox", t(`empty.${state.folder}`), state.folder === "MINE" ? t("empty.MINE.text") : "");
}

/** @param {State} state @param {Conversation} c */
function draftOf(state, c) {
  return c.id === state.selectedId ? "" : (state.drafts[c.id] ?? "");
}

/** @param {State} state @param {Conversation} c */
function row(state, c) {
  const now = serverNow();
  const unread = c.unreadCount ?? 0;
  const waiting = isWaiting(c);
  const draft = draftOf(state, c);
  return h(
    "div",
    { role: "listitem", class: "row-item" },
    h(
      "a",
      {
        class: `row${unread > 0 ? " unread" : ""}`,
        href: conversationHref(c.id),
        "aria-current": c.id === state.selectedId ? "true" : null,
        "data-testid": "conversation-row",
        "data-conversation": c.id,
      },
      conversationAvatar(state, c),
      h(
        "span",
        { class: "row-main" },
        h(
          "span",
          { class: "row-top" },
          h("span", { class: "row-name" }, nameOf(c)),
          waiting || awaitsReply(c, now)
            ? waitTimer(waiting ? c.waitingSince : c.lastMessageAt)
            : h(
                "time",
                { class: "row-time", datetime: c.lastMessageAt ?? "", title: timeText(c.lastMessageAt) },
                shortText(c.lastMessageAt ?? c.createdAt, now),
              ),
        ),
        h(
          "span",
          { class: "row-mid" },
          h("span", { class: "row-text" }, lastLine(state, c, draft)),
          unread > 0 &&
            h(
              "span",
              { class: "badge", "aria-label": t("unread", { n: unread }), role: "img", "data-testid": "unread" },
              unread > 99 ? "99+" : unread,
            ),
        ),
        h(
          "span",
          { class: "row-meta" },
          h("span", { class: "row-line" }, lineText(state, c)),
          ...stateTags(state, c),
          (c.band ?? 0) !== 0 &&
            waiting &&
            h("span", { class: "tag" }, icon("up"), (c.band ?? 0) < 0 ? t("row.front") : t("row.later")),
          c.state === "PARKED" &&
            h(
              "span",
              { class: "tag" },
              icon("moon"),
              c.snoozedUntil
                ? t("row.until", { time: untilText(c.snoozedUntil) })
                : t("row.untilWrites"),
            ),
          c.state === "CLOSED" &&
            (c.disposition || (c.closeReason && c.closeReason !== "finished")) &&
            h("span", { class: "tag" }, c.disposition || closedText(c)),
        ),
      ),
    ),
  );
}

// Later a clock says less than the time of the message.
const REPLY_TIMER_MS = 4 * 3_600_000;

/** The client of a quick channel wrote last. @param {Conversation} c @param {number} now */
function awaitsReply(c, now) {
  return (
    c.state === "ACTIVE" &&
    c.lastMessageInbound === true &&
    c.medium !== "EMAIL" &&
    c.medium !== "FORM" &&
    now - Date.parse(c.lastMessageAt ?? "") < REPLY_TIMER_MS
  );
}

/** Where it is, and what about; addresses are of no use here. @param {State} state @param {Conversation} c */
function lineText(state, c) {
  const topic = topicOf(c).replace(/[\s·]*https?:\S+/g, "");
  return [channelName(state, c.lineId, c.channel), topic].filter(Boolean).join(" · ");
}

/** @param {State} state @param {Conversation} c @param {string} draft */
function lastLine(state, c, draft) {
  if (clientTyping(state, c.id)) return h("em", { class: "typing-text" }, t("typing.short"));
  if (draft) return h("span", null, h("em", { class: "draft" }, `${t("row.draft")}: `), draft);
  const text = c.lastMessageText || c.subject || t("row.noText");
  return h(
    "span",
    null,
    c.lastMessageAt && !c.lastMessageInbound && c.lastMessageText
      ? h("span", { class: "you" }, `${t("row.us")}: `)
      : null,
    text,
  );
}
