// The question that makes sense about a conversation now.

import { t } from "./i18n.js";
import { showWhyOffer, showWhyWaiting } from "./why.js";

/** @import { Conversation } from "./types/api.js" */
/** @import { MenuItem } from "./menu.js" */

/**
 * Why it still waits, or why whoever has it does; nothing about one that has ended.
 *
 * @param {Conversation} c
 * @returns {(MenuItem & { id: string }) | null}
 */
export function whyAct(c) {
  const waits = c.state === "QUEUED" || c.state === "OFFERED";
  if (!waits && (c.state === "CLOSED" || !c.operatorId)) return null;
  return {
    id: "why",
    label: t(waits ? "why.askWaiting" : "why.ask"),
    icon: "question",
    hint: "Alt W",
    run: () => (waits ? showWhyWaiting(c.id) : showWhyOffer({ conversationId: c.id })),
  };
}
