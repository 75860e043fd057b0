/** The entries of the rail, and of the menu "More" of a phone: which one the page belongs to, and the numbers beside them. */

/** @param {string} [key] @returns {HTMLElement[]} */
const entries = (key) =>
  /** @type {HTMLElement[]} */ ([...document.querySelectorAll(key ? `:is(.side-link, .side-link-more)[data-section="${key}"]` : ":is(.side-link, .side-link-more)[data-section]")]);

/** @param {string} key @returns {HTMLElement | undefined} the entry that a module has registered under this key */
export const sectionLink = (key) => entries(key)[0];

/** @param {HTMLElement} link */
function settle(link) {
  const empty = link.querySelector("[data-counter]:not([hidden])") === null;
  if (link.dataset.hiddenAtZero !== undefined) link.hidden = empty && !link.hasAttribute("aria-current");
}

/** @param {string} key the entry that the page belongs to */
export function markSection(key) {
  for (const link of entries()) {
    if (link.dataset.section === key) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    settle(link);
  }
}

/**
 * Show a number beside an entry; none is shown for zero.
 *
 * @param {string} key
 * @param {number} count
 * @param {number} [most] more is shown as "99+" when this is 100
 */
export function setCount(key, count, most = Infinity) {
  for (const link of entries(key)) {
    const badge = link.querySelector("[data-counter]");
    if (!(badge instanceof HTMLElement)) continue;
    badge.hidden = count === 0;
    badge.textContent = count < most ? String(count) : `${most - 1}+`;
    settle(link);
  }
}
