// The page starts here: every element is defined, then the session begins.

import { watchTitle } from "./alerts.js";
import "./clock.js";
import { language } from "./i18n.js";
import { applyTheme, whenPrefsChange } from "./prefs.js";
import { start } from "./session.js";
import "./shell.js";

applyTheme();
document.documentElement.lang = language();
whenPrefsChange(applyTheme);
watchTitle();
void start();
