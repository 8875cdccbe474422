// A letter to somebody who did not write yet: it begins a conversation.

import { startLetter } from "./actions.js";
import { getState } from "./app.js";
import { ask, field } from "./dialog.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { goToConversation } from "./route.js";

/** @import { State } from "./types/state.js" */

/** The lines that letters can be begun by. @param {State} state */
export const letterLines = (state) =>
  Object.values(state.lines).filter((l) => l.medium === "EMAIL" && l.capabilities?.includes("write_first"));

/**
 * Asks whom to write to and about what; the words are written in the conversation.
 *
 * @param {{ line?: string, address?: string, subject?: string }} [before] what was asked for in vain
 */
export async function newLetter(before = {}) {
  const lines = letterLines(getState());
  const line = h(
    "select",
    { name: "line", "data-testid": "new-letter-line" },
    lines.map((l) => h("option", { value: l.id, selected: l.id === before.line }, l.displayName || l.id)),
  );
  const address = h("input", {
    name: "address",
    type: "text",
    inputmode: "email",
    autocomplete: "off",
    required: true,
    value: before.address ?? "",
    "data-testid": "new-letter-to",
  });
  const subject = h("input", {
    name: "subject",
    type: "text",
    autocomplete: "off",
    dir: "auto",
    value: before.subject ?? "",
    "data-testid": "new-letter-subject",
  });
  const answer = await ask({
    title: t("letter.new"),
    body: [
      field(t("letter.to"), address),
      field(t("letter.subject"), subject),
      field(t("letter.line"), line),
    ],
    submit: t("letter.begin"),
    testid: "new-letter",
  });
  if (!answer) return;
  const said = (/** @type {string} */ name) => String(answer.get(name) ?? "").trim();
  const wanted = { line: said("line"), address: said("address"), subject: said("subject") };
  const begun = await startLetter(wanted.line, wanted.address, wanted.subject);
  if (begun) goToConversation(begun.id);
  else void newLetter(wanted);
}
