// Ready, Away with a reason, Offline; now or when the work in hand is done; and
// why no work comes.

import { setPresence } from "./actions.js";
import { View } from "./app.js";
import { ask, checkbox, field } from "./dialog.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { withMenu } from "./menu.js";
import { goOffline } from "./offline.js";
import { asideText } from "./parts.js";
import { showWhyNotMe } from "./why.js";

/** @import { State } from "./types/state.js" */
/** @import { Key } from "./i18n.js" */

const REASONS = /** @type {const} */ (["away.lunch", "away.break", "away.meeting", "away.training"]);

async function askAway() {
  const list = h(
    "datalist",
    { id: "away-reasons" },
    REASONS.map((key) => h("option", { value: t(key) })),
  );
  const data = await ask({
    title: t("presence.awayTitle"),
    submit: t("presence.setAway"),
    testid: "away-dialog",
    body: [
      field(
        t("presence.reason"),
        h("input", {
          name: "reason",
          maxlength: 100,
          list: "away-reasons",
          autocomplete: "off",
          "data-testid": "away-reason",
        }),
        t("presence.reasonHint"),
      ),
      list,
      checkbox(t("presence.whenIdle"), { name: "whenIdle" }),
    ],
  });
  if (data) await setPresence("AWAY", String(data.get("reason") ?? "").trim(), data.has("whenIdle"));
}

/** Every choice there is. @param {State} state @returns {import("./menu.js").MenuItem[]} */
export function presenceMenu(state) {
  const now = state.me?.presence ?? "OFFLINE";
  return [
    {
      label: t("presence.READY"),
      checked: now === "READY",
      testid: "presence-ready",
      run: () => void setPresence("READY", "", false),
    },
    ...REASONS.slice(0, 3).map((key) => ({
      label: `${t("presence.AWAY")} · ${t(key)}`,
      checked: now === "AWAY" && state.me?.awayReason === t(key),
      testid: `presence-${key}`,
      run: () => void setPresence("AWAY", t(key), false),
    })),
    { label: t("presence.awayOther"), checked: false, testid: "presence-away", run: () => void askAway() },
    {
      label: t("presence.OFFLINE"),
      checked: now === "OFFLINE",
      testid: "presence-offline",
      run: () => void goOffline(),
    },
    {
      label: t("presence.nextAway"),
      icon: "clock",
      separated: true,
      testid: "presence-next-away",
      run: () => void setPresence("AWAY", "", true),
    },
    {
      label: t("presence.nextOffline"),
      icon: "power",
      testid: "presence-next-offline",
      run: () => void setPresence("OFFLINE", "", true),
    },
    { label: t("why.askMe"), icon: "question", separated: true, testid: "presence-why", run: () => showWhyNotMe() },
  ];
}

/** Why the router gives this operator nothing, in words. @param {State} state @returns {Key | null} */
function why(state) {
  if (state.me?.presence !== "READY") return state.me?.presence === "AWAY" ? null : "why.offline";
  switch (state.me.routingState) {
    case "FULL":
      return "why.full";
    case "NOT_RESPONDING":
      return "why.notResponding";
    case "WRAP_UP":
      return "why.wrapUp";
    case "DISCONNECTED":
      return "why.disconnected";
    case "COOLING_DOWN":
      return "why.coolingDown";
    default:
      return (state.me.queues ?? []).length === 0 ? "why.noQueue" : null;
  }
}

class PresenceSwitch extends View {
  /** @param {State} state */
  watch(state) {
    return [state.me];
  }

  /** @param {State} state */
  render(state) {
    const me = state.me;
    const presence = me?.presence ?? "OFFLINE";
    const reason = presence === "AWAY" && me?.awayReason ? me.awayReason : "";
    const label = t(`presence.${presence}`);
    const aside = presence === "READY" ? asideText(me ?? undefined) : "";
    const explanation = why(state);
    replace(
      this,
      withMenu(
        h(
          "button",
          {
            type: "button",
            class: `presence presence-${presence.toLowerCase()}`,
            "data-testid": "presence",
            "data-presence": presence,
          },
          h("span", { class: `dot dot-${presence.toLowerCase()}`, "aria-hidden": "true" }),
          h(
            "span",
            { class: "presence-text" },
            h("span", { class: "sr" }, `${t("presence.label")}: `),
            h("b", null, label),
            (reason || aside) && h("small", { "data-testid": "presence-more" }, reason || aside),
          ),
          // There is room for one of both, and work comes again when this is over.
          !aside && h(
            "span",
            { class: "load", title: t("presence.load") },
            h("span", { class: "sr" }, `${t("presence.load")} `),
            `${me?.load ?? 0}/${me?.capacity ?? 100}`,
          ),
          icon("down"),
        ),
        () => presenceMenu(state),
      ),
      me?.nextPresence &&
        h(
          "p",
          { class: "presence-note" },
          icon("clock"),
          t("presence.next", { name: t(`presence.${me.nextPresence}`) }),
        ),
      (explanation || (presence === "READY" && (me?.load ?? 0) === 0)) &&
        h(
          "button",
          { type: "button", class: "link small why-link", onclick: () => showWhyNotMe(), "data-testid": "why-me" },
          t("why.askMe"),
        ),
      explanation && h("p", { class: "presence-note", "data-testid": "why-no-work" }, icon("question"), t(explanation)),
      me?.routingState === "NOT_RESPONDING" &&
        presence === "READY" &&
        h(
          "button",
          {
            type: "button",
            class: "button small wide",
            onclick: () => void setPresence("READY", "", false),
          },
          t("presence.here"),
        ),
    );
  }
}
customElements.define("sb-presence", PresenceSwitch);
