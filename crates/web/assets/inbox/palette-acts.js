// Every act there is, by name, for the palette: what can be done now comes first.

import { nameOf, startConversation } from "./actions.js";
import { getState } from "./app.js";
import { askName } from "./contact.js";
import { unblock } from "./contact-actions.js";
import { showKeys } from "./help.js";
import { t } from "./i18n.js";
import { letterLines, newLetter } from "./letter-new.js";
import { mergeDialog } from "./merge.js";
import { acceptOffer, askDecline } from "./offers.js";
import { FOLDERS, isMentioned } from "./order.js";
import { places as pagesOf } from "./places.js";
import { presenceMenu } from "./presence.js";
import { goToConversation, route } from "./route.js";
import { answerable, can, conversation, listed, mayWrite } from "./selectors.js";
import { settingsMenu } from "./settings.js";
import { openFolder } from "./sidebar.js";
import { conversationActs } from "./thread-head.js";

/** @import { Conversation, Offer } from "./types/api.js" */
/** @import { State } from "./types/state.js" */
/** @import { IconName } from "./icons.js" */
/** @import { MenuItem } from "./menu.js" */

/**
 * @typedef {object} Entry
 * @property {string} label
 * @property {IconName} icon
 * @property {string} [detail]
 * @property {string} [aside] at the right, such as a key
 * @property {string} [also] other words that find it
 * @property {string} testid
 * @property {() => void} run
 */

/** @returns {Entry[]} */
export function acts() {
  const state = getState();
  // A page beside the inbox has no conversation open.
  const open = route().page === "inbox" ? conversation(state, state.selectedId) : undefined;
  return [
    ...offerActs(state),
    ...(open ? ofConversation(state, open) : []),
    ...(letterLines(state).length > 0 ? [beginning()] : []),
    ...places(state),
    ...presenceMenu(state).map((item) => entry(item, "person", t("presence.label"))),
    ...settingsMenu()
      .filter(({ testid }) => testid !== "show-keys")
      .map((item) => entry(item, "gear", t("settings.title"))),
    { label: t("settings.keys"), icon: "keyboard", aside: "?", testid: "palette-keys", run: () => showKeys() },
  ];
}

/** @returns {Entry} */
const beginning = () => ({
  label: t("letter.new"),
  icon: "email",
  testid: "palette-new-letter",
  run: () => void newLetter(),
});

/** @param {MenuItem} item @param {IconName} icon @param {string} group @returns {Entry} */
function entry(item, icon, group) {
  return {
    label: item.label,
    icon: item.icon ?? (item.checked ? "check" : icon),
    aside: item.hint ?? group,
    also: group,
    testid: `palette-${item.testid}`,
    run: item.run,
  };
}

/** The offer that ends first. @param {State} state @returns {Offer | undefined} */
export function urgentOffer(state) {
  return Object.values(state.offers).sort((a, b) => ((a.expiresAt ?? "") < (b.expiresAt ?? "") ? -1 : 1))[0];
}

/** @param {State} state @returns {Entry[]} */
function offerActs(state) {
  const offer = urgentOffer(state);
  if (!offer) return [];
  const detail = nameOf(state.conversations[offer.conversationId ?? ""]);
  const one = (/** @type {Omit<Entry, "detail">} */ rest) => ({ detail, ...rest });
  return [
    one({
      label: t("keys.accept"),
      icon: "check",
      aside: "Alt A",
      testid: "palette-accept",
      run: () => void acceptOffer(offer.id),
    }),
    one({
      label: t("keys.decline"),
      icon: "close",
      aside: "Alt X",
      testid: "palette-decline",
      run: () => void askDecline(offer.id),
    }),
    one({
      label: t("offer.preview"),
      icon: "search",
      aside: "Alt O",
      testid: "palette-preview",
      run: () => goToConversation(offer.conversationId ?? ""),
    }),
  ];
}

/** Something for the composer, once the palette has given the focus back. @param {string} type @param {unknown} [detail] */
function tellComposer(type, detail) {
  document.querySelector("sb-composer")?.dispatchEvent(new CustomEvent(type, { detail }));
}

