// The Russian strings about what operators can do and where they stand.

/** @type {Record<keyof typeof import("./en-people.js").enPeople, string>} */
export const ruPeople = {
  "people.rankHint":
    "Ранг — порядок очередей для сотрудника. Место — порядок сотрудников в очереди, если она идёт по списку. Меньшее — первое.",
  "people.position": "место",
  "people.positionOf": "Место в очереди {name}: меньшее спрашивают первым",
  "people.skills": "Навыки",
  "people.skillsHint": "Через запятую, например billing, lang:ru",
  "people.skillsUsed": "Уже есть: {names}",
};
