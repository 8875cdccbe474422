// The first run: what is connected, and one button to try it.

import { h } from "./dom.js";
import { icon, mediumIcon } from "./icons.js";
import { t } from "./i18n.js";
import { channelOf } from "./parts.js";

/** @import { State } from "./types/state.js" */

/** @param {State} state */
export function welcome(state) {
  const lines = Object.values(state.lines);
  return h(
    "div",
    { class: "welcome", "data-testid": "welcome" },
    h("h2", null, t("welcome.title")),
    h("p", { class: "muted" }, state.me?.presence === "READY" ? t("welcome.text") : t("welcome.notReady")),
    h(
      "ul",
      { class: "plain" },
      lines.map((line) =>
        h(
          "li",
          { class: "welcome-line" },
          icon(mediumIcon(line.medium)),
          h(
            "span",
            null,
            h("b", null, line.displayName || line.id),
            h("small", null, channelOf(line, line.channel)),
          ),
          h("span", { class: "tag ok" }, icon("check"), t("welcome.connected")),
        ),
      ),
    ),
    lines.length === 0 && h("p", { class: "notice" }, t("welcome.noLines")),
    h(
      "a",
      { class: "button primary", href: "/demo", target: "_blank", rel: "noopener", "data-testid": "open-demo" },
      icon("chat"),
      t("welcome.demo"),
    ),
    state.me?.role === "ADMIN" && h("a", { class: "link", href: "#/people" }, t("welcome.people")),
  );
}
