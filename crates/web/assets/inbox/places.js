// The pages beside the inbox, for the sidebar and the palette.

import { isAdmin, isSupervisor } from "./selectors.js";

/** @import { IconName } from "./icons.js" */
/** @import { Key } from "./i18n.js" */
/** @import { Page } from "./route.js" */
/** @import { State } from "./types/state.js" */

/** @typedef {[page: Page, icon: IconName, name: Key]} Place */

/** @type {Place[]} */
const FOR_ALL = [["replies", "bolt", "page.replies"]];
/** @type {Place[]} */
const FOR_SUPERVISORS = [
  ["wallboard", "board", "page.wallboard"],
  ["reports", "chart", "page.reports"],
  ["ratings", "star", "page.ratings"],
  ["queues", "layers", "page.queues"],
  ["proof", "verified", "page.proof"],
  ["blocks", "block", "page.blocks"],
];
/** @type {Place[]} */
const FOR_ADMINS = [
  ["people", "people", "page.people"],
  ["lines", "globe", "page.lines"],
  ["dead-letters", "warning", "page.deadLetters"],
  ["webhooks", "send", "page.webhooks"],
  ["audit", "lock", "page.audit"],
];

/** Those that whoever is signed in may open. @param {State} state @returns {Place[]} */
export function places(state) {
  return [...FOR_ALL, ...(isSupervisor(state) ? FOR_SUPERVISORS : []), ...(isAdmin(state) ? FOR_ADMINS : [])];
}

/** @param {string} page */
export function isForSupervisors(page) {
  return FOR_SUPERVISORS.some(([name]) => name === page);
}
