// Signing in, and making the first admin by the one-time link.

import { ApiError, call } from "./api.js";
import { View } from "./app.js";
import { errorBox, field, showError } from "./dialog.js";
import { h, replace } from "./dom.js";
import { LANGUAGES, language, setLanguage, t } from "./i18n.js";
import { errorText } from "./refusals.js";
import { forgetSetUpToken } from "./route.js";
import { enter } from "./session.js";

export const PASSWORD_LENGTH_MIN = 10;

function languageLinks() {
  return h(
    "div",
    { class: "sign-language", role: "group", "aria-label": t("settings.language") },
    LANGUAGES.map(({ id, name }) =>
      h(
        "button",
        {
          type: "button",
          class: "link",
          lang: id,
          "aria-pressed": String(id === language()),
          onclick: () => setLanguage(id),
        },
        name,
      ),
    ),
  );
}

/** @param {string} title @param {string} text @param {...import("./dom.js").Child} children */
function card(title, text, ...children) {
  return h(
    "main",
    { class: "sign" },
    h(
      "div",
      { class: "sign-card" },
      h("div", { class: "brand" }, h("img", { src: "/favicon.svg", alt: "", width: 32, height: 32 }), "Switchboard"),
      h("h1", null, title),
      text && h("p", { class: "muted" }, text),
      ...children,
    ),
    languageLinks(),
  );
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement} box
 * @param {() => Promise<void>} work
 */
async function submitting(form, box, work) {
  const button = form.querySelector("button");
  showError(box, "");
  button?.setAttribute("aria-busy", "true");
  if (button) button.disabled = true;
  try {
    await work();
  } catch (error) {
    showError(
      box,
      error instanceof ApiError && error.code === "unauthenticated" ? t("signIn.wrong") : errorText(error),
    );
  } finally {
    button?.removeAttribute("aria-busy");
    if (button) button.disabled = false;
  }
}

class SignIn extends View {
  watch() {
    return [];
  }

  render() {
    const login = h("input", {
      name: "login",
      autocomplete: "username",
      autocapitalize: "none",
      spellcheck: "false",
      required: true,
      "data-testid": "login",
    });
    const password = h("input", {
      name: "password",
      type: "password",
      autocomplete: "current-password",
      required: true,
      "data-testid": "password",
    });
    const box = errorBox("sign-in-error");
    const form = h(
      "form",
      {
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          void submitting(form, box, async () => {
            await call("Admin/Login", { login: login.value.trim(), password: password.value });
            await enter();
          });
        },
      },
      field(t("signIn.login"), login),
      field(t("signIn.password"), password),
      box,
      h("button", { class: "button primary wide", "data-testid": "sign-in" }, t("signIn.submit")),
    );
    replace(this, card(t("signIn.title"), "", form));
    login.focus();
    void this.#hintSetUp();
  }

  async #hintSetUp() {
    const { open } = await call("Admin/GetSetUp", {}).catch(() => ({ open: false }));
    if (open) this.querySelector("form")?.before(h("p", { class: "notice" }, t("signIn.setUpOpen")));
  }
}
customElements.define("sb-sign-in", SignIn);

class SetUp extends View {
  watch() {
    return [];
  }

  render() {
    const name = h("input", {
      name: "name",
      autocomplete: "name",
      required: true,
      maxlength: 100,
      "data-testid": "setup-name",
    });
    const login = h("input", {
      name: "login",
      autocomplete: "username",
      autocapitalize: "none",
      spellcheck: "false",
      required: true,
      minlength: 2,
      maxlength: 64,
      "data-testid": "setup-login",
    });
    const password = h("input", {
      name: "password",
      type: "password",
      autocomplete: "new-password",
      required: true,
      minlength: PASSWORD_LENGTH_MIN,
      "data-testid": "setup-password",
    });
    const again = h("input", {
      name: "again",
      type: "password",
      autocomplete: "new-password",
      required: true,
      "data-testid": "setup-password-again",
    });
    const box = errorBox("setup-error");
    const form = h(
      "form",
      {
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          if (password.value !== again.value) {
            showError(box, t("setUp.different"));
            again.focus();
            return;
          }
          void submitting(form, box, async () => {
            await call("Admin/SetUp", {
              setUpToken: this.getAttribute("token") ?? "",
              login: login.value.trim(),
              password: password.value,
              displayName: name.value.trim(),
            });
            forgetSetUpToken();
            await enter();
          });
        },
      },
      field(t("setUp.name"), name, t("setUp.nameHint")),
      field(t("signIn.login"), login),
      field(t("signIn.password"), password, t("setUp.passwordHint", { n: PASSWORD_LENGTH_MIN })),
      field(t("setUp.again"), again),
      box,
      h("button", { class: "button primary wide", "data-testid": "set-up" }, t("setUp.submit")),
    );
    replace(this, card(t("setUp.title"), t("setUp.text"), form));
    name.focus();
  }
}
customElements.define("sb-set-up", SetUp);
