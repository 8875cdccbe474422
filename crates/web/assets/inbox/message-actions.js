// What one may do with a message: answer it, react, copy, change, take it back.

import { deleteMessage, editMessage, react } from "./actions.js";
import { ask, confirmDanger, field } from "./dialog.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { iconButton, withMenu } from "./menu.js";
import { can, mayWrite } from "./selectors.js";

/** @import { Conversation, Message } from "./types/api.js" */
/** @import { State } from "./types/state.js" */

const EMOJI = ["👍", "❤️", "😊", "🙏", "😮", "✅"];

/**
 * @param {State} state
 * @param {Message} message
 * @param {Conversation | undefined} open
 * @param {boolean} mine
 */
export function messageActions(state, message, open, mine) {
  if (message.deletedAt || !open) return false;
  const writable = mayWrite(state, open) && message.conversationId === open.id;
  const text = message.text?.plain ?? "";
  const reply = () =>
    document.querySelector("sb-composer")?.dispatchEvent(new CustomEvent("sb-reply", { detail: message }));
  /** @param {import("./letter-fields.js").Mode} mode */
  const letter = (mode) =>
    document.querySelector("sb-composer")?.dispatchEvent(new CustomEvent("sb-letter", { detail: { message, mode } }));
  /** @type {[import("./letter-fields.js").Mode, import("./i18n.js").Key, "reply" | "people" | "transfer"][]} */
  const answers = [
    ["reply", "letter.reply", "reply"],
    ["replyAll", "letter.replyAll", "people"],
    ["forward", "letter.forward", "transfer"],
  ];
  /** @returns {import("./menu.js").MenuItem[]} */
  const more = () => [
    ...(writable && message.letter
      ? answers.map(([mode, label, name]) => ({
          label: t(label),
          icon: name,
          testid: `letter-${mode}`,
          run: () => letter(mode),
        }))
      : []),
    ...(writable && message.direction !== "NOTE" && !message.letter
      ? [{ label: t("message.reply"), icon: /** @type {const} */ ("reply"), run: reply }]
      : []),
    ...(text
      ? [
          {
            label: t("message.copy"),
            icon: /** @type {const} */ ("copy"),
            run: () => void navigator.clipboard?.writeText(text),
          },
        ]
      : []),
    ...(writable && mine && message.direction === "OUTBOUND" && can(state, open, "edit") && text
      ? [{ label: t("message.edit"), icon: /** @type {const} */ ("edit"), run: () => void askEdit(message) }]
      : []),
    ...(mine && message.direction === "NOTE" && message.conversationId === open.id
      ? [
          {
            label: t("message.deleteNote"),
            icon: /** @type {const} */ ("trash"),
            danger: true,
            separated: true,
            testid: "delete-note",
            run: () => void askDelete(message),
          },
        ]
      : []),
    ...(writable && mine && message.direction === "OUTBOUND" && can(state, open, "delete")
      ? [
          {
            label: t("message.delete"),
            icon: /** @type {const} */ ("trash"),
            danger: true,
            separated: true,
            run: () => void askDelete(message),
          },
        ]
      : []),
  ];
  const mayReact = writable && message.direction === "INBOUND" && can(state, open, "react");
  if (!mayReact && more().length === 0) return false;
  return h(
    "div",
    { class: "message-actions" },
    mayReact &&
      withMenu(
        iconButton("smile", t("message.react")),
        () => {
          const own = message.reactions?.find((r) => r.operatorId === state.me?.id)?.emoji ?? "";
          return EMOJI.map((emoji) => ({
            label: emoji,
            checked: emoji === own,
            run: () => void react(message.id, emoji === own ? "" : emoji),
          }));
        },
        "emoji",
      ),
    more().length > 0 && withMenu(iconButton("more", t("message.more"), { "data-testid": "message-more" }), more),
  );
}

/** @param {Message} message */
async function askEdit(message) {
  const text = h("textarea", { name: "text", rows: 5, required: true });
  text.value = message.text?.plain ?? "";
  const data = await ask({
    title: t("message.edit"),
    body: [field(t("composer.text"), text)],
    submit: t("save"),
    testid: "edit-dialog",
  });
  const changed = String(data?.get("text") ?? "").trim();
  if (data && changed && changed !== message.text?.plain) await editMessage(message.id, changed);
}

/** @param {Message} message */
async function askDelete(message) {
  const note = message.direction === "NOTE";
  const title = t(note ? "message.deleteNote" : "message.delete");
  const text = t(
    !note ? "message.deleteText" : message.mentions?.length ? "message.deleteMention" : "message.deleteNoteText",
  );
  if (await confirmDanger(title, text, title, "delete-dialog")) await deleteMessage(message.id);
}
