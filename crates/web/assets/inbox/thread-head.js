// Who the thread is with, and everything one can do with the conversation.

import { join, nameOf, reopen, take } from "./actions.js";
import { View, getState } from "./app.js";
import { el, h, linked, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { iconButton, withMenu } from "./menu.js";
import { isWaiting } from "./order.js";
import { conversationAvatar, channelName, operatorName, topicOf } from "./parts.js";
import { ratingText, scoreDialog, scoreText } from "./ratings.js";
import { goToConversation } from "./route.js";
import { colleaguesTyping, conversation, isSupervisor } from "./selectors.js";
import { promiseDialog } from "./promise-dialogs.js";
import "./promise-strip.js";
import "./state-strip.js";
import { stateText } from "./states.js";
import { askBlock, askFinish, askSpam, moveToFront } from "./thread-asks.js";
import { snoozeDialog, transferDialog } from "./thread-dialogs.js";
import { whyAct } from "./why-act.js";
import { isFinishingUp } from "./wrap-up.js";

/** @import { Conversation } from "./types/api.js" */
/** @import { State } from "./types/state.js" */
/** @import { MenuItem } from "./menu.js" */

/**
 * The acts that make sense now; the header, the menu and the palette show the same.
 *
 * @param {State} state
 * @param {Conversation | undefined} c
 * @returns {(MenuItem & { id: string, primary?: boolean })[]}
 */
export function conversationActs(state, c) {
  if (!c || !state.me) return [];
  const me = state.me.id;
  const mine = c.operatorId === me && c.state !== "OFFERED";
  const joined = (c.participantIds ?? []).includes(me);
  const finishing = isFinishingUp(state, c);
  const open = c.state !== "CLOSED";
  const supervisor = isSupervisor(state);
  const { sender, blocked } = state.details[c.id] ?? {};
  /** @type {(MenuItem & { id: string, primary?: boolean } | false | null | undefined)[]} */
  const acts = [
    !mine &&
      open && {
        id: "take",
        label: t(isWaiting(c) || !c.operatorId ? "action.take" : "action.takeOver"),
        icon: "hand",
        run: () => void take(c.id),
      },
    mine &&
      (c.state === "PARKED" || finishing) && {
        id: "take",
        label: t(finishing ? "wrap.goOn" : "action.unsnooze"),
        icon: "hand",
        primary: !finishing,
        run: () => void take(c.id),
      },
    !mine &&
      c.state === "ACTIVE" && {
        id: "join",
        label: t(joined ? "action.leave" : "action.join"),
        icon: joined ? "leave" : "join",
        hint: "Alt J",
        run: () => void join(c.id, joined),
      },
    (mine || supervisor) &&
      open && {
        id: "transfer",
        label: t("action.transfer"),
        icon: "transfer",
        hint: "Alt T",
        primary: true,
        run: () => void transferDialog(c),
      },
    mine &&
      c.state === "ACTIVE" && {
        id: "snooze",
        label: t("action.snooze"),
        icon: "moon",
        hint: "Alt S",
        primary: true,
        run: () => void snoozeDialog(c),
      },
    {
      id: "promise",
      label: t("action.promise"),
      icon: "alarm",
      hint: "Alt C",
      primary: mine && c.state === "ACTIVE",
      run: () => void promiseDialog(c),
    },
    (mine || supervisor) &&
      open && {
        id: "finish",
        label: t(finishing ? "wrap.done" : "action.finish"),
        icon: "check",
        hint: "Alt E",
        primary: !finishing,
        run: () => askFinish(c),
      },
    supervisor &&
      !isWaiting(c) && { id: "score", label: t("action.score"), icon: "star", run: () => void scoreDialog(c) },
    whyAct(c),
    supervisor && isWaiting(c) && { id: "front", label: t("action.front"), icon: "up", run: () => void moveToFront(c) },
    !open && {
      id: "reopen",
      label: t("action.reopen"),
      icon: "reply",
      run: () => void reopen(c.id).then((n) => n && goToConversation(n.id)),
    },
    sender &&
      !blocked && {
        id: "block",
        label: t("action.block"),
        icon: "block",
        danger: true,
        separated: true,
        run: () => void askBlock(c),
      },
    (mine || supervisor) &&
      open &&
      sender && { id: "spam", label: t("action.spam"), icon: "trash", danger: true, run: () => void askSpam(c) },
  ];
  return acts.filter((act) => !!act);
}

/** What stands above the timeline. */
export const threadTop = () => [el("sb-thread-head"), el("sb-state-strip"), el("sb-promise-strip")];

class ThreadHead extends View {
  /** @param {State} state */
  watch(state) {
    const c = conversation(state, state.selectedId);
    const { selectedId: id, operators, typing, details, lines, me, opinions } = state;
    return [c, operators, typing[id], details[id], lines, me, opinions[id]];
  }

  /** @param {State} state */
  render(state) {
    const c = conversation(state, state.selectedId);
    this.hidden = !c;
    if (!c) return;
    const acts = conversationActs(state, c);
    const writing = colleaguesTyping(state, c.id).map((id) => operatorName(state.operators[id]));
    const participants = (c.participantIds ?? []).map((id) => operatorName(state.operators[id]));
    const line = state.lines[c.lineId ?? ""];
    const subtitle = [channelName(state, c.lineId, c.channel), line?.displayName, stateText(state, c)]
      .filter((part, i, all) => part && all.indexOf(part) === i)
      .join(" · ");
    /** @type {{ key: string, stamp: unknown[], draw: () => HTMLElement }[]} */
    const parts = [
      {
        key: "head",
        stamp: [c.id, nameOf(c), subtitle, c.operatorId, ...acts.map((act) => act.label)],
        draw: () => this.#bar(state, c, acts, subtitle),
      },
    ];
    /** @param {string} key @param {import("./icons.js").IconName} name @param {string} text @param {Record<string, any>} [props] */
    const strip = (key, name, text, props = {}) =>
      parts.push({
        key,
        stamp: [text],
        draw: () => h("p", { class: "strip", ...props }, icon(name), h("span", null, ...linked(text))),
      });
    const topic = topicOf(c);
    if (topic) strip("topic", "tag", topic, { class: "strip topic", "data-testid": "topic" });
    if (participants.length > 0)
      strip("participants", "people", t("strip.participants", { name: participants.join(", ") }));
    const { rating, score } = state.opinions[c.id] ?? {};
    if (rating) strip("rating", "star", ratingText(rating), { "data-testid": "rating-strip" });
    if (score) strip("score", "star", scoreText(state, score), { "data-testid": "score-strip" });
    if (writing.length > 0)
      strip("collision", "warning", t("strip.collision", { name: writing.join(", ") }), {
        class: "strip collision",
        role: "status",
        "data-testid": "collision",
      });
    reconcile(this, parts, { key: (part) => part.key, stamp: (part) => part.stamp, draw: (part) => part.draw() });
  }

  /** @param {State} state @param {Conversation} c @param {ReturnType<typeof conversationActs>} acts @param {string} subtitle */
  #bar(state, c, acts, subtitle) {
    return h(
      "div",
      { class: "pane-head thread-head" },
      iconButton("back", t("back"), {
        class: "phone-only",
        onclick: () => goToConversation(""),
        "data-testid": "back",
      }),
      conversationAvatar(state, c),
      h(
        "div",
        { class: "pane-titles" },
        h("h2", { "data-testid": "thread-name" }, nameOf(c)),
        h("small", { class: "muted" }, subtitle),
      ),
      h(
        "div",
        { class: "head-actions" },
        ...acts
          .filter((act) => act.primary)
          .map((act) =>
            h(
              "button",
              {
                type: "button",
                class: `button small${act.id === "finish" ? " finish" : ""}`,
                onclick: act.run,
                "data-testid": `act-${act.id}`,
                title: act.hint ? `${act.label} (${act.hint.replace(" ", "+")})` : act.label,
              },
              act.icon && icon(act.icon),
              h("span", { class: "act-label" }, act.label),
            ),
          ),
        acts.length > 0 &&
          withMenu(iconButton("more", t("action.more"), { "data-testid": "act-more" }), () =>
            conversationActs(getState(), conversation(getState(), c.id)).map((act) => ({
              ...act,
              testid: `menu-${act.id}`,
            })),
          ),
        ...acts
          .filter((act) => act.id === "why")
          .map((act) =>
            iconButton("question", act.label, { onclick: act.run, "data-testid": "act-why", class: "wide-only" }),
          ),
        iconButton("person", t("contact.toggle"), {
          onclick: () => this.dispatchEvent(new CustomEvent("sb-pane", { bubbles: true, detail: "contact-toggle" })),
          "data-testid": "toggle-contact",
        }),
      ),
    );
  }
}
customElements.define("sb-thread-head", ThreadHead);
