// Making nodes. Data goes in as text nodes and attributes, never as markup.

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any> | null} [props] `on…` are listeners, `class` and the rest attributes
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  setProps(node, props ?? {});
  fill(node, children.flat());
  return node;
}

/**
 * A custom element.
 *
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @returns {any}
 */
export function el(tag, props = {}) {
  const node = document.createElement(tag);
  setProps(node, props);
  return node;
}

/** @param {HTMLElement} node @param {Record<string, any>} props */
function setProps(node, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "indeterminate")
      /** @type {any} */ (node)[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

/** @param {Element} node @param {Child[]} children */
function fill(node, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child instanceof Node ? child : String(child));
  }
}

/** @param {Element} node @param {...(Child | Child[])} children */
export function replace(node, ...children) {
  node.replaceChildren();
  fill(node, children.flat());
}

/** @type {WeakMap<Element, Map<string, { node: HTMLElement, stamp: unknown[] }>>} */
const drawn = new WeakMap();

/**
 * Makes the children of `parent` those of `items`, keeping the node of an item
 * whose stamp has not changed, so that focus, scroll and loaded pictures stay.
 *
 * @template T
 * @param {HTMLElement} parent
 * @param {T[]} items
 * @param {{ key: (item: T) => string, stamp: (item: T) => unknown[], draw: (item: T) => HTMLElement }} how
 */
export function reconcile(parent, items, { key, stamp, draw }) {
  const before = drawn.get(parent) ?? new Map();
  const after = new Map();
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const focusedKey = focused?.closest("[data-key]")?.getAttribute("data-key");
  for (const item of items) {
    const id = key(item);
    const marks = stamp(item);
    const old = before.get(id);
    const same =
      old &&
      old.stamp.length === marks.length &&
      old.stamp.every((/** @type {unknown} */ v, /** @type {number} */ i) => Object.is(v, marks[i]));
    const node = same ? old.node : draw(item);
    node.dataset.key = id;
    after.set(id, { node, stamp: marks });
  }
  /** @type {ChildNode | null} */
  let cursor = parent.firstChild;
  const keep = new Set([...after.values()].map(({ node }) => node));
  for (const { node } of after.values()) {
    while (cursor && !keep.has(/** @type {HTMLElement} */ (cursor))) {
      const gone = cursor;
      cursor = cursor.nextSibling;
      gone.remove();
    }
    if (cursor === node) cursor = node.nextSibling;
    else parent.insertBefore(node, cursor);
  }
  while (cursor) {
    const gone = cursor;
    cursor = cursor.nextSibling;
    gone.remove();
  }
  drawn.set(parent, after);
  if (focusedKey && !parent.contains(document.activeElement)) {
    const node = after.get(focusedKey)?.node;
    (node?.matches("button, a, [tabindex]") ? node : node?.querySelector("button, a, [tabindex]"))?.focus();
  }
}

/** @param {string | undefined} text whether it is an http(s) address that may become a link */
export function isLink(text) {
  return /^https?:\/\/[^\s]+$/i.test(text ?? "");
}

/**
 * Text with its web addresses as links.
 *
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function linked(text) {
  return text
    .split(/(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]])/gi)
    .map((part) =>
      isLink(part) ? h("a", { href: part, target: "_blank", rel: "noopener noreferrer nofollow" }, part) : part,
    );
}
