// The list of keys.

import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

/** @import { Key } from "./i18n.js" */

/** @type {[Key, [string, Key][]][]} */
const GROUPS = [
  [
    "keys.anywhere",
    [
      ["Ctrl K", "keys.palette"],
      ["?", "keys.help"],
      ["Alt 1 … 5", "keys.folders"],
      ["Alt M", "page.mentions"],
      ["Alt ↓ / ↑", "keys.next"],
      ["J / K", "keys.nextPlain"],
      ["Esc", "keys.escape"],
    ],
  ],
  [
    "keys.offers",
    [
      ["Alt A", "keys.accept"],
      ["Alt X", "keys.decline"],
      ["Alt O", "keys.preview"],
    ],
  ],
  [
    "keys.conversation",
    [
      ["R", "keys.reply"],
      ["N", "keys.note"],
      ["/", "keys.cannedReply"],
      ["@", "keys.mention"],
      ["Ctrl Enter", "keys.send"],
      ["I", "keys.contact"],
      ["Alt J", "keys.join"],
      ["Alt T", "keys.transfer"],
      ["Alt S", "keys.snooze"],
      ["Alt E", "keys.finish"],
      ["Alt C", "keys.promise"],
      ["Alt W", "keys.why"],
    ],
  ],
];

export function showKeys() {
  if (document.querySelector("[data-testid=keys-dialog]")) return;
  openDialog({
    title: t("settings.keys"),
    testid: "keys-dialog",
    wide: "wide",
    cancel: false,
    body: [
      h(
        "div",
        { class: "keys" },
        GROUPS.map(([title, keys]) =>
          h(
            "section",
            null,
            h("h3", null, t(title)),
            h(
              "dl",
              null,
              keys.map(([combo, text]) =>
                h(
                  "div",
                  null,
                  h(
                    "dt",
                    null,
                    combo.split(" ").map((part, i) => (i > 0 && /^[/…]$/.test(part) ? ` ${part} ` : h("kbd", null, part))),
                  ),
                  h("dd", null, t(text)),
                ),
              ),
            ),
          ),
        ),
      ),
      h("p", { class: "muted" }, t("keys.layout")),
    ],
  });
}
