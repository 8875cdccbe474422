// What this browser remembers between visits.

const KEY = "switchboard.inbox";

const DEFAULTS = {
  theme: /** @type {"system" | "light" | "dark"} */ ("system"),
  language: "",
  enterSends: false,
  sound: true,
  desktop: false,
  folder: "MINE",
  queueId: "",
  listWidth: 340,
  contactWidth: 308,
  contactOpen: true,
};

/** @typedef {typeof DEFAULTS} Prefs */

/** @type {Prefs} */
let prefs = read();
/** @type {Set<() => void>} */
const listeners = new Set();

function read() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

/**
 * @template {keyof Prefs} K
 * @param {K} name
 * @returns {Prefs[K]}
 */
export function pref(name) {
  return prefs[name];
}

/**
 * @template {keyof Prefs} K
 * @param {K} name
 * @param {Prefs[K]} value
 */
export function setPref(name, value) {
  prefs = { ...prefs, [name]: value };
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // A browser that keeps nothing still works for this visit.
  }
  for (const listener of listeners) listener();
}

/** @param {() => void} listener @returns {() => void} ends the listening */
export function whenPrefsChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

window.addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  prefs = read();
  for (const listener of listeners) listener();
});

/** Puts the chosen theme on the page. */
export function applyTheme() {
  const theme = pref("theme");
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
