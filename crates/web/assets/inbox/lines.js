// The lines and how they do.

import { call } from "./api.js";
import { getState } from "./app.js";
import { h } from "./dom.js";
import { icon, mediumIcon } from "./icons.js";
import { momentText, t } from "./i18n.js";
import { Page, table } from "./page.js";
import { channelOf } from "./parts.js";

/** A line that is not configured, for which events wait. @param {import("./types/api.js").UnconfiguredLine} l */
function gone(l) {
  const n = l.waitingCount ?? "0";
  return [
    h("span", { class: "with-dot" }, icon("globe"), l.lineId),
    "",
    "—",
    h("span", { class: "status-bad" }, icon("warning"), t("lines.unconfigured", { n })),
    "",
  ];
}

class Lines extends Page {
  start() {
    this.frame(
      t("page.lines"),
      t("lines.text"),
      h("a", { class: "button", href: "/demo", target: "_blank", rel: "noopener" }, icon("chat"), t("welcome.demo")),
    );
    void this.load(
      () => call("Admin/ListLines", {}),
      ({ lines = [], unconfigured = [] }) => {
        if (lines.length + unconfigured.length === 0) {
          this.showEmpty("globe", t("welcome.noLines"));
          return;
        }
        const { queues } = getState();
        this.show(
          table(
            t("page.lines"),
            [t("lines.name"), t("lines.channel"), t("lines.queue"), t("lines.status"), t("lines.last")],
            [
              ...lines.map((l) => [
                h(
                  "span",
                  { class: "with-dot" },
                  icon(mediumIcon(l.line?.medium)),
                  l.line?.displayName || l.line?.id || "",
                ),
                channelOf(l.line, l.line?.channel),
                queues[l.queueId ?? ""]?.displayName || l.queueId || "—",
                l.status === "up"
                  ? h("span", { class: "tag ok" }, icon("check"), t("lines.up"))
                  : h("span", { class: "status-bad" }, icon("warning"), l.status ?? ""),
                momentText(l.lastInboundAt) || t("lines.never"),
              ]),
              ...unconfigured.map(gone),
            ],
            "lines-table",
          ),
        );
      },
    );
  }
}
customElements.define("sb-lines", Lines);
