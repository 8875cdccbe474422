// Who did what, and whether anybody touched the log of it.

import { toastError } from "./actions.js";
import { call } from "./api.js";
import { getState } from "./app.js";
import { field } from "./dialog.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { momentText, t } from "./i18n.js";
import { Page, table } from "./page.js";
import { operatorName } from "./parts.js";
import { toast } from "./toasts.js";

/** @import { AuditEntry, ListAuditResponse, VerifyAuditResponse } from "./types/api.js" */
/** @import { Key } from "./i18n.js" */

/** What an act is called. @type {Record<string, Key>} */
const ACTS = {
  sign_in: "audit.did.sign_in",
  "sign_in.fail": "audit.did.sign_in.fail",
  sign_out: "audit.did.sign_out",
  "session.end": "audit.did.session.end",
  set_up: "audit.did.set_up",
  "password.change": "audit.did.password.change",
  "operator.add": "audit.did.operator.add",
  "operator.change": "audit.did.operator.change",
  "operator.password": "audit.did.operator.password",
  "token.add": "audit.did.token.add",
  "token.revoke": "audit.did.token.revoke",
  "conversation.reassign": "audit.did.conversation.reassign",
  "conversation.move_to_front": "audit.did.conversation.move_to_front",
  "conversation.score": "audit.did.conversation.score",
  "obligation.waive": "audit.did.obligation.waive",
  "canned_reply.add": "audit.did.canned_reply.add",
  "canned_reply.change": "audit.did.canned_reply.change",
  "canned_reply.delete": "audit.did.canned_reply.delete",
  "presence.force": "audit.did.presence.force",
  "identity.block": "audit.did.identity.block",
  "identity.unblock": "audit.did.identity.unblock",
  "contacts.export": "audit.did.contacts.export",
  "contacts.import": "audit.did.contacts.import",
  "contact.erase": "audit.did.contact.erase",
  "configuration.reload": "audit.did.configuration.reload",
  "audit.read": "audit.did.audit.read",
  "dead_letter.read": "audit.did.dead_letter.read",
  "dead_letter.replay": "audit.did.dead_letter.replay",
  "webhook.suspend": "audit.did.webhook.suspend",
  "webhook.gone": "audit.did.webhook.gone",
  "webhook.resume": "audit.did.webhook.resume",
  "webhook.test": "audit.did.webhook.test",
};

/** How acts begin that belong together. @type {[string, Key][]} */
const GROUPS = [
  ["", "audit.group.all"],
  ["sign_", "audit.group.signIn"],
  ["operator.", "audit.group.operators"],
  ["token.", "audit.group.tokens"],
  ["conversation.", "audit.group.conversations"],
  ["contact", "audit.group.contacts"],
  ["configuration.", "audit.group.configuration"],
  ["webhook.", "audit.group.webhooks"],
];

/** @param {AuditEntry} entry */
function who(entry) {
  if (entry.operatorId) return operatorName(getState().operators[entry.operatorId]);
  return entry.tokenId ? t("audit.token", { id: entry.tokenId }) : t("audit.gateway");
}

class Audit extends Page {
  start() {
    /** @type {AuditEntry[]} */
    this.entries = [];
    this.token = "";
    this.chain = h("div", { class: "notice", role: "status", "data-testid": "audit-chain" }, t("audit.checking"));
    this.act = h(
      "select",
      { "data-testid": "audit-act", onchange: () => this.#read(false) },
      GROUPS.map(([value, key]) => h("option", { value }, t(key))),
    );
    const people = Object.values(getState().operators).sort((a, b) => operatorName(a).localeCompare(operatorName(b)));
    this.who = h(
      "select",
      { "data-testid": "audit-who", onchange: () => this.#read(false) },
      h("option", { value: "" }, t("audit.everybody")),
      people.map((operator) => h("option", { value: operator.id }, operatorName(operator))),
    );
    this.frame(t("page.audit"), t("audit.text"), field(t("audit.act"), this.act), field(t("audit.who"), this.who));
    this.#read(false);
    void this.#verify();
  }

  async #verify() {
    try {
      this.#drawChain(await call("Admin/VerifyAudit", {}));
    } catch (error) {
      toastError(error);
    }
  }

  /** @param {VerifyAuditResponse} verdict */
  #drawChain({ whole = false, entryCount = "0", seal = "", problem = "" }) {
    if (!this.chain) return;
    this.chain.className = whole ? "notice" : "form-error";
    this.chain.dataset.whole = String(whole);
    replace(
      this.chain,
      icon(whole ? "check" : "warning"),
      h(
        "div",
        null,
        h("b", null, whole ? t("audit.whole", { n: Number(entryCount) }) : t("audit.broken", { text: problem })),
        h("p", { class: "hint" }, `${t("audit.seal")}: `, h("code", { "data-testid": "audit-seal" }, seal)),
        h("p", { class: "hint" }, t("audit.sealHint")),
      ),
      h(
        "button",
        { type: "button", class: "button small", onclick: () => void this.#copy(seal), "data-testid": "copy-seal" },
        icon("copy"),
        t("audit.copy"),
      ),
    );
  }

  /** @param {string} seal */
  async #copy(seal) {
    try {
      await navigator.clipboard.writeText(seal);
      toast({ text: t("audit.copied") });
    } catch (error) {
      toastError(error);
    }
  }

  /** @param {boolean} more */
  #read(more) {
    const filter = { act: this.act?.value, operatorId: this.who?.value };
    void this.load(
      () => call("Admin/ListAudit", { ...filter, pageSize: 100, pageToken: more ? this.token : undefined }),
      (/** @type {ListAuditResponse} */ answer) => {
        this.entries = [...(more ? (this.entries ?? []) : []), ...(answer.entries ?? [])];
        this.token = answer.nextPageToken ?? "";
        this.#draw();
      },
      more,
    );
  }

  #draw() {
    const entries = this.entries ?? [];
    if (entries.length === 0) {
      this.showEmpty("lock", t("audit.none"), t("audit.none.text"));
      return;
    }
    this.show(
      this.chain,
      table(
        t("page.audit"),
        [t("audit.at"), t("audit.who"), t("audit.act"), t("audit.subject"), t("audit.detail")],
        entries.map((entry) => {
          const key = ACTS[entry.act ?? ""];
          return [
            h("time", { datetime: entry.at ?? "" }, momentText(entry.at)),
            who(entry),
            h("span", { title: entry.act ?? "" }, key ? t(key) : (entry.act ?? "")),
            h("span", { class: "wrap" }, entry.subject || "—"),
            h("span", { class: "wrap" }, entry.detail || "—"),
          ];
        }),
        "audit-table",
      ),
      this.token && h("button", { type: "button", class: "button", onclick: () => this.#read(true) }, t("more")),
    );
  }
}
customElements.define("sb-audit", Audit);
