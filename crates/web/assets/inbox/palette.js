// Ctrl+K: every act by name, conversations by name, messages by their words.

import { nameOf } from "./actions.js";
import { call } from "./api.js";
import { getState } from "./app.js";
import { serverNow } from "./clock.js";
import { openDialog } from "./dialog.js";
import { h, replace } from "./dom.js";
import { icon, mediumIcon } from "./icons.js";
import { shortText, t } from "./i18n.js";
import { holds } from "./matching.js";
import { acts } from "./palette-acts.js";
import { channelName } from "./parts.js";
import { errorText } from "./refusals.js";
import { goToConversation } from "./route.js";

/** @import { SearchHit } from "./types/api.js" */
/** @import { Entry } from "./palette-acts.js" */

const SEARCH_MS = 250;
const PAGE = 20;

/** @param {string} query @returns {Entry[]} */
function commands(query) {
  const people =
    query.length < 2
      ? []
      : Object.values(getState().conversations)
          .filter((c) => holds(nameOf(c), query))
          .slice(0, 5)
          .map((c) => ({
            label: nameOf(c),
            icon: mediumIcon(c.medium),
            detail: c.lastMessageText,
            testid: "palette-conversation",
            run: () => goToConversation(c.id),
          }));
  const wanted = query.toLocaleLowerCase();
  const begins = (/** @type {Entry} */ { label }) => (label.toLocaleLowerCase().startsWith(wanted) ? 0 : 1);
  const fitting = acts().filter(({ label, detail = "", also = "" }) => holds([label, detail, also].join(" "), query));
  return [...people, ...fitting.sort((a, b) => begins(a) - begins(b))];
}

/** @param {SearchHit} hit @returns {Entry} */
function found({ message, conversation: c }) {
  const state = getState();
  return {
    label: nameOf(c),
    icon: mediumIcon(c?.medium),
    detail: message.text?.plain ?? "",
    aside: [channelName(state, c?.lineId, c?.channel), shortText(message.sentAt ?? message.storedAt, serverNow())]
      .filter(Boolean)
      .join(" · "),
    testid: "search-hit",
    run: () => goToConversation(c?.id ?? message.conversationId ?? ""),
  };
}

/** Marks the words one looked for. @param {string} text @param {string} query */
function marked(text, query) {
  const words = query
    .split(/\s+/)
    .filter((word) => word.length > 1)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (words.length === 0) return [text];
  const first = text.search(new RegExp(words.join("|"), "iu"));
  const from = first > 60 ? first - 40 : 0;
  const part = (from > 0 ? "…" : "") + text.slice(from, from + 180);
  return part
    .split(new RegExp(`(${words.join("|")})`, "iu"))
    .map((piece, i) => (i % 2 === 1 ? h("mark", null, piece) : piece));
}

export function openPalette() {
  if (document.querySelector("[data-testid=palette]")) return;
  const input = h("input", {
    type: "text",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "palette-list",
    "aria-autocomplete": "list",
    "aria-label": t("search.label"),
    placeholder: t("search.placeholder"),
    maxlength: 200,
    autocomplete: "off",
    spellcheck: "false",
    "data-testid": "search-input",
  });
  const list = h("div", {
    id: "palette-list",
    role: "listbox",
    "aria-label": t("search.results"),
    class: "palette-list",
  });
  const status = h("div", { class: "palette-status", role: "status" });
  const { dialog, form } = openDialog({
    title: t("search.label"),
    body: [h("div", { class: "palette-input" }, icon("search"), input), list, status],
    wide: "palette",
    testid: "palette",
    cancel: false,
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  input.focus();
  /** @type {Entry[]} */
  let entries = [];
  let current = 0;
  /** @type {SearchHit[]} */
  let hits = [];
  let nextPageToken = "";
  let running = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const choose = (/** @type {Entry | undefined} */ entry) => {
    if (!entry) return;
    // After the focus is back where it was: the act may move it.
    dialog.addEventListener("close", () => entry.run(), { once: true });
    dialog.close("");
  };
  const point = () => {
    [...list.querySelectorAll("[role=option]")].forEach((node, i) =>
      node.setAttribute("aria-selected", String(i === current)),
    );
    const node = list.querySelectorAll("[role=option]")[current];
    input.setAttribute("aria-activedescendant", node?.id ?? "");
    node?.scrollIntoView({ block: "nearest" });
  };
  const draw = () => {
    const query = input.value.trim();
    const named = commands(query).slice(0, query ? 12 : undefined);
    entries = [...named, ...hits.map(found)];
    current = Math.min(current, Math.max(0, entries.length - 1));
    const option = (/** @type {Entry} */ entry, /** @type {number} */ i) =>
      h(
        "div",
        {
          role: "option",
          id: `palette-${i}`,
          class: "palette-item",
          "data-testid": entry.testid,
          "aria-selected": "false",
          onclick: () => choose(entry),
          onpointermove: () => {
            if (current === i) return;
            current = i;
            point();
          },
        },
        icon(entry.icon),
        h(
          "span",
          { class: "palette-text" },
          h("span", null, entry.label),
          entry.detail && h("small", null, ...marked(entry.detail, query)),
        ),
        entry.aside && h("small", { class: "palette-aside" }, entry.aside),
      );
    const nodes = entries.map(option);
    replace(
      list,
      named.length > 0 &&
        h(
          "div",
          { role: "group", "aria-label": t("search.acts") },
          h("p", { class: "palette-title", "aria-hidden": "true" }, t("search.acts")),
          nodes.slice(0, named.length),
        ),
      hits.length > 0 &&
        h(
          "div",
          { role: "group", "aria-label": t("search.messages") },
          h("p", { class: "palette-title", "aria-hidden": "true" }, t("search.messages")),
          nodes.slice(named.length),
        ),
    );
    point();
  };
  const search = async (/** @type {boolean} */ more) => {
    const query = input.value.trim();
    running.abort();
    running = new AbortController();
    if (query.length < 2) {
      hits = [];
      nextPageToken = "";
      replace(status);
      draw();
      return;
    }
    replace(status, h("span", { class: "spinner small" }), t("search.searching"));
    try {
      const answer = await call(
        "Inbox/SearchMessages",
        { query, pageSize: PAGE, pageToken: more ? nextPageToken : undefined },
        { signal: running.signal },
      );
      hits = [...(more ? hits : []), ...(answer.hits ?? [])];
      nextPageToken = answer.nextPageToken ?? "";
      replace(
        status,
        nextPageToken
          ? h("button", { type: "button", class: "link", onclick: () => void search(true) }, t("search.more"))
          : hits.length === 0
            ? t("search.nothing")
            : null,
      );
      draw();
    } catch (error) {
      if (error instanceof DOMException) return;
      replace(status, icon("warning"), errorText(error));
    }
  };
  input.addEventListener("input", () => {
    current = 0;
    draw();
    clearTimeout(timer);
    timer = setTimeout(() => void search(false), SEARCH_MS);
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.code];
    if (step) {
      event.preventDefault();
      current = (current + step + entries.length) % Math.max(1, entries.length);
      point();
    } else if (event.code === "Enter" || event.code === "NumpadEnter") {
      event.preventDefault();
      choose(entries[current]);
    }
  });
  draw();
}
