// Who the client is: identities, history, facts, and who else they may be.

import { nameOf } from "./actions.js";
import { View } from "./app.js";
import { rename } from "./contact-actions.js";
import { attributes, blockPart, facts, history, identities, suggestions } from "./contact-sections.js";
import { ask, field } from "./dialog.js";
import { h, replace } from "./dom.js";
import { t } from "./i18n.js";
import { iconButton } from "./menu.js";
import { avatar, skeleton } from "./parts.js";
import { promisesSection } from "./promise-parts.js";
import { conversation } from "./selectors.js";

/** @import { Contact, Conversation } from "./types/api.js" */
/** @import { State } from "./types/state.js" */

class ContactCard extends View {
  /** @param {State} state */
  watch(state) {
    const detail = state.details[state.selectedId];
    const c = conversation(state, state.selectedId);
    return [
      state.selectedId,
      detail,
      c?.contact,
      c?.state,
      state.contacts[c?.contact?.id ?? ""],
      state.lines,
      state.me?.role,
      state.promises,
      state.operators,
      state.opinions,
    ];
  }

  /** @param {State} state */
  render(state) {
    const c = conversation(state, state.selectedId);
    const detail = state.details[state.selectedId];
    const contact = state.contacts[c?.contact?.id ?? detail?.contactId ?? ""];
    /** @type {HTMLElement} */
    const pane = this;
    const top = pane.scrollTop;
    if (!c) replace(this);
    else {
      replace(
        this,
        h(
          "div",
          { class: "contact-inner" },
          this.#head(state, c, contact),
          detail?.status === "loading" && !contact ? skeleton(5) : null,
          ...(contact && detail
            ? [
                ...suggestions(detail, c),
                identities(state, contact),
                promisesSection(state, c),
                facts(state, contact, c, detail),
                attributes(contact),
                history(state, detail, c),
                blockPart(detail, c),
              ]
            : []),
        ),
      );
    }
    pane.scrollTop = top;
  }

  /** @param {State} _state @param {Conversation} c @param {Contact | undefined} contact */
  #head(_state, c, contact) {
    const name = contact?.profile?.displayName || nameOf(c);
    return h(
      "div",
      { class: "contact-head" },
      iconButton("back", t("back"), {
        class: "phone-only",
        onclick: () => this.dispatchEvent(new CustomEvent("sb-pane", { bubbles: true, detail: "thread" })),
      }),
      avatar(name),
      h(
        "div",
        { class: "contact-name" },
        h("h2", { "data-testid": "contact-name" }, name),
        h(
          "small",
          { class: "muted" },
          contact?.provisional || c.contact?.provisional
            ? t("contact.provisional")
            : c.contact?.known
              ? t("contact.known")
              : t("contact.new"),
        ),
      ),
      contact &&
        iconButton("edit", t("contact.rename"), { onclick: () => void askName(contact), "data-testid": "rename" }),
    );
  }
}
customElements.define("sb-contact", ContactCard);

/** @param {Contact} contact */
export async function askName(contact) {
  const input = h("input", {
    name: "name",
    maxlength: 200,
    required: true,
    autocomplete: "off",
    "data-testid": "rename-input",
  });
  input.value = contact.profile?.displayName ?? "";
  const data = await ask({
    title: t("contact.rename"),
    submit: t("save"),
    testid: "rename-dialog",
    body: [field(t("contact.name"), input)],
  });
  const name = String(data?.get("name") ?? "").trim();
  if (data && name) await rename(contact, name);
}
