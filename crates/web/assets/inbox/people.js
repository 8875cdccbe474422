// Operators: who they are, what they may do, which queues they answer.

import { call, clientId } from "./api.js";
import { getState } from "./app.js";
import { checkbox, errorBox, field, openDialog, showError } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { Page, table } from "./page.js";
import { avatar, operatorName, presenceDot } from "./parts.js";
import { errorText } from "./refusals.js";
import { PASSWORD_LENGTH_MIN } from "./sign-in.js";
import { toast } from "./toasts.js";

/** @import { Membership, Operator, Role } from "./types/api.js" */

const ROLES = /** @type {const} */ (["OPERATOR", "SUPERVISOR", "ADMIN"]);

/**
 * A queue to tick, with the two orders in it.
 * @param {string} id
 * @param {Membership | undefined} membership none when they do not work for it
 */
function queueChoice(id, membership) {
  const name = getState().queues[id].displayName || id;
  /** @param {"rank" | "position"} key @param {string} label */
  const order = (key, label) => {
    const input = h("input", {
      type: "number",
      name: `${key} ${id}`,
      min: -999,
      max: 999,
      required: true,
      class: "rank",
      "aria-label": label,
      "data-testid": `operator-${key}-${id}`,
    });
    input.value = String(membership?.[key] ?? 0);
    return [h("span", { class: "hint" }, t(`people.${key}`)), input];
  };
  return h(
    "div",
    { class: "queue-choice" },
    checkbox(name, { name: `queue ${id}`, checked: membership !== undefined }),
    order("rank", t("people.rankOf", { name })),
    order("position", t("people.positionOf", { name })),
  );
}

/** @param {string[]} known */
const skillsHint = (known) =>
  known.length === 0
    ? t("people.skillsHint")
    : `${t("people.skillsHint")}. ${t("people.skillsUsed", { names: known.join(", ") })}`;

class People extends Page {
  /** What somebody can do already. @type {string[]} */
  #skills = [];

  start() {
    this.frame(
      t("page.people"),
      t("people.text"),
      h(
        "button",
        {
          type: "button",
          class: "button primary",
          onclick: () => void this.#edit(null),
          "data-testid": "add-operator",
        },
        icon("plus"),
        t("people.add"),
      ),
    );
    this.#read(false);
  }

