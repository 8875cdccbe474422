// What is special about the open conversation, above the timeline.

/** @import { Conversation } from "./types/api.js" */
/** @import { State } from "./types/state.js" */
/** @import { IconName } from "./icons.js" */
/** @import { Child } from "./dom.js" */

import { View } from "./app.js";
import { h, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { momentText, t, timeText } from "./i18n.js";
import { iconButton } from "./menu.js";
import { isWaiting } from "./order.js";
import { conversation } from "./selectors.js";
import { isKept, nameById, overflowText, queueName, queueOf, untilText } from "./states.js";
import { toast } from "./toasts.js";
import { isFinishingUp, wrapUpStrip } from "./wrap-up.js";

/** @typedef {{ key: string, stamp: unknown[], draw: () => HTMLElement }} Strip */

class StateStrip extends View {
  /** @param {State} state */
  watch(state) {
    return [conversation(state, state.selectedId), state.operators, state.queues, state.otherQueues, state.me];
  }

  /** @param {State} state */
  render(state) {
    const c = conversation(state, state.selectedId);
    const strips = c ? stripsOf(state, c) : [];
    this.hidden = strips.length === 0;
    reconcile(this, strips, { key: (it) => it.key, stamp: (it) => it.stamp, draw: (it) => it.draw() });
  }
}
customElements.define("sb-state-strip", StateStrip);

/** @param {State} state @param {Conversation} c @returns {Strip[]} */
function stripsOf(state, c) {
  /** @type {Strip[]} */
  const strips = [];
  /** @param {string} key @param {IconName} name @param {string} text @param {boolean} [warn] @param {Child[]} [more] */
  const strip = (key, name, text, warn = false, more = []) =>
    strips.push({
      key: `${key} ${c.id}`,
      stamp: [text, warn],
      draw: () =>
        h(
          "div",
          { class: `strip state${warn ? " warn" : ""}`, "data-testid": `strip-${key}` },
          icon(name),
          h("span", null, text),
          ...more,
        ),
    });
  const until = untilText(c.stateUntil);
  if (isFinishingUp(state, c)) {
    strips.push({
      key: `wrap-up ${c.id}`,
      stamp: [c.stateUntil, c.disposition, queueOf(state, c.queueId)],
      draw: () => wrapUpStrip(state, c),
    });
  } else if (c.state === "WRAPPING_UP") {
    const name = nameById(state, c.operatorId);
    strip("wrap-up-other", "edit", t("strip.wrapUpOther", { name, time: timeText(c.stateUntil) }));
  }
  if (c.state === "PARKED")
    strip(
      "parked",
      "moon",
      c.snoozedUntil ? t("strip.snoozed", { time: momentText(c.snoozedUntil) }) : t("row.untilWrites"),
    );
  if (c.state === "DEFERRED") strip("deferred", "moon", t("strip.deferred", { time: until }));
  if (c.state === "ABANDONED") strip("abandoned", "leave", t("strip.abandoned", { time: until }), true);
  if (c.callbackPhone && c.state !== "CLOSED")
    strip("callback", "voice", t("strip.callback"), true, callLink(c.callbackPhone));
  if (c.returned) strip("returned", "returned", t("strip.returned"), true);
  if (isKept(state, c))
    strip("preferred", "person", t("strip.preferred", { name: nameById(state, c.preferredOperatorId) }));
  const asked = c.askedOperatorIds ?? [];
  if (c.state === "OFFERED" && asked.length > 1)
    strip("asked", "people", t("strip.asked", { name: asked.map((id) => nameById(state, id)).join(", ") }));
  if (c.overCapacity && c.state === "ACTIVE") strip("over", "layers", t("strip.over"), true);
  const from = { name: queueName(state, c.overflowFromQueueId), reason: overflowText(c) };
  if (c.overflowExit === "queue") strip("overflow", "transfer", t("strip.overflow", from));
  else if (c.overflowExit === "any_skills" && isWaiting(c)) strip("overflow", "people", t("strip.anySkills", from));
  else if (c.closeReason === "diverted") strip("overflow", "leave", t("strip.diverted", from));
  return strips;
}

/** The number, to be dialled or copied. @param {string} phone @returns {Child[]} */
function callLink(phone) {
  return [
    h("a", { href: `tel:${phone.replace(/[^\d+]/g, "")}`, class: "reach", "data-testid": "call-link" }, phone),
    iconButton("copy", t("phone.copy"), {
      "data-testid": "call-copy",
      onclick: async () => {
        await navigator.clipboard.writeText(phone);
        toast({ text: t("phone.copied") });
      },
    }),
  ];
}
