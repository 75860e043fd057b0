/** Small things every module needs from the page. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {Element} T
 * @param {string} selector
 * @param {new (...args: any[]) => T} type
 * @param {ParentNode} [root]
 * @returns {T} the element, which must be there
 */
export function need(selector, type, root = document) {
  const element = root.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`The page lacks ${selector}`);
  return element;
}

/** @param {EventTarget | null} target @param {string} selector @returns {HTMLElement | null} */
export function closest(target, selector) {
  const found = target instanceof Element ? target.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

/** @param {string} name @returns {string} what the page says of itself under this name */
export const pageFact = (name) => document.querySelector(`meta[name="bitvault-${name}"]`)?.getAttribute("content") ?? "";

/** @returns {string} address of the icon sprite */
const sprite = () => pageFact("icons");

/** @param {Element} use @param {string} name */
export const setIcon = (use, name) => use.setAttribute("href", `${sprite()}#${name}`);

/** @param {string} name @param {string} [classes] @returns {SVGElement} */
export function icon(name, classes = "icon") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", classes);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  setIcon(use, name);
  svg.append(use);
  return svg;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** @param {string} text said by screen readers when they have a moment */
export function announce(text) {
  speak("#announcer", text);
}

/** @param {string} text said by screen readers at once */
export function alarm(text) {
  speak("#alarm", text);
}

/** @param {string} selector @param {string} text */
function speak(selector, text) {
  const region = document.querySelector(selector);
  if (!region) return;
  // The same words twice are spoken twice only if the region was empty in between.
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 40);
}
