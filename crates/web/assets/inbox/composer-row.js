// The row below what is written: what goes along with it, and what sends it.

import { listButton } from "./composer-lists.js";
import { drawSend } from "./composer-modes.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { iconButton } from "./menu.js";
import { can } from "./selectors.js";

/** @import { Conversation } from "./types/api.js" */
/** @import { State } from "./types/state.js" */
/** @import { Suggest } from "./suggest.js" */

export class ComposerRow {
  /**
   * @param {Suggest} lists
   * @param {{ add: (files: FileList) => void, answers: () => void, template: () => void, send: () => void }} acts
   */
  constructor(lists, acts) {
    const picker = h("input", {
      type: "file",
      multiple: true,
      hidden: true,
      "data-testid": "file-input",
      onchange: () => {
        if (picker.files) acts.add(picker.files);
        picker.value = "";
        lists.text.focus();
      },
    });
    this.attach = iconButton("attach", t("composer.attach"), {
      onclick: () => picker.click(),
      "data-testid": "attach",
    });
    this.mention = listButton(lists, "@");
    this.answers = iconButton("answers", t("answers.offer"), {
      onclick: acts.answers,
      "data-testid": "offer-answers",
    });
    this.template = iconButton("approved", t("template.send"), {
      onclick: acts.template,
      "aria-haspopup": "dialog",
      "data-testid": "send-template",
    });
    this.count = h("span", { class: "length", hidden: true });
    this.send = h("button", { type: "button", class: "button send", onclick: acts.send, "data-testid": "send" });
    this.node = h(
      "div",
      { class: "composer-bottom" },
      picker,
      this.attach,
      listButton(lists, "/"),
      this.mention,
      this.answers,
      this.template,
      this.count,
      h("span", { class: "grow" }),
      this.send,
    );
  }

  /**
   * Shows what can be done on the line.
   *
   * @param {State} state
   * @param {Conversation | undefined} c
   * @param {boolean} note
   * @param {boolean} offering whether answers are being typed
   */
  draw(state, c, note, offering) {
    const able = (/** @type {string} */ capability) => !note && can(state, c, capability);
    this.attach.hidden = !able("files");
    this.answers.hidden = !able("buttons");
    this.answers.setAttribute("aria-expanded", String(offering));
    this.template.hidden = !able("templates");
    this.mention.hidden = !note;
    drawSend(this.send, note);
  }
}
