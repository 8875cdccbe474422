// The Russian strings of ratings and scores.

/** @type {Record<keyof typeof import("./en-ratings.js").enRatings, string>} */
export const ruRatings = {
  "rating.is": "{score} из 5",
  "rating.client": "Оценка клиента: {score} из 5",
  "rating.clientWhy": "Оценка клиента: {score} из 5, «{why}»",
  "score.is": "{name}: оценка {score} из 5",
  "score.isWhy": "{name}: оценка {score} из 5, «{why}»",
  "score.someone": "Программа",
  "action.score": "Оценить разговор",
  "score.text": "За работу оператора в этом разговоре. Оператор её увидит, клиент нет.",
  "score.score": "Оценка",
  "score.1": "1, очень плохо",
  "score.2": "2, плохо",
  "score.3": "3, нормально",
  "score.4": "4, хорошо",
  "score.5": "5, отлично",
  "score.why": "Почему",
  "score.submit": "Оценить",
};
