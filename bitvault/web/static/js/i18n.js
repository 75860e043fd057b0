/** Texts in the language of the page, from Django's catalogue, which the frame loads before any module; and what goes by its locale. */

/** @typedef {{gettext: (text: string) => string, ngettext: (one: string, many: string, count: number) => string, pgettext: (context: string, text: string) => string}} Catalogue */

/** @type {Catalogue | undefined} */
const catalogue = /** @type {any} */ (globalThis).django;

/** The language of the page, for `Intl`. */
export const locale = document.documentElement.lang || "en";

/** @param {string} text @returns {string} */
export const gettext = (text) => catalogue?.gettext?.(text) ?? text;

/** @param {string} one @param {string} many @param {number} count @returns {string} */
export const ngettext = (one, many, count) => catalogue?.ngettext?.(one, many, count) ?? (count === 1 ? one : many);

/** @param {string} context @param {string} text @returns {string} */
export const pgettext = (context, text) => catalogue?.pgettext?.(context, text) ?? text;

/**
 * Put facts into a text: `%(name)s` becomes `facts.name`.
 *
 * @param {string} text
 * @param {Record<string, string | number>} facts
 * @returns {string}
 */
export const fill = (text, facts) => text.replace(/%\((\w+)\)s/gu, (whole, name) => (name in facts ? String(facts[name]) : whole));

const numbers = new Intl.NumberFormat(locale);

/**
 * A text with a number in it, which stands as `%(count)s`.
 *
 * @param {string} one
 * @param {string} many
 * @param {number} count
 * @param {Record<string, string | number>} [facts]
 * @returns {string}
 */
export const counted = (one, many, count, facts = {}) => fill(ngettext(one, many, count), { count: numbers.format(count), ...facts });
