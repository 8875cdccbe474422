// What the router proposes to this operator: who, how long, what they said, and
// how much time there is to answer.

import { accept, decline, nameOf } from "./actions.js";
import { View, dispatch } from "./app.js";
import { everySecond, serverNow } from "./clock.js";
import { ask, field } from "./dialog.js";
import { el, h, reconcile, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { iconButton } from "./menu.js";
import { channelName, conversationAvatar, waitTimer } from "./parts.js";
import { goToConversation } from "./route.js";
import { originTags, othersText } from "./states.js";
import { showWhyOffer } from "./why.js";

/** @import { Offer } from "./types/api.js" */
/** @import { State } from "./types/state.js" */

const SHOWN = 3;
// The server's word that an offer timed out comes within this.
const GRACE_MS = 10_000;
const REASONS = /** @type {const} */ (["decline.busy", "decline.skill", "decline.break"]);

/** @param {string} offerId */
export async function acceptOffer(offerId) {
  const id = await accept(offerId);
  if (id) goToConversation(id);
}

/** Asks why, then declines. @param {string} offerId */
export async function askDecline(offerId) {
  const data = await ask({
    title: t("decline.title"),
    submit: t("offer.decline"),
    testid: "decline-dialog",
    body: [
      h(
        "fieldset",
        { class: "choices" },
        h("legend", null, t("decline.reason")),
        REASONS.map((key, i) =>
          h(
            "label",
            { class: "check" },
            h("input", { type: "radio", name: "reason", value: t(key), checked: i === 0 }),
            h("span", null, t(key)),
          ),
        ),
      ),
      field(t("decline.other"), h("input", { name: "other", maxlength: 200 })),
    ],
  });
  if (data) await decline(offerId, String(data.get("other") || data.get("reason") || ""));
}

class Offers extends View {
  start() {
    this.cards = h("div", { class: "offer-cards" });
    this.more = h("p", { class: "offers-more", hidden: true });
    replace(this, this.cards, this.more);
    this.onLeave(everySecond(() => this.#tick()));
    const size = new ResizeObserver(() => {
      document.documentElement.style.setProperty("--offers-height", `${this.offsetHeight}px`);
    });
    size.observe(this);
    this.onLeave(() => size.disconnect());
  }

  /** @param {State} state */
  watch(state) {
    return [state.offers, state.conversations, state.selectedId, state.queues, state.lines];
  }

  /** @param {State} state */
  render(state) {
    const offers = Object.values(state.offers).sort((a, b) => ((a.expiresAt ?? "") < (b.expiresAt ?? "") ? -1 : 1));
    if (!this.cards || !this.more) return;
    reconcile(this.cards, offers.slice(0, SHOWN), {
      key: (offer) => offer.id,
      stamp: (offer) => {
        const c = state.conversations[offer.conversationId ?? ""];
        return [
          c?.contact,
          c?.lastMessageText,
          c?.returned,
          c?.callbackPhone,
          c?.overflowExit,
          c?.askedOperatorIds?.length,
          offer.expiresAt,
          state.queues[offer.queueId ?? ""]?.displayName,
          state.lines[c?.lineId ?? ""],
        ];
      },
      draw: (offer) => this.#card(state, offer),
    });
    this.more.hidden = offers.length <= SHOWN;
    replace(this.more, offers.length > SHOWN && t("offers.more", { n: offers.length - SHOWN }));
    this.hidden = offers.length === 0;
    this.#tick();
  }

  /** @param {State} state @param {Offer} offer */
  #card(state, offer) {
    const c = state.conversations[offer.conversationId ?? ""];
    const queue = state.queues[offer.queueId ?? ""];
    const open = () => goToConversation(offer.conversationId ?? "");
    return h(
      "article",
      {
        class: "offer",
        "aria-label": t("offer.label", { name: nameOf(c) }),
        "data-testid": "offer",
        "data-offer": offer.id,
      },
      h(
        "div",
        { class: "offer-bar" },
        h("i", { "data-made": offer.madeAt ?? "", "data-expires": offer.expiresAt ?? "" }),
      ),
      h(
        "button",
        { type: "button", class: "offer-main", onclick: open, "data-testid": "offer-open", title: t("offer.preview") },
        c && conversationAvatar(state, c),
        h(
          "span",
          { class: "offer-body" },
          h(
            "span",
            { class: "offer-top" },
            h("b", null, nameOf(c)),
            h(
              "span",
              { class: `tag ${c?.contact?.known ? "ok" : ""}` },
              c?.contact?.known ? t("offer.known") : t("offer.new"),
            ),
          ),
          h(
            "span",
            { class: "offer-meta" },
            channelName(state, c?.lineId, c?.channel),
            queue ? ` · ${queue.displayName || queue.id}` : "",
          ),
          c?.lastMessageText && h("span", { class: "offer-text" }, c.lastMessageText),
          h(
            "span",
            { class: "offer-meta" },
            waitTimer(c?.waitingSince),
            ...(c ? originTags(state, c) : []),
            c && (c.askedOperatorIds ?? []).length > 1 && h("span", { class: "tag", "data-testid": "offer-others" }, icon("people"), othersText(state, c)),
          ),
        ),
      ),
      h(
        "div",
        { class: "offer-buttons" },
        h(
          "button",
          { type: "button", class: "button", onclick: () => void askDecline(offer.id), "data-testid": "offer-decline" },
          t("offer.decline"),
        ),
        iconButton("question", t("why.ask"), {
          onclick: () => showWhyOffer({ offerId: offer.id }),
          "data-testid": "offer-why",
        }),
        h(
          "button",
          {
            type: "button",
            class: "button primary",
            onclick: () => void acceptOffer(offer.id),
            "data-testid": "offer-accept",
          },
          t("offer.accept"),
          el("sb-timer", { until: offer.expiresAt ?? "", class: "offer-left", "data-testid": "offer-countdown" }),
        ),
      ),
    );
  }

  #tick() {
    const now = serverNow();
    for (const bar of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-expires]"))) {
      const made = Date.parse(bar.dataset.made ?? "");
      const expires = Date.parse(bar.dataset.expires ?? "");
      const left = Math.max(0, Math.min(1, (expires - now) / (expires - made || 1)));
      bar.style.transform = `scaleX(${left})`;
      bar.closest(".offer")?.classList.toggle("urgent", expires - now < 10_000);
      if (now > expires + GRACE_MS) {
        const id = /** @type {HTMLElement | null} */ (bar.closest(".offer"))?.dataset.offer ?? "";
        dispatch({ type: "offerGone", id });
      }
    }
  }
}
customElements.define("sb-offers", Offers);
