// The English strings about what operators can do and where they stand.

export const enPeople = {
  "people.rankHint":
    "Rank: the person’s order of queues. Position: the queue’s order of people, where it goes by a list. Lower is first.",
  "people.position": "position",
  "people.positionOf": "Position in {name}; lower is asked first",
  "people.skills": "Skills",
  "people.skillsHint": "With commas between them, such as billing, lang:ru",
  "people.skillsUsed": "In use: {names}",
};
