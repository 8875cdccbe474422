// An approved wording for a client who may be written to in no other words: chosen,
// filled, sent.

import { send } from "./actions.js";
import { call } from "./api.js";
import { getState } from "./app.js";
import { openDialog } from "./dialog.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { channelName, empty, failed, skeleton } from "./parts.js";
import { errorText } from "./refusals.js";
import { conversation } from "./selectors.js";
import { TemplateForm, categoryName, languageName, templateTags } from "./template-form.js";
import { filled, findTemplates, sample } from "./templates.js";

/** @import { Template } from "./types/api.js" */

/** More are found by their words. */
const SHOWN_MAX = 100;

/**
 * Lets the operator send a template in a conversation.
 *
 * @param {string} id of the conversation
 * @returns {Promise<boolean>} whether it went
 */
export function templateDialog(id) {
  return new TemplateDialog(id).sent;
}

/** What a template is called. @param {Template} template @param {import("./dom.js").Child} [more] */
const head = (template, more) =>
  h("span", { class: "template-top" }, h("b", null, template.name), ...templateTags(template), more);

class TemplateDialog {
  /** @param {string} id */
  constructor(id) {
    const state = getState();
    const c = conversation(state, id);
    this.id = id;
    this.line = state.lines[c?.lineId ?? ""];
    this.locale = state.contacts[c?.contact?.id ?? ""]?.profile?.locale ?? "";
    /** @type {Template[]} */
    this.templates = [];
    /** @type {TemplateForm | null} */
    this.form = null;
    this.search = h("input", {
      type: "search",
      autocomplete: "off",
      "aria-label": t("template.search"),
      placeholder: t("template.search"),
      "data-testid": "template-search",
      oninput: () => this.#draw(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.#searchKey(event),
    });
    this.list = h("div", { class: "template-list" });
    this.status = h("p", { class: "hint", role: "status" });
    this.page = h("div", { class: "template-page" }, this.search);
    this.submit = h(
      "button",
      { class: "button primary", "data-testid": "template-submit" },
      icon("send"),
      t("composer.send"),
    );
    const { dialog, form, closed } = openDialog({
      title: t("template.send"),
      testid: "template-dialog",
      wide: "template-dialog",
      buttons: [this.submit],
      body: [this.page],
    });
    this.dialog = dialog;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.sent = closed.then((how) => {
      this.form?.uploads.clear();
      return how === "sent";
    });
    void this.#load();
  }

  async #load() {
    this.#show(skeleton(4));
    try {
      const { templates = [] } = await call("Inbox/ListTemplates", { lineId: this.line?.id ?? "" });
      this.templates = templates;
      if (this.dialog.isConnected) this.#choose();
    } catch (error) {
      if (this.dialog.isConnected) this.#show(failed(errorText(error), () => void this.#load()));
    }
  }

  /** @param {...HTMLElement} nodes */
  #show(...nodes) {
    replace(this.page, ...nodes);
    this.submit.hidden = this.form === null;
  }

  /** The list, to choose from. */
  #choose() {
    this.form?.uploads.clear();
    this.form = null;
    if (this.templates.length === 0) {
      const channel = channelName(getState(), this.line?.id);
      this.#show(empty("approved", t("template.none"), t("template.noneText", { name: channel })));
      return;
    }
    this.#show(this.search, this.list, this.status);
    this.#draw();
    this.search.focus();
  }

  #draw() {
    const also = (/** @type {Template} */ one) => `${languageName(one)} ${categoryName(one)}`;
    const found = findTemplates(this.templates, this.search.value, this.locale, also);
    replace(this.list, found.slice(0, SHOWN_MAX).map((one) => this.#row(one)));
    const { length: n } = found;
    if (n === 0) replace(this.status, t("template.notFound"));
    else replace(this.status, n > SHOWN_MAX ? t("template.more", { n: SHOWN_MAX }) : t("template.count", { n }));
  }

  /** @param {Template} template */
  #row(template) {
    return h(
      "button",
      {
        type: "button",
        class: "template-choice",
        "data-testid": "template-choice",
        onclick: () => this.#fill(template),
        onkeydown: (/** @type {KeyboardEvent} */ event) => this.#listKey(event),
      },
      head(template, template.takesFile && icon("attach", t("template.withFile"))),
      h("span", { class: "template-words", dir: "auto" }, sample(template)),
    );
  }

  /** The form of one. @param {Template} template */
  #fill(template) {
    const back = h(
      "button",
      { type: "button", class: "link template-back", onclick: () => this.#choose(), "data-testid": "template-back" },
      icon("back"),
      t("template.others"),
    );
    const form = new TemplateForm(
      template,
      () => Number(this.line?.attachmentBytesMax ?? 0),
      () => this.#ready(),
    );
    this.form = form;
    this.#show(back, head(template), form.node);
    this.#ready();
    if (!form.focus()) this.submit.focus();
  }

  #ready() {
    this.submit.disabled = !this.form?.whole;
  }

  #send() {
    const { form } = this;
    if (!form?.whole) return;
    const { template, values, uploads } = form;
    send(this.id, {
      note: false,
      text: filled(template.text ?? "", values),
      uploads: uploads.results,
      replyToMessageId: "",
      buttons: template.buttons,
      template: { name: template.name, language: template.language, values },
    });
    this.dialog.close("sent");
  }

  /** @param {KeyboardEvent} event */
  #searchKey(event) {
    const first = /** @type {HTMLElement | null} */ (this.list.firstElementChild);
    if (event.code === "Enter" || event.code === "NumpadEnter") first?.click();
    else if (event.code === "ArrowDown") first?.focus();
    else return;
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  #listKey(event) {
    const row = /** @type {HTMLElement} */ (event.currentTarget);
    const to = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling ?? this.search }[event.code];
    if (!(to instanceof HTMLElement)) return;
    event.preventDefault();
    to.focus();
  }
}
