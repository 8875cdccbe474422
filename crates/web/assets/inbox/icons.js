// Our icons: strokes on a 20 × 20 grid, built as nodes.

const SVG = "http://www.w3.org/2000/svg";

// Each icon is a list of paths.
const PATHS = {
  chat: ["M3.5 4.5h13v9h-7l-3.5 3v-3h-2.5z"],
  messenger: ["M17 3.5 2.8 9.2l4.7 1.9 1.9 5z", "M7.5 11.1 17 3.5"],
  sms: ["M6 2.5h8v15H6z", "M9 14.8h2"],
  email: ["M2.8 4.8h14.4v10.4H2.8z", "m3.2 5.3 6.8 5.2 6.8-5.2"],
  form: ["M4.5 3h11v14h-11z", "M7.2 7h5.6M7.2 10h5.6M7.2 13h3"],
  voice: ["M6.6 3.2 4 4.3c-.3 5.9 5.8 12 11.7 11.7l1.1-2.6-3.5-2.2-1.6 1.5c-1.8-.8-3.6-2.6-4.4-4.4L8.8 6.7z"],
  inbox: ["M3 11 5.2 4h9.6L17 11v5H3z", "M3 11h4l1 2h4l1-2h4"],
  clock: ["M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14z", "M10 6v4l2.7 1.7"],
  alarm: ["M10 17a6.2 6.2 0 1 0 0-12.4A6.2 6.2 0 0 0 10 17z", "M10 7.6V11", "M10 13.4v.1", "m3 5 2.3-2M17 5l-2.3-2"],
  layers: ["m10 3 7 3.8-7 3.7-7-3.7z", "m3 10.3 7 3.7 7-3.7M3 13.5l7 3.7 7-3.7"],
  moon: ["M16.5 11.8A6.9 6.9 0 0 1 8.2 3.5a6.9 6.9 0 1 0 8.3 8.3z"],
  archive: ["M3 4h14v3.5H3z", "M4.2 7.5V16h11.6V7.5M8 10.5h4"],
  queue: ["M7 5h10M7 10h10M7 15h10", "M3.5 5h.1M3.5 10h.1M3.5 15h.1"],
  people: [
    "M7.5 9.3a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8z",
    "M2.3 16.5c.2-3.2 2.3-4.9 5.2-4.9s5 1.7 5.2 4.9",
    "M13 4a2.7 2.7 0 0 1 0 5.1M15 12c1.7.7 2.6 2.3 2.7 4.5",
  ],
  person: ["M10 9.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z", "M4 17c.2-3.4 2.6-5.2 6-5.2s5.8 1.8 6 5.2"],
  star: ["m10 2.8 2.2 4.7 5 .7-3.6 3.6.9 5.2-4.5-2.5L5.5 17l.9-5.2L2.8 8.2l5-.7z"],
  block: ["M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14z", "m5.1 5.1 9.8 9.8"],
  warning: ["M10 3.2 17.7 16.5H2.3z", "M10 8.2v4M10 14.3v.1"],
  check: ["m4 10.5 4 4 8.2-9"],
  checks: ["m1.8 10.5 3.8 4 7.6-9", "m9.3 13.2 1.3 1.3 7.6-9"],
  close: ["m5 5 10 10M15 5 5 15"],
  search: ["M8.8 14.6a5.8 5.8 0 1 0 0-11.6 5.8 5.8 0 0 0 0 11.6z", "m13 13 4.2 4.2"],
  gear: [
    "M10 12.7a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4z",
    "M10 2.7v2.1M10 15.2v2.1M2.7 10h2.1M15.2 10h2.1M4.8 4.8l1.5 1.5M13.7 13.7l1.5 1.5M4.8 15.2l1.5-1.5M13.7 6.3l1.5-1.5",
  ],
  send: ["M3 10 17 3.5 13.5 17l-3.8-4.8z", "M9.7 12.2 17 3.5"],
  note: ["M4 3.5h12v8.5l-4.5 4.5H4z", "M16 12h-4.5v4.5", "M7 7h6M7 10h3.5"],
  lock: ["M4.8 9h10.4v8H4.8z", "M7 9V6.5a3 3 0 0 1 6 0V9"],
  reply: ["M8 4.5 3 9.3l5 4.8v-3c4.2-.2 6.9 1 9 4.4-.3-5-3.4-8-9-8.2z"],
  attach: ["m15.5 9-5.9 5.9a3.5 3.5 0 0 1-5-5l6.6-6.5a2.3 2.3 0 0 1 3.3 3.3l-6.4 6.4a1.1 1.1 0 0 1-1.6-1.6l5.6-5.6"],
  file: ["M5 2.8h6.5L15 6.3v10.9H5z", "M11.3 2.8v3.7H15"],
  more: ["M4.5 10h.1M10 10h.1M15.5 10h.1"],
  transfer: ["M3 7h12.5M12.5 3.8 15.7 7l-3.2 3.2", "M17 13.5H5M7.7 10.5 4.6 13.5l3.1 3.2"],
  join: [
    "M8 9.3a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8z",
    "M2.8 16.5c.2-3.2 2.3-4.9 5.2-4.9s5 1.7 5.2 4.9",
    "M15.5 5.5v5M13 8h5",
  ],
  leave: ["M11.5 3.5H4v13h7.5", "M8.5 10h8.7M14.3 7l3 3-3 3"],
  edit: ["m4 13 9.3-9.3 3 3L7 16l-3.7.7z", "m11.5 5.5 3 3"],
  trash: ["M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.7 11h7.6l.7-11"],
  smile: ["M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14z", "M7 11.7c.7 1.2 1.7 1.8 3 1.8s2.3-.6 3-1.8", "M7.5 8v.1M12.5 8v.1"],
  copy: ["M7 7h9.5v9.5H7z", "M13 7V3.5H3.5V13H7"],
  down: ["m4.5 7.5 5.5 5.5 5.5-5.5"],
  back: ["M12.5 4.5 7 10l5.5 5.5"],
  returned: ["M4 8.5h8a4 4 0 0 1 0 8H8", "M7 5 3.7 8.5 7 12"],
  refresh: ["M16 6.5A7 7 0 1 0 17 10", "M16.5 3v3.7h-3.7"],
  merge: ["M4 3.5v3c0 3 6 2.5 6 5.5v4.5M16 3.5v3c0 3-6 2.5-6 5.5", "m7.3 14 2.7 2.8 2.7-2.8"],
  verified: [
    "m10 2.5 2.2 1.6 2.7 0 .8 2.6 2.2 1.6-.9 2.5.9 2.6-2.2 1.6-.8 2.5-2.7 0-2.2 1.6-2.2-1.6-2.7 0-.8-2.5-2.2-1.6.9-2.6-.9-2.5 2.2-1.6.8-2.6 2.7 0z",
    "m7.2 10 2 2 3.7-4",
  ],
  question: ["M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14z", "M8 8c.1-1.3.9-2 2-2s2 .7 2 1.8c0 1.4-2 1.5-2 3.2M10 13.6v.1"],
  eye: ["M2.5 10S5.2 5 10 5s7.5 5 7.5 5-2.7 5-7.5 5-7.5-5-7.5-5z", "M10 12.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z"],
  bell: ["M5 13.5V9a5 5 0 0 1 10 0v4.5l1.3 1.5H3.7z", "M8.3 17h3.4"],
  keyboard: ["M2.5 5.5h15v9h-15z", "M5.5 8.5h.1M8.5 8.5h.1M11.5 8.5h.1M14.5 8.5h.1M6.5 11.5h7"],
  globe: [
    "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14z",
    "M3.2 10h13.6M10 3c2.4 2.2 3 4.5 3 7s-.6 4.8-3 7c-2.4-2.2-3-4.5-3-7s.6-4.8 3-7z",
  ],
  sun: [
    "M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
    "M10 2.5v1.3M10 16.2v1.3M2.5 10h1.3M16.2 10h1.3M4.7 4.7l.9.9M14.4 14.4l.9.9M4.7 15.3l.9-.9M14.4 5.6l.9-.9",
  ],
  offline: [
    "M3 3l14 14",
    "M2.8 8c1-.9 2.2-1.6 3.4-2M17.2 8A10 10 0 0 0 9 5.1M5.5 11a6.6 6.6 0 0 1 3-1.7M14.5 11a6 6 0 0 0-1.7-1.2M8 13.8a2.9 2.9 0 0 1 3.5-.3M10 16.3v.1",
  ],
  board: ["M2.8 4h14.4v9.5H2.8z", "M7 16.5h6M10 13.5v3", "M6 10.5V8.7M10 10.5V6.5M14 10.5V7.6"],
  chart: ["M3 3.5v13h14", "M6.5 13.5v-3M10 13.5v-6M13.5 13.5v-4.3M17 13.5V6"],
  pin: [
    "M10 17.5c3.7-4 5.3-6.5 5.3-8.8a5.3 5.3 0 0 0-10.6 0c0 2.3 1.6 4.8 5.3 8.8z",
    "M10 10.6a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8z",
  ],
  tag: ["M3 3.5h6.8l7 7-6.3 6.3-7.5-7.5z", "M6.6 7.1v.1"],
  at: [
    "M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z",
    "M13.2 7v4a1.9 1.9 0 0 0 3.8 0v-1a7 7 0 1 0-2.8 5.6",
  ],
  bolt: ["M11.3 2.8 4.5 11.4h4.6l-.9 5.8 7.3-9h-4.8z"],
  answers: [
    "M5.2 3.8h9.6a2.6 2.6 0 0 1 0 5.2H5.2a2.6 2.6 0 0 1 0-5.2z",
    "M5.2 11h9.6a2.6 2.6 0 0 1 0 5.2H5.2a2.6 2.6 0 0 1 0-5.2z",
  ],
  approved: ["M5 2.8h6.5L15 6.3v10.9H5z", "M11.3 2.8v3.7H15", "m7.3 11.7 2 2 3.5-4"],
  plus: ["M10 4v12M4 10h12"],
  up: ["M10 16.5V4M5 8.5 10 3.5l5 5"],
  power: ["M10 3v6.5", "M6 5.5a6.3 6.3 0 1 0 8 0"],
  hand: [
    "M6.5 10.5V5.2a1.2 1.2 0 0 1 2.3 0V9M8.8 9V4a1.2 1.2 0 0 1 2.3 0v5M11.1 9V4.9a1.2 1.2 0 0 1 2.3 0v5.3M13.4 8.5a1.2 1.2 0 0 1 2.3 0v3.8c0 3-1.9 5-4.7 5-2.3 0-3.5-1-4.6-2.8L4.2 11a1.2 1.2 0 0 1 2.1-1.2z",
  ],
};

/** @typedef {keyof typeof PATHS} IconName */

/** @type {Partial<Record<IconName, string>>} */
const WEIGHTS = { more: "2.6", queue: "1.7" };

/**
 * @param {IconName} name
 * @param {string} [label] read aloud; without it the icon is decoration
 * @returns {SVGSVGElement}
 */
export function icon(name, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("fill", "none");
  svg.setAttribute("stroke", "currentColor");
  svg.setAttribute("stroke-width", WEIGHTS[name] ?? "1.5");
  svg.setAttribute("stroke-linecap", "round");
  svg.setAttribute("stroke-linejoin", "round");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
    const title = document.createElementNS(SVG, "title");
    title.textContent = label;
    svg.append(title);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** @type {Record<string, IconName>} */
const MEDIA = { VOICE: "voice", CHAT: "chat", MESSENGER: "messenger", SMS: "sms", EMAIL: "email", FORM: "form" };

/** @param {string | undefined} medium @returns {IconName} */
export function mediumIcon(medium) {
  return MEDIA[medium ?? ""] ?? "chat";
}
