// The person's menu: look, language, sounds, keys, password, sign-out.

import { allowDesktop } from "./alerts.js";
import { call } from "./api.js";
import { errorBox, field, openDialog, showError } from "./dialog.js";
import { h } from "./dom.js";
import { LANGUAGES, language, setLanguage, t } from "./i18n.js";
import { showKeys } from "./help.js";
import { pref, setPref } from "./prefs.js";
import { errorText } from "./refusals.js";
import { signOut } from "./session.js";
import { PASSWORD_LENGTH_MIN } from "./sign-in.js";
import { toast } from "./toasts.js";

/** @returns {import("./menu.js").MenuItem[]} */
export function settingsMenu() {
  return [
    .../** @type {const} */ (["system", "light", "dark"]).map((theme) => ({
      label: t(`theme.${theme}`),
      checked: pref("theme") === theme,
      testid: `theme-${theme}`,
      run: () => setPref("theme", theme),
    })),
    ...LANGUAGES.map(({ id, name }, i) => ({
      label: name,
      checked: language() === id,
      separated: i === 0,
      testid: `language-${id}`,
      run: () => setLanguage(id),
    })),
    {
      label: t("settings.sound"),
      checked: pref("sound"),
      separated: true,
      testid: "setting-sound",
      run: () => setPref("sound", !pref("sound")),
    },
    {
      label: t("settings.desktop"),
      checked: pref("desktop"),
      testid: "setting-desktop",
      run: () => void switchDesktop(),
    },
    {
      label: t("settings.enterSends"),
      checked: pref("enterSends"),
      testid: "setting-enter",
      run: () => setPref("enterSends", !pref("enterSends")),
    },
    {
      label: t("settings.keys"),
      icon: "keyboard",
      hint: "?",
      separated: true,
      testid: "show-keys",
      run: () => showKeys(),
    },
    { label: t("settings.password"), icon: "lock", testid: "change-password", run: () => changePassword() },
    { label: t("settings.signOut"), icon: "leave", testid: "sign-out", run: () => void signOut() },
  ];
}

async function switchDesktop() {
  if (pref("desktop")) {
    setPref("desktop", false);
    return;
  }
  const allowed = await allowDesktop();
  setPref("desktop", allowed);
  if (!allowed) toast({ text: t("settings.desktopDenied"), kind: "error" });
}

function changePassword() {
  const current = h("input", { type: "password", autocomplete: "current-password", required: true });
  const fresh = h("input", {
    type: "password",
    autocomplete: "new-password",
    required: true,
    minlength: PASSWORD_LENGTH_MIN,
  });
  const box = errorBox("password-error");
  const { dialog, form } = openDialog({
    title: t("settings.password"),
    testid: "password-dialog",
    body: [
      field(t("settings.currentPassword"), current),
      field(t("settings.newPassword"), fresh, t("setUp.passwordHint", { n: PASSWORD_LENGTH_MIN })),
      box,
    ],
    buttons: [h("button", { class: "button primary" }, t("save"))],
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await call("Admin/ChangePassword", { currentPassword: current.value, newPassword: fresh.value });
      dialog.close("");
      toast({ text: t("done.password") });
    } catch (error) {
      showError(box, errorText(error));
    }
  });
}
