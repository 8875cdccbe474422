// The canned replies at hand: read once, read anew when they changed, found here or
// by the server when there are very many.

import { call } from "./api.js";
import { getState } from "./app.js";
import { ranked, spellings } from "./matching.js";
import { conversation } from "./selectors.js";
import { filled, firstName, textIn } from "./variables.js";

/** @import { CannedReply } from "./types/api.js" */
/** @import { Values } from "./variables.js" */

const PAGE = 200;
// More than this is not kept in a page; the server finds the rest.
const KEPT_MAX = 1_000;
const SHOWN_MAX = 40;

/** @type {{ stamp: string, read: Promise<{ replies: CannedReply[], complete: boolean }> } | null} */
let kept = null;

/** What the replies at hand depend on. */
function stamp() {
  const { me, repliesVersion } = getState();
  return [me?.id, me?.role, (me?.queues ?? []).map((one) => one.queueId).join(), repliesVersion].join(" ");
}

async function read() {
  /** @type {CannedReply[]} */
  const replies = [];
  let pageToken = "";
  do {
    const page = await call("Admin/ListCannedReplies", { pageSize: PAGE, pageToken });
    replies.push(...(page.cannedReplies ?? []));
    pageToken = page.nextPageToken ?? "";
  } while (pageToken && replies.length < KEPT_MAX);
  return { replies, complete: pageToken === "" };
}

function atHand() {
  const now = stamp();
  if (kept?.stamp !== now) {
    const mine = { stamp: now, read: read() };
    kept = mine;
    // Asked again at the next key.
    mine.read.catch(() => kept === mine && (kept = null));
  }
  return kept?.read ?? read();
}

/**
 * Canned replies for a conversation, the best first.
 *
 * @param {string} query
 * @param {string} queueId
 * @returns {Promise<CannedReply[]>}
 */
export async function findReplies(query, queueId) {
  const { replies, complete } = await atHand();
  /** @type {CannedReply[]} */
  let all = replies;
  if (!complete && query !== "") {
    const answers = await Promise.all(
      spellings(query).map((words) => call("Admin/ListCannedReplies", { query: words, queueId, pageSize: SHOWN_MAX })),
    );
    const known = new Set(replies.map((one) => one.id));
    all = [...replies, ...answers.flatMap((one) => one.cannedReplies ?? []).filter((one) => !known.has(one.id))];
  }
  const fitting = all.filter(({ queueIds = [] }) => queueIds.length === 0 || queueIds.includes(queueId));
  return ranked(fitting, query).slice(0, SHOWN_MAX);
}

/** What the variables stand for in a conversation. @param {string} conversationId @returns {Values} */
export function valuesFor(conversationId) {
  const state = getState();
  const c = conversation(state, conversationId);
  const name = c?.contact?.displayName ?? "";
  const queue = [...Object.values(state.queues), ...state.otherQueues].find((one) => one.id === c?.queueId);
  const line = state.lines[c?.lineId ?? ""];
  return {
    "client.name": name,
    "client.first_name": firstName(name),
    "operator.name": state.me?.displayName ?? "",
    "queue.name": queue?.displayName || (c?.queueId ?? ""),
    "line.name": line?.displayName || (c?.lineId ?? ""),
    "conversation.id": conversationId,
  };
}

/** A canned reply as the client of a conversation would read it. @param {CannedReply} reply @param {string} conversationId */
export function wordsFor(reply, conversationId) {
  const state = getState();
  const contactId = conversation(state, conversationId)?.contact?.id ?? "";
  const locale = state.contacts[contactId]?.profile?.locale ?? "";
  return filled(textIn(reply, locale), valuesFor(conversationId));
}
