// Finishing up after a conversation: the time that is left, the verdict, the end.

/** @import { Conversation } from "./types/api.js" */
/** @import { State } from "./types/state.js" */

import { finish, take } from "./actions.js";
import { getState } from "./app.js";
import { everySecond, serverNow } from "./clock.js";
import { el, h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { goToConversation } from "./route.js";
import { queueOf } from "./states.js";

// The verdict that is chosen, but was not sent, goes so long before the time is over.
const LAST_MOMENT_MS = 1_500;

/** What was chosen and not sent yet, by conversation. @type {Map<string, string>} */
const chosen = new Map();
/** Those whose last moment has come. @type {Set<string>} */
const sent = new Set();

/** @param {State} state @param {Conversation | undefined} c */
export function isFinishingUp(state, c) {
  return c?.state === "WRAPPING_UP" && c.operatorId === state.me?.id;
}

/** Whether there is time to finish up after this. @param {State} state @param {Conversation} c */
export function hasWrapUp(state, c) {
  return (queueOf(state, c.queueId)?.wrapUp ?? "off") !== "off";
}

/** Finishes, and leaves the thread when nothing is left to do there. @param {Conversation} c @param {string} disposition */
export async function finishAndLeave(c, disposition) {
  const after = await finish(c.id, disposition, false);
  if (after?.state !== "CLOSED") return;
  chosen.delete(c.id);
  if (getState().selectedId === c.id && getState().folder !== "ENDED") goToConversation("");
}

/** Says that the operator is done, with the verdict that is chosen. @param {Conversation} c */
export function done(c) {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector(`form[data-wrap-up="${c.id}"]`));
  if (form) form.requestSubmit();
  else void finishAndLeave(c, chosen.get(c.id) ?? "");
}

// A verdict that was chosen is not lost because the button was not pressed in time.
everySecond(() => {
  const state = getState();
  for (const [id, disposition] of chosen) {
    const c = state.conversations[id];
    if (!isFinishingUp(state, c)) {
      chosen.delete(id);
      sent.delete(id);
      continue;
    }
    const left = Date.parse(c.stateUntil ?? "") - serverNow();
    if (disposition === "" || disposition === c.disposition || left > LAST_MOMENT_MS || sent.has(id)) continue;
    sent.add(id);
    // The operator stays where they are.
    void finish(id, disposition, false);
  }
});

/** @param {State} state @param {Conversation} c */
export function wrapUpStrip(state, c) {
  const queue = queueOf(state, c.queueId);
  const fixed = queue?.wrapUp === "fixed";
  const list = queue?.dispositions ?? [];
  const required = Boolean(queue?.dispositionRequired) && !c.disposition;
  const now = chosen.get(c.id) ?? c.disposition ?? "";
  const keep = (/** @type {Event} */ event) =>
    chosen.set(c.id, /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target).value.trim());
  const props = {
    name: "disposition",
    "aria-label": t("wrap.disposition"),
    "data-testid": "wrap-disposition",
    required,
  };
  const verdict =
    list.length > 0
      ? h(
          "select",
          { ...props, onchange: keep },
          h("option", { value: "" }, t(required ? "wrap.choose" : "wrap.none")),
          list.map((text) => h("option", { value: text, selected: text === now }, text)),
        )
      : h("input", { ...props, value: now, maxlength: 100, placeholder: t("wrap.disposition"), oninput: keep });
  return h(
    "form",
    {
      class: "strip wrap-up",
      "data-testid": "wrap-up",
      "data-wrap-up": c.id,
      onsubmit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        void finishAndLeave(c, verdict.value.trim());
      },
    },
    icon("edit"),
    h("b", null, t("wrap.title")),
    h(
      "span",
      { class: "wrap-left", title: t("wrap.left") },
      icon("clock"),
      h("span", { class: "sr" }, `${t("wrap.left")}: `),
      el("sb-timer", { until: c.stateUntil ?? "", "data-testid": "wrap-left" }),
    ),
    h("span", { class: "wrap-text" }, t(fixed ? "wrap.fixed" : "wrap.text")),
    h(
      "span",
      { class: "wrap-acts" },
      verdict,
      h(
        "button",
        { type: "button", class: "button small", onclick: () => void take(c.id), "data-testid": "wrap-go-on" },
        t("wrap.goOn"),
      ),
      h(
        "button",
        { class: "button small primary", "data-testid": "wrap-done" },
        icon("check"),
        t(fixed ? "wrap.keep" : "wrap.done"),
      ),
    ),
  );
}
