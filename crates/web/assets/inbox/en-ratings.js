// The English strings of ratings and scores.

export const enRatings = {
  "rating.is": "{score} of 5",
  "rating.client": "Rated {score} of 5",
  "rating.clientWhy": "Rated {score} of 5: “{why}”",
  "score.is": "{name} scored {score} of 5",
  "score.isWhy": "{name} scored {score} of 5: “{why}”",
  "score.someone": "A program",
  "action.score": "Score the conversation",
  "score.text": "For the operator’s work in this conversation. The operator sees it, the client does not.",
  "score.score": "Score",
  "score.1": "1, very bad",
  "score.2": "2, bad",
  "score.3": "3, all right",
  "score.4": "4, good",
  "score.5": "5, excellent",
  "score.why": "Why",
  "score.submit": "Score",
};
