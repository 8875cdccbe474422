// Where axes end, and which labels have room.

/** @typedef {"count" | "part" | "time"} Scale things, parts of one, seconds */

/** Steps between the foot and the top. */
export const GRID_LINES = 4;
const LABEL_PX = 64;
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];

/** The next round whole number. @param {number} value at least 1 */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const steps = power > 1 ? [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8] : [1, 2, 3, 4, 5, 6, 8];
  return (steps.find((one) => one * power >= value * (1 - 1e-9)) ?? 10) * power;
}

/** The top of an axis whose steps are whole things, or times as people say them. @param {Scale} scale @param {number} highest */
export function topOf(scale, highest) {
  if (scale === "part") return 1;
  const step = Math.max(1, highest / GRID_LINES);
  if (scale === "count") return GRID_LINES * roundUp(step);
  return GRID_LINES * (STEPS_S.find((one) => one >= step * (1 - 1e-9)) ?? roundUp(step / 86_400) * 86_400);
}

/** Every so many labels have room. @param {number} count @param {number} width */
export function labelStep(count, width) {
  return Math.max(1, Math.ceil(count / Math.max(1, Math.floor(width / LABEL_PX))));
}
