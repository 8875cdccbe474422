// Building nodes without markup: every text from outside becomes a text node.

/**
 * Makes an element; `on…` properties are listeners, the rest are attributes.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(.../** @type {Node[]} */ (children.filter(Boolean)));
  return element;
}

const ICONS = {
  attach: 'M8 12.5l6.2-6.2a3.2 3.2 0 0 1 4.5 4.5l-8.1 8.1a5.2 5.2 0 0 1-7.4-7.4L11 3.7',
  close: 'M6 6l12 12M18 6L6 18',
  collapse: 'M5 9l7 7 7-7',
  file: 'M13.5 3H6.5v18h11V7l-4-4zM13.5 3v4h4',
  send: 'M4 12l16-8-5 16-3.5-6.5L4 12zM11.5 13.5L20 4',
  sound: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11',
  mute: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4zM15.5 9.5l5 5M20.5 9.5l-5 5',
};

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'icon');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * @param {keyof typeof ICONS} name
 * @param {string} kind
 * @param {string} label
 * @param {() => void} onclick
 */
export function iconButton(name, kind, label, onclick) {
  return h('button', { type: 'button', class: `round ${kind}`, 'aria-label': label, title: label, onclick }, icon(name));
}

/**
 * Sets text only when it differs, so that a live region does not announce it again.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Puts `wanted` into `parent` in this order, moving only what is out of place.
 * @param {Element} parent
 * @param {Node[]} wanted
 */
export function arrange(parent, wanted) {
  let at = parent.firstChild;
  for (const node of wanted) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/**
 * The whole address if it leads to the web, and nothing otherwise.
 * @param {string} address
 * @param {string} [base]
 */
export function safeLink(address, base) {
  try {
    const url = new URL(address, base);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function linkified(text) {
  /** @type {(Node | string)[]} */
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"'`]+/gi)) {
    let found = match[0].replace(/[.,;:!?»”’…]+$/, '');
    // A closing bracket belongs to the address only if it was opened in it.
    if (!found.includes('(')) found = found.replace(/\)[).,;:!?]*$/, '');
    const href = safeLink(found);
    if (!href) continue;
    nodes.push(text.slice(from, match.index), h('a', { href, target: '_blank', rel: 'noopener nofollow' }, found));
    from = match.index + found.length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== '');
}
