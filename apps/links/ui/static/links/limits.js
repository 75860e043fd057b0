/** What a request takes, told before a byte moves. The server judges again. */

import { briefBytes as bytes } from "../js/format.js";
import { counted, fill, gettext } from "../js/i18n.js";

/** @typedef {{fileBytes: number, files: number, leftBytes: number, accepts: string[]}} Limits */

/** @param {DOMStringMap} facts of the page @returns {Limits} */
export function limitsOf({ maxFileBytes, maxFiles, leftBytes, accepts }) {
  const number = (/** @type {string | undefined} */ text) => (text ? Number(text) : Infinity);
  return { fileBytes: number(maxFileBytes), files: number(maxFiles), leftBytes: number(leftBytes), accepts: accepts ? accepts.split(",") : [] };
}

/**
 * @param {Limits} limits
 * @param {File} file
 * @param {number} count files that were sent or are to be sent before it
 * @param {number} size their bytes
 * @returns {string} why it cannot be sent; empty: it can
 */
export function problemOf({ fileBytes, files, leftBytes, accepts }, file, count, size) {
  if (accepts.length && !accepts.some((each) => takes(each, file))) return gettext("Files of this type are not asked for.");
  if (file.size > fileBytes) return fill(gettext("Larger than %(size)s."), { size: bytes(fileBytes) });
  if (count >= files) return counted("Only %(count)s file can be sent.", "Only %(count)s files can be sent.", files);
  if (size + file.size > leftBytes) return fill(gettext("More than the %(size)s that are still taken."), { size: bytes(leftBytes) });
  return "";
}

/** @param {string} accepted `.pdf` or `image/*` @param {File} file @returns {boolean} whether it may be one: a type that the browser does not know is the server's to judge */
function takes(accepted, file) {
  if (accepted.startsWith(".")) return file.name.toLowerCase().endsWith(accepted);
  return !file.type || file.type.startsWith(accepted.slice(0, -1));
}
