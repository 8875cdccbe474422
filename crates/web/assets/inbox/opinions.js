// How ratings and scores enter the state.

/**
 * @import { ConversationScore, GetConversationResponse, Rating } from "./types/api.js"
 * @import { State } from "./types/state.js"
 */

/**
 * @param {State} state
 * @param {GetConversationResponse} response
 * @returns {State}
 */
export function keepOpinions(state, { ratings = [], scores = [] }) {
  const rated = ratings.reduce(rate, state);
  return scores.reduce(score, rated);
}

/** @param {State} state @param {Rating} rating @returns {State} */
export function rate(state, rating) {
  const id = rating.conversationId ?? "";
  return { ...state, opinions: { ...state.opinions, [id]: { ...state.opinions[id], rating } } };
}

/** @param {State} state @param {ConversationScore} scored @returns {State} */
export function score(state, scored) {
  const id = scored.conversationId ?? "";
  return { ...state, opinions: { ...state.opinions, [id]: { ...state.opinions[id], score: scored } } };
}
