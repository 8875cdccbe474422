// Programs that are told what happens, and how they take it.

import { toastError } from "./actions.js";
import { call, clientId } from "./api.js";
import { everySecond } from "./clock.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { momentText, t } from "./i18n.js";
import { Page, table } from "./page.js";
import { toast } from "./toasts.js";

/** @import { ListWebhooksResponse, Webhook } from "./types/api.js" */

const EVERY_S = 5;

/** @param {Webhook} webhook */
function stateText(webhook) {
  switch (webhook.state) {
    case "WEBHOOK_RETRYING":
      return t("webhooks.retrying", { time: momentText(webhook.nextTryAt) });
    case "WEBHOOK_SUSPENDED":
      return t("webhooks.suspended");
    case "WEBHOOK_GONE":
      return t("webhooks.gone");
    default:
      return t("webhooks.unconfigured");
  }
}

/** @param {Webhook} webhook */
function state(webhook) {
  const lost = Number(webhook.lostCount ?? 0);
  return h(
    "div",
    null,
    webhook.state === "WEBHOOK_UP"
      ? h("span", { class: "tag ok" }, icon("check"), t("webhooks.up"))
      : h("span", { class: "status-bad" }, icon("warning"), stateText(webhook)),
    webhook.error && h("small", { class: "wrap muted" }, webhook.error),
    lost > 0 && h("small", { class: "wrap muted" }, t("webhooks.lost", { n: lost })),
  );
}

class Webhooks extends Page {
  start() {
    this.frame(t("page.webhooks"), t("webhooks.text"));
    this.#read(false);
    let seconds = 0;
    this.onLeave(
      everySecond(() => {
        seconds += 1;
        if (seconds % EVERY_S === 0 && document.visibilityState === "visible") this.#read(true);
      }),
    );
  }

  /** @param {boolean} quiet */
  #read(quiet) {
    void this.load(
      () => call("Admin/ListWebhooks", {}),
      (/** @type {ListWebhooksResponse} */ { webhooks = [] }) => this.#draw(webhooks),
      quiet,
    );
  }

  /** @param {Webhook[]} webhooks */
  #draw(webhooks) {
    if (webhooks.length === 0) {
      this.showEmpty("send", t("webhooks.none"), t("webhooks.none.text"));
      return;
    }
    // A button that somebody is about to press stays where it is.
    if (this.contains(document.activeElement) && document.activeElement?.tagName === "BUTTON") return;
    this.show(
      table(
        t("page.webhooks"),
        [
          t("webhooks.name"),
          t("webhooks.state"),
          t("webhooks.behind"),
          t("webhooks.delivered"),
          t("webhooks.last"),
          t("table.actions"),
        ],
        webhooks.map((webhook) => [
          h("span", null, h("b", null, webhook.id), h("small", { class: "wrap muted" }, webhook.url ?? "")),
          state(webhook),
          h("span", { class: "number" }, Number(webhook.behindCount ?? 0)),
          h("span", { class: "number" }, Number(webhook.deliveredCount ?? 0)),
          momentText(webhook.deliveredAt) || t("webhooks.never"),
          webhook.state !== "WEBHOOK_UNCONFIGURED" && this.#buttons(webhook),
        ]),
        "webhooks-table",
      ),
    );
  }

  /** @param {Webhook} webhook */
  #buttons(webhook) {
    return h(
      "span",
      { class: "cell-buttons" },
      h(
        "button",
        {
          type: "button",
          class: "button small",
          onclick: () => void this.#test(webhook),
          "data-testid": "test-webhook",
        },
        t("webhooks.test"),
      ),
      webhook.state !== "WEBHOOK_UP" &&
        h(
          "button",
          {
            type: "button",
            class: "button small",
            onclick: () => void this.#resume(webhook),
            "data-testid": "resume-webhook",
          },
          t("webhooks.resume"),
        ),
    );
  }

  /** @param {Webhook} webhook */
  async #test(webhook) {
    try {
      const { taken, text = "", tookMs = "0" } = await call("Admin/TestWebhook", { webhookId: webhook.id });
      toast({ text: taken ? t("webhooks.tested", { ms: tookMs }) : t("webhooks.testFailed", { text }) });
    } catch (error) {
      toastError(error);
    }
  }

  /** @param {Webhook} webhook */
  async #resume(webhook) {
    try {
      await call("Admin/ResumeWebhook", { webhookId: webhook.id, clientId: clientId() });
      toast({ text: t("webhooks.resumed") });
      const pressed = document.activeElement;
      if (pressed instanceof HTMLElement) pressed.blur();
      this.#read(true);
    } catch (error) {
      toastError(error);
    }
  }
}
customElements.define("sb-webhooks", Webhooks);
