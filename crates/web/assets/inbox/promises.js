// What an operator does with promises to clients, and how they hear of them.

/**
 * @import { Calls, Obligation, ObligationNotice } from "./types/api.js"
 */

import { addressName, toastError } from "./actions.js";
import { ringPromise } from "./alerts.js";
import { call, clientId } from "./api.js";
import { dispatch, getState } from "./app.js";
import { t } from "./i18n.js";
import { concerns } from "./promise-state.js";
import { errorText } from "./refusals.js";
import { goToConversation } from "./route.js";
import { isSupervisor } from "./selectors.js";
import { toast } from "./toasts.js";

const PAGE = 200;

/** @typedef {Calls["Inbox/ListObligations"][0]} Asked */
/** @typedef {Omit<Calls["Inbox/ScheduleCallback"][0], "clientId">} NewPromise */
/** @typedef {Omit<Calls["Inbox/ResolveObligation"][0], "clientId" | "obligationId">} Resolution */

/** @param {Obligation} p */
export function clientOf(p) {
  const { displayName, address = "" } = p.contact ?? {};
  return displayName || addressName(address) || t("contact.unnamed");
}

/** What the operator is to see to. */
export async function loadPromises() {
  /** @type {Asked[]} */
  const asked = [{ scope: "OBLIGATION_SCOPE_QUEUES", pageSize: PAGE }];
  if (isSupervisor(getState()))
    asked.push({ scope: "OBLIGATION_SCOPE_ALL", filter: "OBLIGATION_FILTER_ESCALATED", pageSize: PAGE });
  try {
    const answers = await Promise.all(asked.map((one) => call("Inbox/ListObligations", one)));
    dispatch({ type: "promises", promises: answers.flatMap((answer) => answer.obligations ?? []) });
  } catch (error) {
    // The inbox works without; its list says so when it is opened.
    console.info(errorText(error));
  }
}

/** Those to a contact, also of other queues where one may see them. @param {string} contactId */
export async function loadPromisesTo(contactId) {
  const scope = isSupervisor(getState()) ? "OBLIGATION_SCOPE_ALL" : "OBLIGATION_SCOPE_QUEUES";
  try {
    const answer = await call("Inbox/ListObligations", { scope, contactId, pageSize: 50 });
    dispatch({ type: "promises", promises: answer.obligations ?? [] });
  } catch {
    // Asked again when the conversation is opened again.
  }
}

/** @param {NewPromise} promise @returns {Promise<boolean>} */
export async function schedule(promise) {
  try {
    const made = await call("Inbox/ScheduleCallback", { ...promise, clientId: clientId() });
    dispatch({ type: "promises", promises: [made] });
    toast({ text: t("promise.made") });
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}

/**
 * @param {Obligation} p
 * @param {Resolution} resolution
 * @returns {Promise<Obligation | null>}
 */
export async function resolve(p, resolution) {
  try {
    const now = await call("Inbox/ResolveObligation", { obligationId: p.id, ...resolution, clientId: clientId() });
    dispatch({ type: "promises", promises: [now] });
    const key = RESOLVED[now.state ?? "OBLIGATION_STATE_OPEN"];
    toast({ text: t(key) });
    return now;
  } catch (error) {
    toastError(error);
    return null;
  }
}

const RESOLVED = /** @type {const} */ ({
  OBLIGATION_STATE_OPEN: "promise.changed",
  OBLIGATION_STATE_KEPT: "promise.keptDone",
  OBLIGATION_STATE_LATE: "promise.lateDone",
  OBLIGATION_STATE_BROKEN: "promise.changed",
  OBLIGATION_STATE_WAIVED: "promise.waivedDone",
});

/** Opens the conversation of a promise, or the newest one with its client. @param {Obligation} p */
export async function openPromise(p) {
  if (p.conversationId) {
    goToConversation(p.conversationId);
    return;
  }
  try {
    const answer = await call("Inbox/ListConversations", { contactId: p.contact?.id, pageSize: 1 });
    const [newest] = answer.conversations ?? [];
    if (newest) goToConversation(newest.id);
    else toast({ text: t("promise.noConversation") });
  } catch (error) {
    toastError(error);
  }
}

const NOTICES = /** @type {const} */ ({
  OBLIGATION_NOTICE_SOON: "promise.notice.soon",
  OBLIGATION_NOTICE_DUE: "promise.notice.due",
  OBLIGATION_NOTICE_ESCALATED: "promise.notice.escalated",
  OBLIGATION_NOTICE_BROKEN: "promise.notice.broken",
});

/** Tells the operator of a promise whose time comes. @param {Obligation} p @param {ObligationNotice | undefined} notice */
export function announcePromise(p, notice) {
  if (!notice || !concerns(getState(), p)) return;
  const key = NOTICES[notice];
  if (!key) return;
  const title = t(key, { name: clientOf(p) });
  const open = () => void openPromise(p);
  toast({
    text: title,
    kind: notice === "OBLIGATION_NOTICE_SOON" ? "info" : "error",
    action: { label: t("promise.open"), run: open },
  });
  ringPromise(p.id, notice, title, [p.reach, p.note].filter(Boolean).join(" · "), open);
}
