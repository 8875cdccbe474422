// Small pieces that several elements draw.

/** @import { Conversation, LineSummary, Operator } from "./types/api.js" */
/** @import { State } from "./types/state.js" */
/** @import { IconName } from "./icons.js" */
/** @import { Child } from "./dom.js" */

import { nameOf } from "./actions.js";
import { el, h } from "./dom.js";
import { icon, mediumIcon } from "./icons.js";
import { t } from "./i18n.js";

/** @param {State} state @param {string | undefined} lineId @param {string} [channel] */
export function channelName(state, lineId, channel = "") {
  return channelOf(state.lines[lineId ?? ""], channel);
}

/**
 * What a line's channel is called: what is on the site by its kind, everything else by its own name.
 *
 * @param {LineSummary | undefined} line
 * @param {string} [otherwise]
 */
export function channelOf(line, otherwise = "") {
  if (line?.medium === "CHAT" || line?.medium === "FORM") return t(`medium.${line.medium}`);
  return line?.channelName ?? otherwise;
}

/** What a conversation is about, where no message says it. @param {Conversation | undefined} c */
export function topicOf(c) {
  return c?.medium === "EMAIL" || c?.medium === "FORM" ? "" : (c?.subject ?? "");
}

/** The channel's class as an icon that says its name. @param {State} state @param {Conversation | undefined} c */
export function channelIcon(state, c) {
  return icon(mediumIcon(c?.medium), channelName(state, c?.lineId, c?.channel));
}

/** @param {string} name */
function initials(name) {
  const words = name
    .replace(/[^\p{L}\p{N}\s]/gu, " ")
    .trim()
    .split(/\s+/);
  return (
    words
      .slice(0, 2)
      .map((word) => [...word][0] ?? "")
      .join("")
      .toUpperCase() || "?"
  );
}

/** @param {string} name */
function hue(name) {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 6;
  return sum;
}

/**
 * Initials, for no picture is loaded from elsewhere.
 *
 * @param {string} name
 * @param {Child} [badge]
 */
export function avatar(name, badge) {
  return h(
    "span",
    { class: `avatar tone-${hue(name)}`, "aria-hidden": "true" },
    initials(name),
    badge && h("span", { class: "avatar-badge" }, badge),
  );
}

/** @param {State} state @param {Conversation} c */
export function conversationAvatar(state, c) {
  const name = channelName(state, c.lineId, c.channel);
  const node = avatar(nameOf(c), icon(mediumIcon(c.medium)));
  node.title = name;
  return node;
}

/** How long it has waited, with an icon that changes with the colour. @param {string | undefined} since */
export function waitTimer(since) {
  return h(
    "span",
    { class: "wait", title: t("waiting.for") },
    icon("clock"),
    icon("alarm"),
    el("sb-timer", { since: since ?? "", "data-testid": "wait-timer" }),
  );
}

/** @param {Operator | undefined} operator */
export function operatorName(operator) {
  return operator?.displayName || operator?.login || t("operator.unknown");
}

/** @param {Operator | undefined} operator */
export function presenceDot(operator) {
  const presence = operator?.presence ?? "OFFLINE";
  const text = presenceText(operator);
  return h("span", { class: `dot dot-${presence.toLowerCase()}`, role: "img", "aria-label": text, title: text });
}

/** Why somebody who is Ready gets nothing. @type {Partial<Record<string, IconName>>} */
const ASIDE = { WRAP_UP: "edit", DISCONNECTED: "offline", NOT_RESPONDING: "bell" };

/** What keeps an operator from work though they may be Ready; empty for nothing. @param {Operator | undefined} operator */
export function asideText(operator) {
  const state = operator?.routingState;
  return state && ASIDE[state] ? t(`routing.${state}`) : "";
}

/** @param {Operator | undefined} operator */
export function asideIcon(operator) {
  const name = ASIDE[operator?.routingState ?? ""];
  return name ? icon(name) : null;
}

/** What they chose, why, and what keeps them from work. @param {Operator | undefined} operator */
export function presenceText(operator) {
  const chosen = operator?.awayReason || t(`presence.${operator?.presence ?? "OFFLINE"}`);
  return [chosen, asideText(operator)].filter(Boolean).join(" · ");
}

/**
 * What a pane shows instead of its content.
 *
 * @param {IconName} name
 * @param {string} title
 * @param {string} [text]
 * @param {Child[]} [more]
 */
export function empty(name, title, text, more = []) {
  return h(
    "div",
    { class: "empty" },
    h("div", { class: "empty-icon" }, icon(name)),
    h("p", { class: "empty-title" }, title),
    text && h("p", { class: "empty-text" }, text),
    ...more,
  );
}

/** @param {string | undefined} error @param {() => void} retry */
export function failed(error, retry) {
  return h(
    "div",
    { class: "empty", role: "alert" },
    h("div", { class: "empty-icon bad" }, icon("warning")),
    h("p", { class: "empty-title" }, t("load.failed")),
    error && h("p", { class: "empty-text" }, error),
    h("button", { type: "button", class: "button", onclick: retry }, icon("refresh"), t("retry")),
  );
}

/** What stands below a message to be pressed, as a picture of it. @param {string[] | undefined} labels */
export function pills(labels = []) {
  return (
    labels.length > 0 &&
    h(
      "ul",
      { class: "plain pills", "aria-label": t("message.buttons"), "data-testid": "pills" },
      labels.map((label) => h("li", { class: "pill", dir: "auto" }, label)),
    )
  );
}

/** @param {number} rows @param {string} [className] */
export function skeleton(rows, className = "") {
  return h(
    "div",
    { class: `skeleton ${className}`, "aria-busy": "true", "aria-label": t("loading"), role: "status" },
    Array.from({ length: rows }, () =>
      h(
        "div",
        { class: "skeleton-row" },
        h("span", { class: "skeleton-dot" }),
        h("span", { class: "skeleton-lines" }, h("i", null), h("i", null)),
      ),
    ),
  );
}

/** @param {State} state @param {string | undefined} kind of an identity */
export function kindName(state, kind = "") {
  if (kind === "phone" || kind === "email" || kind === "visitor") return t(`kind.${kind}`);
  const line = Object.values(state.lines).find((l) => l.channel === kind);
  return channelOf(line) || kind.charAt(0).toUpperCase() + kind.slice(1);
}