/** @param {State} state @param {Conversation} c @returns {Entry[]} */
function ofConversation(state, c) {
  const detail = state.details[c.id];
  const contact = state.contacts[c.contact?.id ?? ""];
  /** @type {(Entry | false | null | undefined)[]} */
  const all = [
    ...(mayWrite(state, c) || isMentioned(c, state.me?.id ?? "") ? writing(state, c) : []),
    ...conversationActs(state, c).map((act) => entry({ ...act, testid: act.id }, "check", "")),
    {
      label: t("contact.toggle"),
      icon: "person",
      aside: "I",
      testid: "palette-contact",
      run: () => toggleContact(),
    },
    contact && {
      label: t("contact.rename"),
      icon: "edit",
      testid: "palette-rename",
      run: () => void askName(contact),
    },
    ...(detail?.suggestions ?? []).map((suggestion) => ({
      label: t("merge.title"),
      icon: /** @type {IconName} */ ("merge"),
      detail: suggestion.other?.displayName,
      testid: "palette-merge",
      run: () => void mergeDialog(c.id, suggestion),
    })),
    detail?.sender &&
      detail.blocked && {
        label: t("unblock"),
        icon: "block",
        detail: detail.sender.value,
        testid: "palette-unblock",
        run: () => void (detail.sender && unblock(detail.sender)),
      },
    ...[c, ...(detail?.history ?? [])]
      .filter((past) => past.state === "CLOSED" && past.threadId && can(state, past, "write_first"))
      .slice(0, 3)
      .map((past) => ({
        label: t("contact.write"),
        icon: /** @type {IconName} */ ("reply"),
        detail: state.lines[past.lineId ?? ""]?.displayName,
        testid: "palette-start",
        run: () => void startConversation(past.threadId ?? "").then((begun) => begun && goToConversation(begun.id)),
      })),
    ...neighbours(state, c),
  ];
  return all.filter((one) => !!one);
}

/** @param {State} state @param {Conversation} c @returns {Entry[]} */
function writing(state, c) {
  const reply = mayWrite(state, c) && answerable(state, c);
  /** @type {(Entry | false)[]} */
  const all = [
    reply && {
      label: t("keys.reply"),
      icon: "reply",
      aside: "R",
      testid: "palette-reply",
      run: () => tellComposer("sb-mode", false),
    },
    {
      label: t("keys.note"),
      icon: "note",
      aside: "N",
      testid: "palette-note",
      run: () => tellComposer("sb-mode", true),
    },
    {
      label: t("replies.insert"),
      icon: "bolt",
      aside: "/",
      testid: "palette-insert-reply",
      run: () => tellComposer("sb-begin", "/"),
    },
    {
      label: t("mentions.insert"),
      icon: "at",
      aside: "@",
      testid: "palette-insert-mention",
      run: () => {
        tellComposer("sb-mode", true);
        tellComposer("sb-begin", "@");
      },
    },
    reply &&
      can(state, c, "files") && {
        label: t("composer.attach"),
        icon: "attach",
        testid: "palette-attach",
        run: () => {
          tellComposer("sb-mode", false);
          /** @type {HTMLElement | null} */ (document.querySelector("sb-composer [data-testid=attach]"))?.click();
        },
      },
    reply &&
      can(state, c, "buttons") && {
        label: t("answers.offer"),
        icon: "answers",
        testid: "palette-offer-answers",
        run: () => {
          tellComposer("sb-mode", false);
          tellComposer("sb-answers");
        },
      },
    reply &&
      can(state, c, "templates") && {
        label: t("template.send"),
        icon: "approved",
        testid: "palette-send-template",
        run: () => tellComposer("sb-template"),
      },
  ];
  return all.filter((one) => !!one);
}

export function toggleContact() {
  document
    .querySelector("sb-thread")
    ?.dispatchEvent(new CustomEvent("sb-pane", { bubbles: true, detail: "contact-toggle" }));
}

/** @param {State} state @param {Conversation} c @returns {Entry[]} */
function neighbours(state, c) {
  const list = listed(state);
  const at = list.findIndex((one) => one.id === c.id);
  /** @param {Conversation | undefined} to @param {"palette.next" | "palette.previous"} key @param {IconName} icon @param {string} aside */
  const go = (to, key, icon, aside) =>
    to
      ? [{ label: t(key), icon, aside, detail: nameOf(to), testid: key.replace(".", "-"), run: () => goToConversation(to.id) }]
      : [];
  return [
    ...go(list[at + 1], "palette.next", "down", "Alt ↓"),
    ...go(at > 0 ? list[at - 1] : undefined, "palette.previous", "up", "Alt ↑"),
  ];
}

/** Folders, queues and pages. @param {State} state @returns {Entry[]} */
function places(state) {
  /** @type {[string, IconName, import("./i18n.js").Key, string][]} */
  const pages = [
    ["mentions", "at", "page.mentions", "Alt M"],
    ["promises", "alarm", "page.promises", ""],
    ...pagesOf(state).map(([page, icon, key]) => /** @type {[string, IconName, import("./i18n.js").Key, string]} */ ([page, icon, key, ""])),
  ];
  return [
    ...FOLDERS.map((folder, i) => ({
      label: t(`folder.${folder}`),
      icon: /** @type {IconName} */ ("inbox"),
      aside: `Alt ${i + 1}`,
      testid: `palette-${folder}`,
      run: () => openFolder(folder, ""),
    })),
    ...pages.map(([page, icon, key, aside]) => ({
      label: t(key),
      icon,
      aside,
      testid: `palette-page-${page}`,
      run: () => void (location.hash = `#/${page}`),
    })),
    ...state.queueIds.map((id) => ({
      label: state.queues[id]?.displayName || id,
      icon: /** @type {IconName} */ ("queue"),
      aside: t("queues.name"),
      testid: "palette-queue",
      run: () => openFolder("WAITING", id),
    })),
  ];
}
