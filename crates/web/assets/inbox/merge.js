// Two contacts that may be one person: side by side, merged with a reason,
// taken back from the toast.

import { toastError } from "./actions.js";
import { call, clientId } from "./api.js";
import { dispatch, getState } from "./app.js";
import { ask, field } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { momentText, t } from "./i18n.js";
import { avatar, kindName } from "./parts.js";
import { toast } from "./toasts.js";

/** @import { Contact, ContactSuggestion } from "./types/api.js" */

/** @param {string} conversationId @param {string} suggestionId */
export async function dismiss(conversationId, suggestionId) {
  try {
    await call("Inbox/DismissSuggestion", { suggestionId });
    dispatch({ type: "suggestionGone", conversationId, id: suggestionId });
  } catch (error) {
    toastError(error);
  }
}

/** @param {Contact | undefined} contact @param {string} label */
function side(contact, label) {
  const state = getState();
  const name = contact?.profile?.displayName || t("contact.unnamed");
  const attributes = Object.entries(contact?.profile?.attributes ?? {});
  return h(
    "div",
    { class: "merge-side" },
    h("p", { class: "merge-label" }, label),
    h(
      "div",
      { class: "contact-head" },
      avatar(name),
      h(
        "div",
        { class: "contact-name" },
        h("h3", null, name),
        h(
          "small",
          { class: "muted" },
          contact?.createdAt ? t("merge.since", { time: momentText(contact.createdAt) }) : "",
        ),
      ),
    ),
    h(
      "ul",
      { class: "plain" },
      (contact?.identities ?? []).map((i) =>
        h(
          "li",
          { class: "identity" },
          h("span", { class: "identity-kind" }, kindName(state, i.kind)),
          h("span", { class: "identity-value" }, i.value ?? ""),
          h(
            "span",
            { class: `trust ${i.trust === "PROVEN" || i.trust === "ASSERTED" ? "sure" : ""}` },
            t(`trust.${i.trust ?? "CLAIMED"}`),
          ),
        ),
      ),
    ),
    attributes.length > 0 &&
      h(
        "dl",
        { class: "facts" },
        attributes.map(([key, value]) => h("div", null, h("dt", null, key), h("dd", null, value))),
      ),
  );
}

/** @param {string} conversationId @param {ContactSuggestion} suggestion */
export async function mergeDialog(conversationId, suggestion) {
  const state = getState();
  const staying = state.contacts[state.details[conversationId]?.contactId ?? ""];
  if (!staying || !suggestion.other) return;
  let other;
  try {
    other = await call("ContactDirectory/GetContact", { contactId: suggestion.other.id });
  } catch (error) {
    toastError(error);
    return;
  }
  const reason = h("input", { name: "reason", maxlength: 200, required: true, "data-testid": "merge-reason" });
  reason.value = suggestion.reason ?? "";
  const data = await ask({
    title: t("merge.title"),
    submit: t("merge.submit"),
    testid: "merge-dialog",
    body: [
      suggestion.reason &&
        h(
          "p",
          { class: "notice" },
          icon("merge"),
          suggestion.reason,
          suggestion.confidence
            ? ` · ${t("merge.confidence", { percent: Math.round(suggestion.confidence * 100) })}`
            : "",
        ),
      h("div", { class: "merge-sides" }, side(staying, t("merge.stays")), side(other, t("merge.joins"))),
      field(t("merge.reason"), reason, t("merge.reasonHint")),
    ],
  });
  if (data) await merge(staying.id, other.id, String(data.get("reason") ?? ""));
}

/** @param {string} contactId @param {string} mergedContactId @param {string} reason */
async function merge(contactId, mergedContactId, reason) {
  try {
    // The histories become one when the gateway has followed; the feed tells.
    const { mergeId } = await call("ContactDirectory/MergeContacts", {
      contactId,
      mergedContactId,
      reason,
      idempotencyKey: clientId(),
    });
    toast({
      text: t("done.merged"),
      action: mergeId ? { label: t("undo"), run: () => void undo(mergeId) } : undefined,
    });
  } catch (error) {
    toastError(error);
  }
}

/** @param {string} mergeId */
async function undo(mergeId) {
  try {
    await call("ContactDirectory/UndoMerge", { mergeId, idempotencyKey: clientId() });
    toast({ text: t("done.unmerged") });
  } catch (error) {
    toastError(error);
  }
}
