// One canned reply: its words, its variables as a client would read them, whom it is for.

import { call, clientId } from "./api.js";
import { getState } from "./app.js";
import { checkbox, errorBox, field, openDialog, showError } from "./dialog.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { iconButton } from "./menu.js";
import { errorText } from "./refusals.js";
import { isSupervisor } from "./selectors.js";
import { type } from "./suggest.js";
import { VARIABLES, parts } from "./variables.js";

/** @import { CannedReply } from "./types/api.js" */
/** @import { State } from "./types/state.js" */
/** @import { Values } from "./variables.js" */

const TEXT_LENGTH_MAX = 16_000;
const VARIANTS_MAX = 20;

/** @param {State} state @param {CannedReply} one */
export function mayChange(state, one) {
  return one.personal === true || isSupervisor(state);
}

/** Somebody to show a text with. @returns {Values} */
function sample() {
  const state = getState();
  const [firstQueue] = state.queueIds.map((id) => state.queues[id]);
  const [firstLine] = Object.values(state.lines);
  return {
    "client.name": t("replies.sampleName"),
    "client.first_name": t("replies.sampleFirst"),
    "operator.name": state.me?.displayName ?? "",
    "queue.name": firstQueue?.displayName || firstQueue?.id || "",
    "line.name": firstLine?.displayName || firstLine?.id || "",
    "conversation.id": "1024",
  };
}

/** @param {HTMLElement} box @param {string} text */
function preview(box, text) {
  const found = parts(text, sample());
  replace(
    box,
    found.map((part) =>
      part.kind === "plain" ? part.text : h("mark", { class: `variable ${part.kind}` }, part.text || "∅"),
    ),
  );
  return found.filter((part) => part.kind === "unknown" || part.kind === "empty").map((part) => part.text);
}

/** A canned reply that one may use but not change. @param {CannedReply} one */
export function showReply(one) {
  const all = [{ locale: "", text: one.text }, ...(one.variants ?? [])];
  openDialog({
    title: one.title ?? "",
    testid: "reply-dialog",
    cancel: false,
    body: all.map(({ locale, text }) => {
      const box = h("div", { class: "reply-preview", dir: "auto" });
      preview(box, text ?? "");
      return h("div", { class: "field" }, locale && h("b", null, locale), box);
    }),
  });
}

/**
 * Asks for a canned reply and saves it.
 *
 * @param {CannedReply | null} one null makes a new one
 * @returns {Promise<boolean>} whether it was saved
 */
export async function editReply(one) {
  const state = getState();
  const supervisor = isSupervisor(state);
  const shortcut = h("input", {
    name: "shortcut",
    required: true,
    maxlength: 33,
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    "data-testid": "reply-shortcut",
  });
  shortcut.value = one?.shortcut ?? "";
  const title = h("input", { name: "title", required: true, maxlength: 100, "data-testid": "reply-title" });
  title.value = one?.title ?? "";
  const text = words("reply-text", one?.text ?? "");
  const whose = h(
    "select",
    { name: "whose", "data-testid": "reply-whose" },
    h("option", { value: "shared" }, t("replies.shared")),
    h("option", { value: "own" }, t("replies.onlyMe")),
  );
  whose.value = one ? (one.personal ? "own" : "shared") : supervisor ? "shared" : "own";
  const queues = queueChoices(state, one?.queueIds ?? []);
  const others = variants(one?.variants ?? []);
  const box = errorBox("reply-error");
  const submit = h("button", { type: "submit", class: "button primary", "data-testid": "reply-submit" }, t("save"));
  const { dialog, form, closed } = openDialog({
    title: t(one ? "replies.edit" : "replies.add"),
    testid: "reply-dialog",
    wide: "reply-edit",
    buttons: [submit],
    body: [
      box,
      h(
        "div",
        { class: "field-pair" },
        field(t("replies.shortcut"), shortcut, t("replies.shortcutHint")),
        field(t("replies.title"), title),
      ),
      text.node,
      others.node,
      supervisor && field(t("replies.for"), whose),
      queues.node,
    ],
  });
  (one ? text.area : shortcut).focus();
  let attempt = { content: "", clientId: "" };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    showError(box, "");
    submit.disabled = true;
    try {
      const cannedReply = {
        id: one?.id,
        version: one?.version,
        shortcut: shortcut.value,
        title: title.value,
        text: text.area.value,
        personal: whose.value === "own",
        queueIds: queues.chosen(),
        variants: others.all(),
      };
      // The same content again is the same call: a lost answer doubles nothing.
      const content = JSON.stringify(cannedReply);
      if (attempt.content !== content) attempt = { content, clientId: clientId() };
      await call("Admin/SaveCannedReply", { cannedReply, clientId: attempt.clientId });
      dialog.close("saved");
    } catch (error) {
      showError(box, errorText(error));
      box.scrollIntoView({ block: "nearest" });
    } finally {
      submit.disabled = false;
    }
  });
  return (await closed) === "saved";
}

