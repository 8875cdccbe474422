// Where axes end, and which labels have room.

const LABEL_PX = 64;

/** The next round number: 1, 2 or 5 of some power of ten. @param {number} value */
export function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 5, 10].find((one) => one * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** Every so many labels have room. @param {number} count @param {number} width */
export function labelStep(count, width) {
  return Math.max(1, Math.ceil(count / Math.max(1, Math.floor(width / LABEL_PX))));
}
