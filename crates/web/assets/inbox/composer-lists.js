// What the composer offers while one writes: canned replies by "/", colleagues by
// "@" in a note; and what it says about the text before it goes.

import { getState } from "./app.js";
import { serverNow } from "./clock.js";
import { confirmDanger } from "./dialog.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { holds, mentioned, stillHas } from "./matching.js";
import { iconButton } from "./menu.js";
import { avatar, channelName, operatorName, presenceDot } from "./parts.js";
import { errorText } from "./refusals.js";
import { findReplies, wordsFor } from "./replies.js";
import { windowClosed } from "./reply-window.js";
import { can, conversation } from "./selectors.js";
import { Suggest } from "./suggest.js";
import { unfilled } from "./variables.js";

/** @import { CannedReply, Operator } from "./types/api.js" */
/** @import { Choice, Source } from "./suggest.js" */

/** The canned replies a message in the making was made of, with their words. @type {Map<string, Map<string, string>>} */
const used = new Map();
/** The colleagues chosen from the list, for those with one name. @type {Set<string>} */
const chosen = new Set();

/**
 * @param {HTMLTextAreaElement} text
 * @param {string} id of the conversation
 * @param {() => boolean} isNote
 */
export function composerLists(text, id, isNote) {
  /** Why the last search found nothing, if it failed. */
  let failure = "";
  /** @type {Source} */
  const replies = {
    mark: "/",
    code: "Slash",
    shift: false,
    spaces: 0,
    eager: true,
    label: t("replies.list"),
    on: () => true,
    find: async (query) => {
      failure = "";
      try {
        const found = await findReplies(query, conversation(getState(), id)?.queueId ?? "");
        return found.map((reply) => replyChoice(reply, id));
      } catch (error) {
        failure = errorText(error);
        return [];
      }
    },
    nothing: (query) => failure || (query === "" ? t("replies.noneYet") : ""),
  };
  /** @type {Source} */
  const colleagues = {
    mark: "@",
    code: "Digit2",
    shift: true,
    spaces: 2,
    eager: false,
    label: t("mentions.list"),
    on: isNote,
    find: (query) => people(query).map(colleagueChoice),
    nothing: (query) => (query === "" ? t("mentions.nobody") : ""),
  };
  return new Suggest(text, [replies, colleagues]);
}

/** What opens a list by mouse and on a phone. @param {Suggest} lists @param {"/" | "@"} mark */
export function listButton(lists, mark) {
  const onclick = () => lists.begin(mark);
  return mark === "/"
    ? iconButton("bolt", t("replies.insert"), { onclick, "data-testid": "insert-reply" })
    : iconButton("at", t("mentions.insert"), { onclick, "data-testid": "insert-mention" });
}

/** @param {CannedReply} reply @param {string} id @returns {Choice} */
function replyChoice(reply, id) {
  const words = wordsFor(reply, id);
  return {
    insert: words,
    picked: () => used.set(id, (used.get(id) ?? new Map()).set(reply.id ?? "", words)),
    shown: [
      h(
        "span",
        { class: "suggest-top" },
        h("b", null, reply.title ?? ""),
        h("code", null, `/${reply.shortcut ?? ""}`),
        reply.personal && h("span", { class: "tag" }, icon("person"), t("replies.own")),
      ),
      h("span", { class: "suggest-text" }, words.replace(/\s+/g, " ").slice(0, 160)),
    ],
  };
}

/** @param {string} query @returns {Operator[]} */
function people(query) {
  const order = (/** @type {Operator} */ one) => (one.presence === "READY" ? 0 : one.presence === "AWAY" ? 1 : 2);
  return colleagues()
    .filter((one) => query === "" || holds(operatorName(one), query))
    .sort((a, b) => order(a) - order(b) || operatorName(a).localeCompare(operatorName(b)))
    .slice(0, 40);
}

function colleagues() {
  const { me, operators } = getState();
  return Object.values(operators).filter((one) => one.id !== me?.id && !one.disabled);
}

