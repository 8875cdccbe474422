// The sections of the contact card.

import { addressName, startConversation } from "./actions.js";
import { getState } from "./app.js";
import { serverNow } from "./clock.js";
import { unblock } from "./contact-actions.js";
import { h, linked } from "./dom.js";
import { icon, mediumIcon } from "./icons.js";
import { momentText, shortText, t } from "./i18n.js";
import { iconButton } from "./menu.js";
import { dismiss, mergeDialog } from "./merge.js";
import { channelName, kindName } from "./parts.js";
import { stars } from "./ratings.js";
import { conversationHref, goToConversation } from "./route.js";
import { can, conversation } from "./selectors.js";
import { closedText, stateText } from "./states.js";
import { askBlock } from "./thread-asks.js";

/** @import { Contact, Conversation, Identity } from "./types/api.js" */
/** @import { DetailState, State } from "./types/state.js" */

/** @param {string} title @param {...import("./dom.js").Child} children */
function section(title, ...children) {
  return h("section", { class: "contact-section" }, h("h3", null, title), ...children);
}

/** @param {DetailState} detail @param {Conversation} c @returns {HTMLElement[]} */
export function suggestions(detail, c) {
  return detail.suggestions.map((s) =>
    h(
      "div",
      { class: "suggestion", "data-testid": "merge-suggestion" },
      h(
        "p",
        null,
        icon("merge"),
        h(
          "span",
          null,
          t("merge.maybe", {
            name: s.other?.displayName || addressName(s.other?.address ?? "") || t("contact.unnamed"),
          }),
        ),
      ),
      s.reason && h("p", { class: "muted" }, s.reason),
      h(
        "div",
        { class: "suggestion-buttons" },
        h(
          "button",
          {
            type: "button",
            class: "button small",
            onclick: () => void dismiss(c.id, s.id),
            "data-testid": "merge-dismiss",
          },
          t("merge.dismiss"),
        ),
        h(
          "button",
          {
            type: "button",
            class: "button small primary",
            onclick: () => void mergeDialog(c.id, s),
            "data-testid": "merge-compare",
          },
          t("merge.compare"),
        ),
      ),
    ),
  );
}

/** @param {State} state @param {Identity} identity */
function identityLine(state, identity) {
  const trust = identity.trust ?? "CLAIMED";
  const sure = trust === "PROVEN" || trust === "ASSERTED";
  return h(
    "li",
    { class: "identity" },
    h("span", { class: "identity-kind" }, kindName(state, identity.kind)),
    h(
      "span",
      { class: "identity-value", title: [identity.value, identity.issuer].filter(Boolean).join(" · ") },
      // A mark of our own, which nobody reads aloud or copies.
      identity.kind === "visitor" ? `${(identity.value ?? "").slice(0, 8)}…` : (identity.value ?? ""),
    ),
    h(
      "span",
      { class: `trust ${sure ? "sure" : ""}`, title: t(`trust.${trust}.text`) },
      icon(sure ? "verified" : "question"),
      t(`trust.${trust}`),
    ),
  );
}

/** @param {State} state @param {Contact} contact */
export function identities(state, contact) {
  return section(
    t("contact.identities"),
    h(
      "ul",
      { class: "plain", "data-testid": "identities" },
      (contact.identities ?? []).map((i) => identityLine(state, i)),
    ),
  );
}

/** @param {State} state @param {Contact} contact @param {Conversation} c @param {DetailState} detail */
export function facts(state, contact, c, detail) {
  const last = [c, ...detail.history]
    .map((x) => x.lastMessageAt ?? "")
    .sort()
    .at(-1);
  const rows = [
    [t("contact.first"), momentText(contact.createdAt)],
    [t("contact.last"), momentText(last || undefined)],
    [
      t("contact.source"),
      [state.lines[contact.source?.lineId ?? ""]?.displayName ?? contact.source?.channel, contact.source?.referral]
        .filter(Boolean)
        .join(" · "),
    ],
    [t("contact.language"), contact.profile?.locale ?? ""],
  ].filter(([, value]) => value);
  return section(
    t("contact.about"),
    h(
      "dl",
      { class: "facts" },
      rows.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
    ),
  );
}

/** @param {Contact} contact */
export function attributes(contact) {
  const { referral } = contact.source ?? {};
  const told = Object.entries(contact.profile?.attributes ?? {}).filter(([, value]) => value !== referral);
  const entries = told.sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    entries.length > 0 &&
    section(
      t("contact.attributes"),
      h(
        "dl",
        { class: "facts" },
        entries.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, ...linked(value)))),
      ),
    )
  );
}

/** @param {State} state @param {DetailState} detail @param {Conversation} open */
export function history(state, detail, open) {
  const others = detail.history.filter((c) => c.id !== open.id);
  return section(
    t("contact.history", { n: others.length }),
    others.length === 0
      ? h("p", { class: "muted" }, t("contact.noHistory"))
      : h(
          "ul",
          { class: "plain" },
          others.map((past) => {
            const c = state.conversations[past.id] ?? past;
            const text = c.subject || c.lastMessageText;
            const title = text || state.lines[c.lineId ?? ""]?.displayName || channelName(state, c.lineId, c.channel);
            return h(
              "li",
              { class: "past" },
              h(
                "a",
                { class: "past-link", href: conversationHref(c.id), "data-testid": "history-row" },
                icon(mediumIcon(c.medium), channelName(state, c.lineId, c.channel)),
                h(
                  "span",
                  { class: "past-main" },
                  h("span", { class: "past-text" }, title),
                  h(
                    "small",
                    { class: "muted" },
                    [
                      shortText(c.lastMessageAt ?? c.createdAt, serverNow()),
                      c.state === "CLOSED" ? c.disposition || closedText(c) : stateText(state, c) || t("segment.open"),
                    ]
                      .filter(Boolean)
                      .join(" · "),
                  ),
                  stars(state, c.id),
                ),
              ),
              c.state === "CLOSED" &&
                c.threadId &&
                can(state, c, "write_first") &&
                iconButton("reply", t("contact.write"), {
                  onclick: async () => {
                    const started = await startConversation(c.threadId ?? "");
                    if (started) goToConversation(started.id);
                  },
                }),
            );
          }),
        ),
  );
}

/** @param {DetailState} detail @param {Conversation} c */
export function blockPart(detail, c) {
  const sender = detail.sender;
  if (!sender) return null;
  if (detail.blocked) {
    return h(
      "div",
      { class: "blocked" },
      icon("block"),
      h("span", null, t("contact.blocked", { name: sender.value ?? "" })),
      h(
        "button",
        { type: "button", class: "button small", onclick: () => void unblock(sender), "data-testid": "unblock" },
        t("unblock"),
      ),
    );
  }
  return h(
    "button",
    {
      type: "button",
      class: "button quiet danger-text",
      onclick: () => void askBlock(conversation(getState(), c.id) ?? c),
      "data-testid": "block",
    },
    icon("block"),
    t("action.block"),
  );
}
