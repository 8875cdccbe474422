// What an operator does with a contact: name it, keep it out, let it in again.

/** @import { Contact, Identity } from "./types/api.js" */

import { toastError } from "./actions.js";
import { call, clientId } from "./api.js";
import { dispatch } from "./app.js";
import { t } from "./i18n.js";
import { toast } from "./toasts.js";

/** @param {Contact} contact @param {string} displayName */
export async function rename(contact, displayName) {
  try {
    const profile = { ...contact.profile, displayName };
    const changed = await call("ContactDirectory/UpdateContact", {
      contactId: contact.id,
      profile,
      version: contact.version,
      idempotencyKey: clientId(),
    });
    dispatch({ type: "contact", contact: changed });
  } catch (error) {
    toastError(error);
  }
}

/** @param {Identity} identity @param {string} reason */
export async function block(identity, reason) {
  try {
    await call("Inbox/BlockIdentity", { identity, reason, clientId: clientId() });
    dispatch({ type: "senderBlocked", sender: identity, blocked: true });
    toast({ text: t("done.blocked"), action: { label: t("undo"), run: () => void unblock(identity) } });
  } catch (error) {
    toastError(error);
  }
}

/** @param {Identity} identity */
export async function unblock(identity) {
  try {
    await call("Inbox/UnblockIdentity", { identity, clientId: clientId() });
    dispatch({ type: "senderBlocked", sender: identity, blocked: false });
    toast({ text: t("done.unblocked") });
  } catch (error) {
    toastError(error);
  }
}
