/** What a request takes, told before a byte moves. The server judges again. */

import { briefBytes as bytes } from "../js/format.js";
import { counted, fill, gettext } from "../js/i18n.js";

/** @typedef {{fileBytes: number, files: number, leftBytes: number, accepts: string[], allowed: string[] | null, refused: string[]}} Limits */

/** @param {DOMStringMap} facts of the page @returns {Limits} */
export function limitsOf({ maxFileBytes, maxFiles, leftBytes, accepts, allowed, refused }) {
  const list = (/** @type {string | undefined} */ text) => (text ? text.split(",") : []);
  const number = (/** @type {string | undefined} */ text) => (text ? Number(text) : Infinity);
  return { fileBytes: number(maxFileBytes), files: number(maxFiles), leftBytes: number(leftBytes), accepts: list(accepts), allowed: allowed === undefined ? null : list(allowed), refused: list(refused) };
}

/**
 * @param {Limits} limits
 * @param {File} file
 * @param {number} count files that were sent or are to be sent before it
 * @param {number} size their bytes
 * @returns {string} why it cannot be sent; empty: it can
 */
export function problemOf({ fileBytes, files, leftBytes, accepts, allowed, refused }, file, count, size) {
  if (accepts.length && !accepts.some((each) => takes(each, file))) return gettext("Files of this type are not asked for.");
  if ((allowed && !allowed.some((each) => hasEnding(file.name, each))) || refused.some((each) => hasEnding(file.name, each))) return gettext("Files of this type are not taken here.");
  if (file.size > fileBytes) return fill(gettext("Larger than %(size)s."), { size: bytes(fileBytes) });
  if (count >= files) return counted("Only %(count)s file can be sent.", "Only %(count)s files can be sent.", files);
  if (size + file.size > leftBytes) return fill(gettext("More than the %(size)s that are still taken."), { size: bytes(leftBytes) });
  return "";
}

/** @param {string} name @param {string} ending a dot alone: none @returns {boolean} */
function hasEnding(name, ending) {
  if (ending === ".") return !/[^.]\.[^.\s]{1,16}$/u.test(name);
  return name.toLowerCase().replace(/[. ]+$/u, "").endsWith(ending);
}

/** @param {string} accepted `.pdf` or `image/*` @param {File} file @returns {boolean} whether it may be one: a type that the browser does not know is the server's to judge */
function takes(accepted, file) {
  if (accepted.startsWith(".")) return file.name.toLowerCase().endsWith(accepted);
  return !file.type || file.type.startsWith(accepted.slice(0, -1));
}
