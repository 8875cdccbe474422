// Charts drawn by us. What they show stands in a table beside them, too.

import { GRID_LINES, labelStep, topOf } from "./chart-scale.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 220;
const EDGE = { top: 12, right: 12, bottom: 26, left: 52 };

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {(number | null)[]} values
 */

/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {string[]} labels one for each value
 * @property {Series[]} series up to four
 * @property {(value: number) => string} text
 * @property {"bars" | "lines"} kind lines are for what goes on in time
 * @property {import("./chart-scale.js").Scale} scale what the values are
 * @property {string} testid
 */

/** @param {string} tag @param {Record<string, string | number>} attributes @param {...(Node | string)} children */
function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/**
 * A chart as wide as the place it is put into.
 *
 * @param {Chart} chart
 * @param {number} width
 */
export function drawChart(chart, width) {
  const { title, labels, series, testid } = chart;
  const inner = { width: Math.max(120, width) - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
  const highest = Math.max(0, ...series.flatMap((one) => one.values.map((value) => value ?? 0)));
  const top = topOf(chart.scale, highest);
  const y = (/** @type {number} */ value) => EDGE.top + inner.height * (1 - Math.min(value, top) / top);
  const slot = inner.width / Math.max(1, labels.length);
  const middle = (/** @type {number} */ at) => EDGE.left + slot * (at + 0.5);
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${Math.max(120, width)} ${HEIGHT}`, height: HEIGHT, role: "img", "aria-label": summary(chart) },
    grid(top, y, Math.max(120, width), chart.text),
    axis(labels, middle, labelStep(labels.length, inner.width)),
    ...series.map((one, index) =>
      chart.kind === "bars" ? bars(chart, one, index, slot, y) : line(chart, one, index, middle, y),
    ),
  );
  return h(
    "figure",
    { class: "chart", "data-testid": testid },
    h("figcaption", null, h("b", null, title), legend(series, chart.kind)),
    /** @type {any} */ (picture),
  );
}

/** What the picture says, for those who do not see it. @param {Chart} chart */
function summary({ title, series, text }) {
  const parts = series.map((one) => {
    const told = one.values.filter((value) => value !== null);
    if (told.length === 0) return t("chart.of", { name: one.name, value: t("chart.none") });
    const least = text(Math.min(...told));
    const most = text(Math.max(...told));
    return t("chart.of", { name: one.name, value: least === most ? least : `${least} – ${most}` });
  });
  return `${title}. ${parts.join("; ")}`;
}

/** @param {Series[]} series @param {"bars" | "lines"} kind */
function legend(series, kind) {
  return h(
    "span",
    { class: "legend" },
    ...series.map((one, index) => {
      const mark =
        kind === "bars"
          ? svg("rect", { x: 1, y: 2, width: 18, height: 10, class: `bar tone-s${index}` })
          : svg("path", { d: "M0 7h20", class: `line tone-s${index}` });
      const sign = svg("svg", { width: 20, height: 14, "aria-hidden": "true" }, mark);
      return h("span", null, /** @type {any} */ (sign), one.name);
    }),
  );
}

/** @param {number} top @param {(value: number) => number} y @param {number} width @param {(value: number) => string} text */
function grid(top, y, width, text) {
  const lines = Array.from({ length: GRID_LINES + 1 }, (_, at) => {
    const value = (top * at) / GRID_LINES;
    return svg(
      "g",
      {},
      svg("path", { d: `M${EDGE.left} ${y(value)}H${width - EDGE.right}`, class: "grid" }),
      svg("text", { x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" }, text(value)),
    );
  });
  return svg("g", { "aria-hidden": "true" }, ...lines);
}

/** @param {string[]} labels @param {(at: number) => number} middle @param {number} step */
function axis(labels, middle, step) {
  const shown = labels.flatMap((label, at) =>
    at % step === 0 ? [svg("text", { x: middle(at), y: HEIGHT - 8, "text-anchor": "middle" }, shorten(label))] : [],
  );
  return svg("g", { "aria-hidden": "true" }, ...shown);
}

/** @param {string} label */
function shorten(label) {
  return label.length > 12 ? `${label.slice(0, 11)}…` : label;
}

/** @param {Chart} chart @param {Series} one @param {number} at */
function tip(chart, one, at) {
  const value = one.values[at];
  const text = value === null ? t("chart.none") : chart.text(value);
  return svg("title", {}, `${chart.labels[at]}. ${t("chart.of", { name: one.name, value: text })}`);
}

/** @param {Chart} chart @param {Series} one @param {number} index @param {number} slot @param {(value: number) => number} y */
function bars(chart, one, index, slot, y) {
  const gap = Math.min(10, slot * 0.2);
  const width = Math.min(40, (slot - gap) / chart.series.length);
  const offset = (slot - width * chart.series.length) / 2 + width * index;
  const drawn = one.values.flatMap((value, at) => {
    if (!value) return [];
    const from = y(value);
    const bar = {
      x: EDGE.left + slot * at + offset,
      y: from,
      width: Math.max(1, width - 1),
      height: Math.max(1, y(0) - from),
      rx: Math.min(2, width / 4),
      class: `bar tone-s${index}`,
    };
    return [svg("rect", bar, tip(chart, one, at))];
  });
  return svg("g", {}, ...drawn);
}

/** @param {Chart} chart @param {Series} one @param {number} index @param {(at: number) => number} middle @param {(value: number) => number} y */
function line(chart, one, index, middle, y) {
  let path = "";
  let broken = true;
  /** @type {Node[]} */
  const dots = [];
  one.values.forEach((value, at) => {
    if (value === null) {
      broken = true;
      return;
    }
    path += `${broken ? "M" : "L"}${middle(at).toFixed(1)} ${y(value).toFixed(1)}`;
    broken = false;
    // Many dots are a thicker line.
    const r = one.values.length > 60 ? 1.5 : 3;
    dots.push(svg("circle", { cx: middle(at), cy: y(value), r, class: `dot-s tone-s${index}` }, tip(chart, one, at)));
  });
  return svg("g", {}, svg("path", { d: path || "M0 0", class: `line tone-s${index}` }), ...dots);
}
