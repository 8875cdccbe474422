// What could not be processed: look at it, try it again.

import { toastError } from "./actions.js";
import { call } from "./api.js";
import { getState } from "./app.js";
import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { momentText, t } from "./i18n.js";
import { Page, table } from "./page.js";
import { toast } from "./toasts.js";

/** @import { DeadLetter, ListDeadLettersResponse } from "./types/api.js" */

class DeadLetters extends Page {
  start() {
    this.frame(t("page.deadLetters"), t("deadLetters.text"));
    /** @type {DeadLetter[]} */
    this.letters = [];
    this.token = "";
    this.#read(false);
  }

  /** @param {boolean} more */
  #read(more) {
    void this.load(
      () => call("Admin/ListDeadLetters", { pageSize: 50, pageToken: more ? this.token : undefined }),
      (/** @type {ListDeadLettersResponse} */ answer) => {
        this.letters = [...(more ? (this.letters ?? []) : []), ...(answer.deadLetters ?? [])];
        this.token = answer.nextPageToken ?? "";
        this.#draw();
      },
      more,
    );
  }

  #draw() {
    const letters = this.letters ?? [];
    if (letters.length === 0) {
      this.showEmpty("check", t("deadLetters.none"), t("deadLetters.none.text"));
      return;
    }
    const { lines } = getState();
    this.show(
      table(
        t("page.deadLetters"),
        [t("deadLetters.at"), t("lines.name"), t("deadLetters.error"), t("deadLetters.attempts"), t("table.actions")],
        letters.map((d) => [
          momentText(d.receivedAt),
          lines[d.lineId ?? ""]?.displayName || d.lineId || "—",
          h("span", { class: "wrap" }, d.error ?? ""),
          h("span", { class: "number" }, d.attempts ?? 0),
          h(
            "span",
            { class: "cell-buttons" },
            h(
              "button",
              {
                type: "button",
                class: "button small",
                onclick: () => void this.#open(d),
                "data-testid": "open-dead-letter",
              },
              t("deadLetters.show"),
            ),
            h(
              "button",
              { type: "button", class: "button small", onclick: () => void this.#replay(d), "data-testid": "replay" },
              t("deadLetters.replay"),
            ),
          ),
        ]),
        "dead-letters-table",
      ),
      this.token && h("button", { type: "button", class: "button", onclick: () => this.#read(true) }, t("more")),
    );
  }

  /** @param {DeadLetter} letter */
  async #open(letter) {
    try {
      const { raw = "", eventKey = "", error = "" } = await call("Admin/GetDeadLetter", { id: letter.id });
      const bytes = Uint8Array.from(atob(raw), (char) => char.charCodeAt(0));
      openDialog({
        title: t("deadLetters.title", { name: letter.id }),
        wide: "wide",
        testid: "dead-letter-dialog",
        cancel: false,
        body: [
          h("p", null, error),
          eventKey && h("p", { class: "muted" }, eventKey),
          h("pre", { class: "raw", tabindex: "0" }, new TextDecoder().decode(bytes)),
        ],
      });
    } catch (error) {
      toastError(error);
    }
  }

  /** @param {DeadLetter} letter */
  async #replay(letter) {
    try {
      await call("Admin/ReplayDeadLetter", { id: letter.id });
      this.letters = (this.letters ?? []).filter((d) => d !== letter);
      this.#draw();
      toast({ text: t("done.replayed") });
    } catch (error) {
      toastError(error);
    }
  }
}
customElements.define("sb-dead-letters", DeadLetters);