/** A text with buttons for the variables and a preview. @param {string} testid @param {string} value */
function words(testid, value) {
  const area = h("textarea", {
    rows: 5,
    required: true,
    maxlength: TEXT_LENGTH_MAX,
    dir: "auto",
    "data-testid": testid,
  });
  area.value = value;
  const shown = h("div", { class: "reply-preview", dir: "auto", "data-testid": `${testid}-preview` });
  const wrong = h("p", { class: "hint late", role: "status", hidden: true, "data-testid": `${testid}-wrong` });
  const draw = () => {
    const unknown = preview(shown, area.value);
    wrong.hidden = unknown.length === 0;
    replace(wrong, unknown.length > 0 && icon("warning"), t("replies.unknown", { name: unknown.join(" ") }));
    shown.hidden = area.value === "";
  };
  area.addEventListener("input", draw);
  draw();
  const chips = h(
    "div",
    { class: "variables", role: "group", "aria-label": t("replies.variables") },
    VARIABLES.map((name) =>
      h(
        "button",
        {
          type: "button",
          class: "variable-chip",
          "data-testid": `variable-${name}`,
          onclick: () => {
            area.focus();
            type(area, name.startsWith("client.") ? `{{${name}|${t("replies.sampleFallback")}}}` : `{{${name}}}`);
          },
        },
        t(`variable.${name}`),
      ),
    ),
  );
  const node = h("div", { class: "reply-words" }, field(t("composer.text"), area), chips, shown, wrong);
  return { area, node };
}

/** @param {{ locale?: string, text?: string }[]} known */
function variants(known) {
  /** @type {{ locale: HTMLInputElement, area: HTMLTextAreaElement, node: HTMLElement }[]} */
  const rows = [];
  const list = h("div", { class: "reply-variants" });
  const more = h(
    "button",
    { type: "button", class: "link", onclick: () => add("", "").locale.focus(), "data-testid": "add-variant" },
    t("replies.addLanguage"),
  );
  /** @param {string} locale @param {string} text */
  const add = (locale, text) => {
    const tag = h("input", { required: true, maxlength: 35, autocomplete: "off", "data-testid": "variant-locale" });
    tag.value = locale;
    const { area, node } = words("variant-text", text);
    const remove = iconButton("trash", t("replies.removeLanguage"), {
      onclick: () => {
        rows.splice(rows.indexOf(row), 1);
        row.node.remove();
        more.hidden = false;
      },
    });
    const row = {
      locale: tag,
      area,
      node: h(
        "fieldset",
        { class: "reply-variant" },
        h("div", { class: "with-remove" }, field(t("replies.language"), tag, t("replies.languageHint")), remove),
        node,
      ),
    };
    rows.push(row);
    list.append(row.node);
    more.hidden = rows.length >= VARIANTS_MAX;
    return row;
  };
  for (const one of known) add(one.locale ?? "", one.text ?? "");
  return {
    node: h("div", { class: "reply-languages" }, list, more),
    all: () => rows.map(({ locale, area }) => ({ locale: locale.value, text: area.value })),
  };
}

/** @param {State} state @param {string[]} chosen */
function queueChoices(state, chosen) {
  const known = [...state.queueIds.map((id) => state.queues[id]), ...state.otherQueues];
  const ids = [...new Set([...known.map((queue) => queue.id), ...chosen])];
  const boxes = ids.map((id) => {
    const label = checkbox(known.find((queue) => queue.id === id)?.displayName || id, {
      value: id,
      checked: chosen.includes(id),
      "data-testid": "reply-queue",
    });
    return label;
  });
  return {
    node: h(
      "fieldset",
      { class: "choices" },
      h("legend", null, t("replies.queues")),
      h("p", { class: "hint" }, t("replies.queuesHint")),
      h("div", { class: "reply-queues" }, boxes),
    ),
    chosen: () =>
      boxes
        .map((label) => /** @type {HTMLInputElement} */ (label.querySelector("input")))
        .filter((one) => one.checked)
        .map((one) => one.value),
  };
}
