/** Which kind of file a name promises; the table is shared with the server's templates. */

import table from "./types.json" with { type: "json" };
import { gettext } from "../js/i18n.js";

/** A longer ending is no extension but a part of the name. */
const LONGEST_EXTENSION = 10;

/** @param {string} name @returns {[string, string]} the stem and the extension with its dot (or "") */
export function splitName(name) {
  const dot = name.lastIndexOf(".");
  const extension = name.slice(dot);
  if (dot <= 0 || extension.length < 2 || extension.length > LONGEST_EXTENSION || /\s/u.test(extension)) return [name, ""];
  return [name.slice(0, dot), extension];
}

/** @param {string} name @param {string} [kind] @returns {string} a name beside a taken one: "report (2).pdf" */
export function nextName(name, kind = "file") {
  const [stem, extension] = kind === "folder" ? [name, ""] : splitName(name);
  const numbered = /^(.*) \((\d+)\)$/su.exec(stem);
  return numbered ? `${numbered[1]} (${Number(numbered[2]) + 1})${extension}` : `${stem} (2)${extension}`;
}

/** @param {string} name @returns {string} without what the server refuses in names: controls, invisible characters, slashes, spaces at the ends */
export function fitName(name) {
  const fit = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}/]/gu, "").trim();
  return /^\.{0,2}$/u.test(fit) ? gettext("Untitled") : fit;
}

/** @param {string} name @param {string} [kind] @returns {string} a key of the icons `type-…` */
export function typeOf(name, kind = "file") {
  if (kind === "folder") return "folder";
  const extension = splitName(name)[1].slice(1).toLowerCase();
  return /** @type {Record<string, string>} */ (table.extensions)[extension] ?? "file";
}

/** @param {string} type @returns {string} what it is called */
export const labelOf = (type) => gettext(/** @type {Record<string, string>} */ (table.labels)[type] ?? table.labels.file);

/** Data that is text, among what shares their icon. */
const TEXT_DATA = new Set(["csv", "tsv", "json", "jsonl", "xml", "yaml", "yml", "toml", "svg"]);

/** @param {string} name @returns {boolean} whether it promises text that a person can write */
export const isText = (name) => ["text", "code"].includes(typeOf(name)) || TEXT_DATA.has(splitName(name)[1].slice(1).toLowerCase());
