// Short ways to elements of the page.

/**
 * Return the element with an id; null if there is none.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * Return all elements that a CSS selector finds.
 * @param {string} selector
 * @returns {any[]}
 */
export function all(selector) {
  return [...document.querySelectorAll(selector)];
}

/**
 * Return a new element. Texts become text nodes, never HTML.
 * @param {string} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/**
 * Set an element's text if it differs: the same text again would cost a layout.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
