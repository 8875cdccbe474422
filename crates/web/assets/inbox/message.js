// One message, note, or message on its way.

import { retry, send } from "./actions.js";
import { dispatch } from "./app.js";
import { drawAttachments } from "./attachment.js";
import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { momentText, sizeText, t, timeOn, timeText } from "./i18n.js";
import { letterHead, letterText, originalButton } from "./letter.js";
import { withMentions } from "./mention-text.js";
import { messageActions } from "./message-actions.js";
import { operatorName, pills } from "./parts.js";
import { toast } from "./toasts.js";

/** @import { Conversation, Message } from "./types/api.js" */
/** @import { PendingMessage, State } from "./types/state.js" */
/** @import { IconName } from "./icons.js" */

/** @type {Record<string, IconName>} */
const DELIVERY_ICONS = {
  QUEUED: "clock",
  SENT: "check",
  DELIVERED: "checks",
  READ: "checks",
  FAILED: "warning",
  UNCERTAIN: "question",
};

/**
 * @param {State} state
 * @param {Message} message
 * @param {{ first: boolean, quoted: Message | undefined, open: Conversation | undefined }} around
 */
export function drawMessage(state, message, { first, quoted, open }) {
  const side = message.direction === "INBOUND" ? "in" : message.direction === "NOTE" ? "note" : "out";
  const mine = message.operatorId !== undefined && message.operatorId === state.me?.id;
  const author = side === "in" ? "" : mine ? t("message.you") : authorName(state, message);
  const failed = message.delivery === "FAILED" || message.delivery === "UNCERTAIN";
  return h(
    "div",
    {
      class: `message ${side}${first ? " first" : ""}${failed ? " failed" : ""}${message.delivery === "UNCERTAIN" ? " uncertain" : ""}${message.deletedAt ? " deleted" : ""}`,
      "data-testid": "message",
      "data-message": message.id,
      "data-direction": message.direction ?? "",
      "data-delivery": message.delivery ?? null,
    },
    h(
      "div",
      { class: "bubble" },
      side === "note" && h("div", { class: "bubble-label" }, icon("lock"), t("note.label"), author && ` · ${author}`),
      side === "out" && first && h("div", { class: "bubble-author" }, author),
      message.replyToMessageId && quote(quoted),
      ...content(state, message),
      foot(message),
    ),
    messageActions(state, message, open, mine),
    (message.reactions ?? []).length > 0 &&
      h(
        "div",
        { class: "reactions" },
        (message.reactions ?? []).map((r) =>
          h(
            "span",
            {
              class: "reaction",
              title: r.operatorId ? operatorName(state.operators[r.operatorId]) : t("message.client"),
            },
            r.emoji ?? "",
          ),
        ),
      ),
    failed && problem(message),
  );
}

/** @param {State} state @param {Message} message */
function authorName(state, message) {
  if (!message.writtenElsewhere) return operatorName(state.operators[message.operatorId ?? ""]);
  const line = state.lines[message.lineId ?? ""];
  return t("message.elsewhere", { name: line?.channelName ?? line?.displayName ?? "" });
}

/** @param {State} state @param {Message} message @returns {(Node | false | undefined | "")[]} */
function content(state, message) {
  if (message.deletedAt) return [h("p", { class: "gone" }, icon("trash"), t("message.deleted"))];
  const text = message.text?.plain ?? "";
  return [
    letterHead(message),
    (message.attachments ?? []).length > 0 && drawAttachments(message),
    message.letter && letterText(message, (words) => withMentions(state, message, words)),
    !message.letter && text && h("p", { class: "text", dir: "auto" }, ...withMentions(state, message, text)),
    !message.letter && message.text?.html && originalButton(message),
    message.location && location(message.location),
    message.contactCard &&
      h(
        "p",
        { class: "text" },
        icon("person"),
        ` ${message.contactCard.displayName ?? ""} `,
        (message.contactCard.identities ?? [])
          .map((i) => i.value)
          .filter((value) => value !== message.contactCard?.displayName)
          .join(", "),
      ),
    message.sticker && h("p", { class: "sticker" }, message.sticker.emoji || t("message.sticker")),
    message.postback &&
      h("p", { class: "text postback" }, icon("hand"), ` ${message.postback.title || message.postback.payload || ""}`),
    message.unsupported &&
      h("p", { class: "gone" }, icon("question"), t("message.unsupported", { name: message.unsupported.kind ?? "" })),
    pills(message.buttons),
  ];
}

/** @param {NonNullable<Message["location"]>} place */
function location({ latitude = 0, longitude = 0, title }) {
  const at = `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
  const href = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`;
  return h(
    "p",
    { class: "text" },
    icon("pin"),
    " ",
    h("a", { href, target: "_blank", rel: "noopener noreferrer" }, title || at),
  );
}

/** @param {Message | undefined} quoted */
function quote(quoted) {
  const text = quoted ? excerpt(quoted) : t("message.quoteGone");
  return h(
    "button",
    {
      type: "button",
      class: "quote",
      disabled: !quoted,
      onclick: (/** @type {Event} */ event) => {
        const log = /** @type {Element} */ (event.currentTarget).closest(".timeline");
        const target = quoted && log?.querySelector(`[data-message="${CSS.escape(quoted.id)}"]`);
        if (!target) return;
        target.scrollIntoView({ block: "center" });
        target.classList.add("flash");
        setTimeout(() => target.classList.remove("flash"), 1600);
      },
    },
    text,
  );
}

