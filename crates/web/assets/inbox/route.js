// What the address says: a conversation, a page, or the one-time set-up link.

/** @typedef {"inbox" | "mentions" | "promises" | "replies" | "queues" | "proof" | "blocks" | "people" | "lines" | "dead-letters" | "webhooks" | "audit" | "wallboard" | "reports" | "ratings"} Page */

/** @type {Page[]} */
const PAGES = ["mentions", "promises", "replies", "queues", "proof", "blocks", "people", "lines", "dead-letters", "webhooks", "audit", "wallboard", "reports", "ratings"];

/** @returns {{ page: Page, id: string, setUpToken: string }} */
export function route() {
  const hash = location.hash.replace(/^#\/?/, "");
  if (hash.startsWith("setup=")) {
    return { page: "inbox", id: "", setUpToken: decodeURIComponent(hash.slice("setup=".length)) };
  }
  const [first, second] = hash.split("/");
  if (first === "c" && second) return { page: "inbox", id: decodeURIComponent(second), setUpToken: "" };
  const page = PAGES.find((name) => name === first);
  return { page: page ?? "inbox", id: "", setUpToken: "" };
}

/** Pages that every operator has. @param {string} page */
export function isForAll(page) {
  return page === "inbox" || page === "mentions" || page === "promises" || page === "replies";
}

/** @param {string} id */
export function conversationHref(id) {
  return `#/c/${encodeURIComponent(id)}`;
}

/** @param {string} id empty closes the conversation */
export function goToConversation(id) {
  location.hash = id ? conversationHref(id) : "#/";
}

/** Takes the one-time token out of the address and the history. */
export function forgetSetUpToken() {
  history.replaceState(null, "", "#/");
}