/** @param {Operator} one @returns {Choice} */
function colleagueChoice(one) {
  const name = operatorName(one);
  return {
    insert: `@${name} `,
    picked: () => chosen.add(one.id),
    shown: [
      h(
        "span",
        { class: "suggest-person" },
        avatar(name),
        h("span", { class: "suggest-name" }, name),
        presenceDot(one),
        h("small", { class: "muted" }, one.awayReason || t(`presence.${one.presence ?? "OFFLINE"}`)),
      ),
    ],
  };
}

/** The colleagues whom a note names. @param {string} text */
export function namedIn(text) {
  const known = colleagues().map((one) => ({ id: one.id, name: operatorName(one) }));
  return text.includes("@") ? mentioned(text, known, chosen) : [];
}

/**
 * Takes the canned replies that a message was made of and still has words of; the
 * next message is another.
 *
 * @param {string} id
 * @param {string} text
 */
export function takeUsed(id, text) {
  const ids = [...(used.get(id) ?? [])].filter(([, words]) => stillHas(text, words)).map(([reply]) => reply);
  used.delete(id);
  return ids.slice(0, 10);
}

/**
 * Says what is not filled in, whom a note tells, or why nothing can be sent and what can.
 *
 * @param {HTMLElement} strip
 * @param {string} text
 * @param {boolean} note
 * @param {string} id
 * @param {() => void} choose a template
 */
export function drawNotice(strip, text, note, id, choose) {
  const gaps = unfilled(text);
  const ids = note ? namedIn(text) : [];
  const closed = note ? "" : windowText(id);
  const filled = gaps.length > 0 ? t("replies.unfilled", { name: gaps.slice(0, 3).join(" ") }) : toldText(ids, id);
  const said = closed || filled;
  strip.hidden = said === "";
  if (strip.dataset.said === said) return;
  strip.dataset.said = said;
  const warns = closed !== "" || gaps.length > 0;
  strip.dataset.kind = closed ? "closed" : warns ? "unfilled" : "told";
  const way = closed !== "" && can(getState(), conversation(getState(), id), "templates");
  const words = h("span", null, said, way && " ", way && templateLink(choose));
  replace(strip, said && icon(warns ? "warning" : "bell"), words);
}

/** @param {() => void} choose */
const templateLink = (choose) =>
  h(
    "button",
    { type: "button", class: "link small", onclick: choose, "data-testid": "choose-template" },
    t("template.choose"),
  );

/** Why the client cannot be written to just now. @param {string} id */
function windowText(id) {
  const state = getState();
  const hours = windowClosed(state, id, serverNow());
  const c = conversation(state, id);
  const name = channelName(state, c?.lineId, c?.channel);
  if (hours === 0) return "";
  return t(can(state, c, "templates") ? "template.window" : "composer.window", { name, n: hours });
}

/** @param {string[]} ids @param {string} id */
function toldText(ids, id) {
  if (ids.length === 0) return "";
  const state = getState();
  const c = conversation(state, id);
  const list = (/** @type {string[]} */ some) => some.map((one) => operatorName(state.operators[one])).join(", ");
  const fresh = ids.filter((one) => {
    const colleague = state.operators[one];
    const works = (colleague?.queues ?? []).some((membership) => membership.queueId === c?.queueId);
    const here = [c?.operatorId, ...(c?.participantIds ?? []), ...(c?.mentionedIds ?? [])].includes(one);
    return !works && !here && (colleague?.role ?? "OPERATOR") === "OPERATOR";
  });
  const told = ids.filter((one) => !fresh.includes(one));
  return [
    told.length > 0 && t("mentions.told", { name: list(told) }),
    fresh.length > 0 && t("mentions.letIn", { name: list(fresh) }),
  ]
    .filter(Boolean)
    .join(" ");
}

/** Asks before braces go to a client. @param {string} text @returns {Promise<boolean>} */
export async function mayGo(text) {
  const gaps = unfilled(text);
  if (gaps.length === 0) return true;
  return confirmDanger(
    t("replies.sendTitle"),
    t("replies.sendText", { name: gaps.join(" ") }),
    t("replies.sendAnyway"),
    "unfilled-dialog",
  );
}
