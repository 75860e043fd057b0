/** The entries of the rail: which one the page belongs to, and the numbers beside them. */

/** @param {string} key @returns {HTMLElement | null} the entry that a module has registered under this key */
export const sectionLink = (key) => document.querySelector(`.side-link[data-section="${key}"]`);

/** @param {HTMLElement} link @returns {boolean} */
const isEmpty = (link) => link.querySelector("[data-counter]:not([hidden])") === null;

/** @param {HTMLElement} link */
function settle(link) {
  if (link.dataset.hiddenAtZero !== undefined) link.hidden = isEmpty(link) && !link.hasAttribute("aria-current");
}

/** @param {string} key the entry that the page belongs to */
export function markSection(key) {
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".side-link[data-section]"))) {
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
  const link = sectionLink(key);
  const badge = link?.querySelector("[data-counter]");
  if (!link || !(badge instanceof HTMLElement)) return;
  badge.hidden = count === 0;
  badge.textContent = count < most ? String(count) : `${most - 1}+`;
  settle(link);
}