  /** @param {boolean} quiet */
  #read(quiet) {
    void this.load(
      () => call("Admin/ListOperators", {}),
      ({ operators = [] }) => this.#draw(operators),
      quiet,
    );
  }

  /** @param {Operator[]} operators */
  #draw(operators) {
    const { queues } = getState();
    const heads = [
      t("people.name"),
      t("signIn.login"),
      t("people.role"),
      t("nav.queues"),
      t("people.skills"),
      t("people.capacity"),
      t("table.actions"),
    ];
    this.#skills = [...new Set(operators.flatMap((o) => o.skills ?? []))].sort();
    this.show(
      table(
        t("page.people"),
        heads,
        operators.map((o) => [
          h(
            "span",
            { class: "with-dot" },
            avatar(operatorName(o)),
            h("span", null, operatorName(o)),
            o.disabled ? h("span", { class: "tag warn" }, t("people.disabled")) : presenceDot(o),
          ),
          o.login ?? "",
          t(`role.${o.role ?? "OPERATOR"}`),
          (o.queues ?? []).map((m) => queues[m.queueId]?.displayName || m.queueId).join(", ") || "—",
          (o.skills ?? []).join(", ") || "—",
          h("span", { class: "number" }, o.capacity ?? 100),
          h(
            "span",
            { class: "cell-buttons" },
            h(
              "button",
              {
                type: "button",
                class: "button small",
                onclick: () => void this.#edit(o),
                "data-testid": "edit-operator",
                "aria-label": t("people.editName", { name: operatorName(o) }),
              },
              t("edit"),
            ),
            h(
              "button",
              {
                type: "button",
                class: "button small",
                onclick: () => void this.#password(o),
                "aria-label": t("people.passwordName", { name: operatorName(o) }),
              },
              t("people.password"),
            ),
          ),
        ]),
        "people-table",
      ),
    );
  }

  /** @param {Operator | null} o null makes a new one */
  async #edit(o) {
    const { queueIds } = getState();
    const name = h("input", {
      name: "name",
      required: true,
      maxlength: 100,
      autocomplete: "off",
      "data-testid": "operator-name",
    });
    name.value = o?.displayName ?? "";
    const login = h("input", {
      name: "login",
      required: true,
      minlength: 2,
      maxlength: 64,
      autocomplete: "off",
      autocapitalize: "none",
      "data-testid": "operator-login",
    });
    const password = h("input", {
      name: "password",
      type: "password",
      required: true,
      minlength: PASSWORD_LENGTH_MIN,
      autocomplete: "new-password",
      "data-testid": "operator-password",
    });
    const role = h(
      "select",
      { name: "role", "data-testid": "operator-role" },
      ROLES.map((id) => h("option", { value: id }, t(`role.${id}`))),
    );
    role.value = o?.role ?? "OPERATOR";
    const capacity = h("input", { name: "capacity", type: "number", min: 1, max: 1000, required: true });
    capacity.value = String(o?.capacity || 100);
    const box = errorBox("operator-error");
    const skills = h("input", { name: "skills", autocomplete: "off", "data-testid": "operator-skills" });
    skills.value = (o?.skills ?? []).join(", ");
    const memberships = new Map((o?.queues ?? []).map((m) => [m.queueId, m]));
    const rows = queueIds.map((id) => queueChoice(id, o ? memberships.get(id) : { queueId: id }));
    const { dialog, form } = openDialog({
      title: o ? t("people.edit") : t("people.add"),
      testid: "operator-dialog",
      body: [
        field(t("people.name"), name, t("setUp.nameHint")),
        !o && field(t("signIn.login"), login),
        !o && field(t("signIn.password"), password, t("setUp.passwordHint", { n: PASSWORD_LENGTH_MIN })),
        field(t("people.role"), role),
        h("fieldset", { class: "choices" }, h("legend", null, t("nav.queues")), rows, h("p", { class: "hint" }, t("people.rankHint"))),
        field(t("people.skills"), skills, skillsHint(this.#skills)),
        field(t("people.capacity"), capacity, t("people.capacityHint")),
        checkbox(t("people.autoAccept"), { name: "autoAccept", checked: o?.autoAccept ?? false }),
        o &&
          o.id !== getState().me?.id &&
          checkbox(t("people.disable"), {
            name: "disabled",
            checked: o.disabled ?? false,
            "data-testid": "operator-disabled",
          }),
        box,
      ],
      buttons: [h("button", { class: "button primary", "data-testid": "operator-submit" }, t("save"))],
    });
    name.focus();
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const data = new FormData(form);
      const fields = {
        displayName: name.value.trim(),
        role: /** @type {Role} */ (role.value),
        capacity: Number(capacity.value),
        autoAccept: data.has("autoAccept"),
        queues: queueIds
          .filter((id) => data.has(`queue ${id}`))
          .map((id) => ({
            queueId: id,
            rank: Number(data.get(`rank ${id}`) ?? 0),
            position: Number(data.get(`position ${id}`) ?? 0),
          })),
        skills: skills.value
          .split(",")
          .map((skill) => skill.trim())
          .filter(Boolean),
        clientId: clientId(),
      };
      try {
        if (o) await call("Admin/UpdateOperator", { ...fields, operatorId: o.id, disabled: data.has("disabled") });
        else await call("Admin/CreateOperator", { ...fields, login: login.value.trim(), password: password.value });
        dialog.close("");
        toast({ text: t("done.saved") });
        this.#read(true);
      } catch (error) {
        showError(box, errorText(error));
      }
    });
  }

  /** @param {Operator} o */
  async #password(o) {
    const password = h("input", {
      name: "password",
      type: "password",
      required: true,
      minlength: PASSWORD_LENGTH_MIN,
      autocomplete: "new-password",
    });
    const box = errorBox("set-password-error");
    const { dialog, form } = openDialog({
      title: t("people.passwordName", { name: operatorName(o) }),
      testid: "set-password-dialog",
      body: [
        h("p", { class: "muted" }, t("people.passwordText")),
        field(t("settings.newPassword"), password, t("setUp.passwordHint", { n: PASSWORD_LENGTH_MIN })),
        box,
      ],
      buttons: [h("button", { class: "button primary" }, t("save"))],
    });
    password.focus();
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        await call("Admin/SetOperatorPassword", { operatorId: o.id, password: password.value });
        dialog.close("");
        toast({ text: t("done.password") });
      } catch (error) {
        showError(box, errorText(error));
      }
    });
  }
}
customElements.define("sb-people", People);