/** @param {Message} message */
export function excerpt(message) {
  return (
    message.letter?.brief ||
    message.text?.plain ||
    message.attachments?.[0]?.fileName ||
    message.sticker?.emoji ||
    message.location?.title ||
    t("message.attachment")
  );
}

/** @param {Message} message */
function foot(message) {
  const time = message.sentAt ?? message.storedAt;
  return h(
    "div",
    { class: "bubble-foot" },
    message.editedAt &&
      !message.deletedAt &&
      h(
        "button",
        { type: "button", class: "edited", title: momentText(message.editedAt), onclick: () => showRevisions(message) },
        t("message.edited"),
      ),
    h("time", { datetime: time ?? "", title: momentText(time) }, timeOn(time, message.storedAt)),
    message.direction === "OUTBOUND" &&
      message.delivery &&
      h(
        "span",
        { class: `delivery delivery-${message.delivery.toLowerCase()}`, "data-testid": "delivery" },
        icon(DELIVERY_ICONS[message.delivery] ?? "clock", t(`delivery.${message.delivery}`)),
      ),
  );
}

/** @param {Message} message */
function showRevisions(message) {
  const list = h(
    "ol",
    { class: "plain revisions" },
    (message.revisions ?? []).map((r) =>
      h(
        "li",
        null,
        h("small", { class: "muted" }, t("message.until", { time: momentText(r.replacedAt) })),
        h("p", { class: "text" }, r.text ?? ""),
      ),
    ),
  );
  openDialog({
    title: t("message.revisions"),
    body: [list.childElementCount > 0 ? list : h("p", null, t("message.noRevisions"))],
    testid: "revisions-dialog",
    cancel: false,
  });
}

/** @param {Message} message */
function problem(message) {
  const uncertain = message.delivery === "UNCERTAIN";
  const text = message.text?.plain ?? "";
  const again = () => {
    const conversationId = message.conversationId ?? "";
    if ((message.attachments ?? []).length > 0) {
      toast({ text: t("message.attachAgain") });
      // A template's words are none that could be sent as one's own.
      if (message.template) return;
      dispatch({ type: "draft", id: conversationId, text });
      return refill(message.buttons);
    }
    const { replyToMessageId = "", buttons, template } = message;
    send(conversationId, { note: false, text, uploads: [], replyToMessageId, buttons, template });
  };
  return h(
    "div",
    { class: "problem" },
    icon(uncertain ? "question" : "warning"),
    h("span", null, uncertain ? t("delivery.uncertainText") : message.deliveryError || t("delivery.failedText")),
    h(
      "button",
      { type: "button", class: "link", onclick: again, "data-testid": "retry" },
      uncertain ? t("sendAgain") : t("retry"),
    ),
  );
}

/** @param {PendingMessage} pending @param {Message | undefined} quoted */
export function drawPending(pending, quoted) {
  const failed = pending.status === "failed";
  return h(
    "div",
    {
      class: `message first ${pending.note ? "note" : "out"} pending${failed ? " failed" : ""}`,
      "data-testid": "message-pending",
      "data-status": pending.status,
    },
    h(
      "div",
      { class: "bubble" },
      pending.note && h("div", { class: "bubble-label" }, icon("lock"), t("note.label")),
      pending.replyToMessageId && quote(quoted),
      ...pending.uploads.map((u) =>
        h(
          "p",
          { class: "chip" },
          icon("file"),
          h("span", { class: "chip-name" }, u.fileName),
          h("small", null, sizeText(u.sizeBytes)),
        ),
      ),
      pending.text && h("p", { class: "text", dir: "auto" }, pending.text),
      pills(pending.buttons),
      h(
        "div",
        { class: "bubble-foot" },
        h("time", null, timeText(pending.createdAt)),
        icon(failed ? "warning" : "clock", t(failed ? "delivery.FAILED" : "delivery.sending")),
      ),
    ),
    failed &&
      h(
        "div",
        { class: "problem" },
        icon("warning"),
        h("span", null, pending.error ?? ""),
        h(
          "button",
          { type: "button", class: "link", onclick: () => retry(pending.clientId), "data-testid": "retry" },
          t("retry"),
        ),
        h("button", { type: "button", class: "link", onclick: () => discard(pending) }, t("discard")),
      ),
  );
}

/** Back into the composer, so that nothing written is lost. @param {PendingMessage} pending */
function discard(pending) {
  dispatch({ type: "sendDropped", clientId: pending.clientId });
  // A template's words are none that could be sent as one's own.
  if (pending.note || !pending.text || pending.template) return;
  dispatch({ type: "draft", id: pending.conversationId, text: pending.text });
  refill(pending.buttons);
}

/** Shows the draft, and what was to be pressed. @param {string[] | undefined} answers */
function refill(answers) {
  document.querySelector("sb-composer")?.dispatchEvent(new CustomEvent("sb-refill", { detail: answers }));
}
