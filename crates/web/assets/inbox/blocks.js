// Who is kept out.

import { toastError } from "./actions.js";
import { call, clientId } from "./api.js";
import { getState } from "./app.js";
import { confirmDanger } from "./dialog.js";
import { h } from "./dom.js";
import { momentText, t } from "./i18n.js";
import { Page, table } from "./page.js";
import { kindName, operatorName } from "./parts.js";

/** @import { Block, ListBlocksResponse } from "./types/api.js" */

class Blocks extends Page {
  start() {
    this.frame(t("page.blocks"), t("blocks.text"));
    /** @type {Block[]} */
    this.blocks = [];
    this.token = "";
    this.#read(false);
  }

  /** @param {boolean} more */
  #read(more) {
    void this.load(
      () => call("Inbox/ListBlocks", { pageSize: 100, pageToken: more ? this.token : undefined }),
      (/** @type {ListBlocksResponse} */ answer) => {
        this.blocks = [...(more ? (this.blocks ?? []) : []), ...(answer.blocks ?? [])];
        this.token = answer.nextPageToken ?? "";
        this.#draw();
      },
      more,
    );
  }

  #draw() {
    const state = getState();
    const blocks = this.blocks ?? [];
    if (blocks.length === 0) {
      this.showEmpty("block", t("blocks.none"), t("blocks.none.text"));
      return;
    }
    this.show(
      table(
        t("page.blocks"),
        [t("blocks.identity"), t("blocks.reason"), t("blocks.by"), t("blocks.at"), t("table.actions")],
        blocks.map((b) => [
          h(
            "span",
            null,
            h("small", { class: "muted" }, `${kindName(state, b.identity?.kind)} `),
            h("b", null, b.identity?.value ?? ""),
          ),
          b.reason || "—",
          b.operatorId ? operatorName(state.operators[b.operatorId]) : "—",
          momentText(b.blockedAt),
          h(
            "button",
            { type: "button", class: "button small", onclick: () => void this.#unblock(b), "data-testid": "unblock" },
            t("unblock"),
          ),
        ]),
        "blocks-table",
      ),
      this.token && h("button", { type: "button", class: "button", onclick: () => this.#read(true) }, t("more")),
    );
  }

  /** @param {Block} entry */
  async #unblock(entry) {
    if (
      !entry.identity ||
      !(await confirmDanger(
        t("unblock"),
        t("blocks.unblockText", { name: entry.identity.value ?? "" }),
        t("unblock"),
        "unblock-dialog",
      ))
    )
      return;
    try {
      await call("Inbox/UnblockIdentity", { identity: entry.identity, clientId: clientId() });
      this.blocks = (this.blocks ?? []).filter((b) => b !== entry);
      this.#draw();
    } catch (error) {
      toastError(error);
    }
  }
}
customElements.define("sb-blocks", Blocks);
