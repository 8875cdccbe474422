// The contact's timeline with the open conversation's actions and composer.

import { loadOlder, loadOpen, nameOf, reopen, take } from "./actions.js";
import { View, dispatch, getState } from "./app.js";
import { everySecond } from "./clock.js";
import { markRead } from "./drafts.js";
import { el, h, reconcile, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { acceptOffer, askDecline } from "./offers.js";
import { isMentioned, isWaiting } from "./order.js";
import { empty, failed, operatorName, skeleton } from "./parts.js";
import { clientTyping, conversation, mayWrite, offerOf, pendingOf } from "./selectors.js";
import { drawItem, stampItem, timelineItems } from "./timeline.js";
import { goToConversation } from "./route.js";
import "./composer.js";
import { threadTop } from "./thread-head.js";
import { isFinishingUp } from "./wrap-up.js";

/** @import { State } from "./types/state.js" */

const NEAR_TOP_PX = 300;
const NEAR_BOTTOM_PX = 80;

class Thread extends View {
  start() {
    /** The conversation that is drawn. */
    this.shownId = "";
    /** @type {boolean} */
    this.stick = true;
    this.top = 0;
    this.missed = 0;
    this.older = h("div", { class: "older" });
    this.items = h("div", {
      class: "timeline",
      role: "log",
      "aria-label": t("thread.log"),
      "aria-live": "polite",
      "data-testid": "timeline",
    });
    this.typing = h("div", { class: "typing", "data-testid": "client-typing", hidden: true });
    this.scroller = h(
      "div",
      { class: "thread-scroll", tabindex: "0", role: "group", "aria-label": t("thread.scroll") },
      this.older,
      this.items,
      this.typing,
    );
    this.jump = h("button", {
      type: "button",
      class: "jump",
      hidden: true,
      onclick: () => this.#toEnd(true),
      "data-testid": "jump-newest",
    });
    this.state = h("div", { class: "thread-state" });
    this.foot = h("div", { class: "thread-foot" });
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.listen(document, "visibilitychange", () => this.#read());
    this.listen(window, "focus", () => this.#read());
    this.onLeave(everySecond(() => dispatchExpired()));
    const size = new ResizeObserver(() => this.stick && this.#toEnd(false));
    size.observe(this.scroller);
    size.observe(this.items);
    this.onLeave(() => size.disconnect());
    replace(
      this,
      ...threadTop(),
      h("div", { class: "thread-body" }, this.scroller, this.jump, this.state),
      this.foot,
    );
  }

  /** @param {State} state */
  watch(state) {
    const c = conversation(state, state.selectedId);
    const { selectedId: id, timelines, details, pending, typing, operators, lines, offers, me, opinions } = state;
    return [id, c, timelines[c?.contact?.id ?? ""], details[id], pending, typing, operators, lines, offers, me, opinions];
  }

  /** @param {State} state */
  render(state) {
    const { scroller, items, older, jump } = this;
    if (!scroller || !items || !older || !jump) return;
    const c = conversation(state, state.selectedId);
    const timeline = state.timelines[c?.contact?.id ?? ""];
    const fresh = this.shownId !== state.selectedId;
    if (fresh) {
      this.shownId = state.selectedId;
      this.stick = true;
      this.missed = 0;
      this.loaded = false;
    }
    this.classList.toggle("nothing", state.selectedId === "");
    this.#paneState(state);
    const heightBefore = scroller.scrollHeight;
    const topBefore = scroller.scrollTop;
    const firstMessage = () => items.querySelector("[data-message]")?.getAttribute("data-message");
    const firstBefore = firstMessage();
    const countBefore = items.childElementCount;
    const list = timelineItems(state, c, timeline, pendingOf(state, state.selectedId));
    reconcile(items, list, {
      key: (item) => item.key,
      stamp: (item) => stampItem(state, item, c),
      draw: (item) => drawItem(state, item, c),
    });
    replace(
      older,
      timeline?.loadingOlder
        ? h("div", { class: "spinner small", role: "status", "aria-label": t("loading") })
        : timeline && timeline.status === "ready" && !timeline.nextPageToken && list.length > 0
          ? h("p", { class: "muted" }, t("thread.beginning"))
          : null,
    );
    this.#typing(state, c);
    this.#foot(state);
    const sent = list.filter((item) => item.kind === "pending").length;
    const justSent = sent > (this.sent ?? 0);
    this.sent = sent;
    if (fresh || justSent || this.stick || (!this.loaded && list.length > 0)) this.#toEnd(false);
    else if (firstMessage() !== firstBefore) scroller.scrollTop = topBefore + scroller.scrollHeight - heightBefore;
    else if (items.childElementCount > countBefore)
      this.missed = (this.missed ?? 0) + items.childElementCount - countBefore;
    this.loaded = list.length > 0;
    this.#jump();
    this.#read();
  }

  /** @param {State} state */
  #paneState(state) {
    const id = state.selectedId;
    const detail = state.details[id];
    const timeline = state.timelines[conversation(state, id)?.contact?.id ?? ""];
    if (!id) replace(this.state ?? this, empty("chat", t("thread.none"), t("thread.none.text")));
    else if (detail?.status === "gone") replace(this.state ?? this, empty("chat", t("thread.gone"), t("thread.gone.text")));
    else if (detail?.status === "failed") replace(this.state ?? this, failed(detail.error, () => void loadOpen(id)));
    else if (timeline?.status === "failed") replace(this.state ?? this, failed(timeline.error, () => void loadOpen(id)));
    else if ((timeline?.messages.length ?? 0) === 0 && timeline?.status !== "ready")
      replace(this.state ?? this, skeleton(4, "bubbles"));
    else if (timeline?.messages.length === 0) replace(this.state ?? this, empty("chat", t("thread.empty")));
    else replace(this.state ?? this);
  }

  /** @param {State} state @param {import("./types/api.js").Conversation | undefined} c */
  #typing(state, c) {
    if (!this.typing) return;
    const on = clientTyping(state, state.selectedId);
    this.typing.hidden = !on;
    replace(
      this.typing,
      on && h("span", { class: "typing-dots", "aria-hidden": "true" }, h("i", null), h("i", null), h("i", null)),
      on && t("typing.client", { name: nameOf(c) }),
    );
  }

  /** What one may do at the bottom: answer, accept, take, or open again. @param {State} state */
  #foot(state) {
    const foot = this.foot;
    if (!foot) return;
    const c = conversation(state, state.selectedId);
    const offer = offerOf(state, state.selectedId);
    const known = state.details[state.selectedId]?.status === "ready" && c !== undefined;
    const mode = !known
      ? "none"
      : offer
        ? `offer ${offer.id}`
        : isFinishingUp(state, c)
          ? `notes ${c.id}`
          : mayWrite(state, c)
            ? `write ${c.id}`
            : `${c.state} ${c.id} ${c.operatorId} ${isMentioned(c, state.me?.id ?? "")}`;
    if (foot.dataset.mode === mode) return;
    foot.dataset.mode = mode;
    if (!known) replace(foot);
    else if (offer) {
      replace(
        foot,
        bar(
          t("foot.offer"),
          h(
            "button",
            { type: "button", class: "button", onclick: () => void askDecline(offer.id) },
            t("offer.decline"),
          ),
          h(
            "button",
            {
              type: "button",
              class: "button primary",
              onclick: () => void acceptOffer(offer.id),
              "data-testid": "foot-accept",
            },
            icon("check"),
            t("offer.accept"),
            el("sb-timer", { until: offer.expiresAt ?? "", class: "offer-left" }),
          ),
        ),
      );
    } else if (isFinishingUp(state, c)) replace(foot, el("sb-composer", { conversation: c.id, notes: true }));
    else if (mayWrite(state, c)) replace(foot, el("sb-composer", { conversation: c.id }));
    else if (c.state === "CLOSED") {
      replace(
        foot,
        bar(
          t("foot.closed"),
          h(
            "button",
            {
              type: "button",
              class: "button primary",
              "data-testid": "reopen",
              onclick: () => void reopen(c.id).then((opened) => opened && goToConversation(opened.id)),
            },
            icon("reply"),
            t("action.reopen"),
          ),
        ),
      );
    } else {
      const text = footText(state, c);
      replace(
        foot,
        bar(
          text,
          h(
            "button",
            { type: "button", class: "button primary", "data-testid": "foot-take", onclick: () => void take(c.id) },
            icon("hand"),
            c.operatorId && !isWaiting(c) && c.operatorId !== state.me?.id ? t("action.takeOver") : t("action.take"),
          ),
        ),
      );
    }
    // Whom a note called answers with one.
    if (foot.querySelector(".foot-bar") && c && !offer && isMentioned(c, state.me?.id ?? ""))
      foot.append(el("sb-composer", { conversation: c.id, notes: true }));
  }

  #scrolled() {
    const scroller = this.scroller;
    if (!scroller) return;
    // Only the reader leaves the end: a picture that grows below does not scroll up.
    /** @type {boolean} */
    const stays = this.stick === true && scroller.scrollTop >= (this.top ?? 0);
    this.top = scroller.scrollTop;
    this.stick = stays || scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_BOTTOM_PX;
    if (this.stick) this.missed = 0;
    this.#jump();
    this.#read();
    if (scroller.scrollTop < NEAR_TOP_PX && this.loaded) {
      void loadOlder(conversation(getState(), this.shownId ?? "")?.contact?.id ?? "");
    }
  }

  #jump() {
    if (!this.jump) return;
    this.jump.hidden = this.stick === true || !this.loaded;
    replace(this.jump, icon("down"), this.missed ? t("thread.newMessages", { n: this.missed }) : t("thread.jump"));
  }

  /** @param {boolean} smooth */
  #toEnd(smooth) {
    const scroller = this.scroller;
    if (!scroller) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: smooth && !calm ? "smooth" : "instant" });
  }

  #read() {
    const state = getState();
    const c = state.conversations[state.selectedId];
    if (!c?.unreadCount || !this.stick || document.visibilityState !== "visible" || !document.hasFocus()) return;
    if (c.operatorId !== state.me?.id || c.state !== "ACTIVE") return;
    const last = state.timelines[c.contact?.id ?? ""]?.messages.filter((m) => m.conversationId === c.id).at(-1);
    if (last) markRead(c.id, last.id);
  }
}
customElements.define("sb-thread", Thread);

/** Why one cannot write here just now. @param {State} state @param {import("./types/api.js").Conversation} c */
function footText(state, c) {
  if (isWaiting(c)) return t("foot.waiting");
  if (c.state === "DEFERRED") return t("foot.deferred");
  if (c.state === "ABANDONED") return t("foot.abandoned");
  if (c.state === "PARKED" && c.operatorId === state.me?.id) return t("foot.parked");
  const name = operatorName(state.operators[c.operatorId ?? ""]);
  return t(c.state === "WRAPPING_UP" ? "foot.wrapUp" : "foot.other", { name });
}

/** @param {string} text @param {...HTMLElement} buttons */
function bar(text, ...buttons) {
  return h("div", { class: "foot-bar" }, h("span", null, text), h("div", { class: "foot-buttons" }, ...buttons));
}

function dispatchExpired() {
  const now = Date.now();
  const over = Object.values(getState().typing).some((who) => Object.values(who).some((until) => until <= now));
  if (over) dispatch({ type: "typingExpired", now });
}
