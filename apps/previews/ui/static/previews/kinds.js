/** How a file is shown, by what its row says of it. */

import { typeOf as typeOfName } from "../files/types.js";

/** @typedef {"picture" | "document" | "video" | "audio" | "text"} Kind */

/** Pictures that the server cannot draw: their icon says image, and their text or nothing can be shown. */
const NOT_DRAWN = new Set(["svg", "psd", "ai", "eps", "raw", "cr2", "cr3", "nef", "arw", "dng", "xcf", "ico"]);

/** Pictures that browsers show as they are. */
const NATIVE = new Set(["jpg", "jpeg", "jfif", "png", "gif", "webp", "avif", "bmp"]);

/** @param {string} name @returns {string} */
export const extensionOf = (name) => (name.includes(".") ? name.slice(name.lastIndexOf(".") + 1).toLowerCase() : "");

/** @param {HTMLElement} row @returns {string} */
export const typeOf = (row) => typeOfName(row.dataset.name ?? "");

/** @param {HTMLElement} row @returns {boolean} whether a picture can stand in the place of its icon */
export const isShown = (row) => ["image", "pdf"].includes(typeOf(row)) && !NOT_DRAWN.has(extensionOf(row.dataset.name ?? ""));

/** @param {HTMLElement} row @returns {Kind} */
export function kindOf(row) {
  const type = typeOf(row);
  if (isShown(row)) return type === "pdf" ? "document" : "picture";
  if (type === "video" || type === "audio") return type;
  return "text";
}

/** @param {string} name @returns {boolean} whether browsers show the file itself */
export const isNative = (name) => NATIVE.has(extensionOf(name));

/** @param {string} name @returns {boolean} whether it may move */
export const mayMove = (name) => extensionOf(name) === "gif";
