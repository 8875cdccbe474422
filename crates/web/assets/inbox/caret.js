// Where the caret of a textarea stands on the page: a copy of its text, laid out the
// same, tells.

const COPIED = /** @type {const} */ ([
  "boxSizing",
  "borderTopWidth",
  "borderRightWidth",
  "borderBottomWidth",
  "borderLeftWidth",
  "borderStyle",
  "paddingTop",
  "paddingRight",
  "paddingBottom",
  "paddingLeft",
  "fontFamily",
  "fontSize",
  "fontWeight",
  "fontStyle",
  "letterSpacing",
  "lineHeight",
  "tabSize",
  "textIndent",
  "direction",
]);

/**
 * The line box at a character of a textarea, in the window's coordinates.
 *
 * @param {HTMLTextAreaElement} text
 * @param {number} at
 * @returns {{ left: number, top: number, bottom: number }}
 */
export function caretBox(text, at) {
  const style = getComputedStyle(text);
  const copy = document.createElement("div");
  for (const name of COPIED) copy.style[name] = style[name];
  Object.assign(copy.style, {
    position: "absolute",
    visibility: "hidden",
    top: "0",
    left: "-9999px",
    width: `${text.offsetWidth}px`,
    whiteSpace: "pre-wrap",
    overflowWrap: "break-word",
  });
  copy.dir = text.dir;
  const mark = document.createElement("span");
  mark.textContent = text.value.slice(at, at + 1) || ".";
  copy.append(text.value.slice(0, at), mark, text.value.slice(at + 1));
  document.body.append(copy);
  const from = copy.getBoundingClientRect();
  const box = mark.getBoundingClientRect();
  copy.remove();
  const outer = text.getBoundingClientRect();
  const top = outer.top + box.top - from.top - text.scrollTop;
  return { left: outer.left + box.left - from.left - text.scrollLeft, top, bottom: top + box.height };
}
