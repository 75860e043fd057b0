/** One row: how it is made from what REST says of a node, filled anew, and read back. The page's template says how it looks. */

import { need, setIcon } from "../../js/dom.js";
import { bytes, fillTimes } from "../../js/format.js";
import { labelOf, splitName, typeOf } from "../types.js";
import { isSelectedId } from "./chosen.js";
import { learnOwner, showOwner } from "./owners.js";
import { keepLock } from "./lock.js";
import { fill, gettext } from "../../js/i18n.js";

/** What keeps something in the trash. @typedef {{by: string, until: string | null}} Kept */

/**
 * What a row says. The last four stand in the trash alone; `origin`: the folder that it was in, in words.
 *
 * @typedef {{
 *   id: string, kind: string, name: string, revision: number, modified_at: string, size_bytes: number | null, name_problems: string[],
 *   created_by?: string, lock?: import("./lock.js").Lock | null, origin?: string, origin_path?: string, trashed_at?: string | null, expires_at?: string, kept?: Kept | null,
 * }} Facts
 */

/** @returns {boolean} whether the page is one of the trash */
const isTrash = () => document.getElementById("main")?.dataset.page === "trash";

/** @param {Facts} facts @returns {HTMLElement} */
export function makeRow(facts) {
  const template = need("#row-template", HTMLTemplateElement);
  const row = need(".row", HTMLElement, /** @type {DocumentFragment} */ (template.content.cloneNode(true)));
  fillRow(row, facts);
  row.setAttribute("aria-selected", String(isSelectedId(facts.id)));
  return row;
}

/** @param {HTMLElement} row @returns {Facts} what it says */
export function readRow(row) {
  const { id = "", kind = "", name = "", revision = "0", modified = "", size = "", owner = "", origin } = row.dataset;
  const facts = { id, kind, name, revision: Number(revision), modified_at: modified, size_bytes: size === "" ? null : Number(size), name_problems: problemsOf(row) };
  if (!isTrash()) {
    learnOwner(row);
    const lock = row.querySelector("[data-lock]")?.getAttribute("data-lock");
    return { ...facts, created_by: owner, lock: lock ? JSON.parse(lock) : null };
  }
  const timeOf = (/** @type {string} */ slot) => row.querySelector(`time[data-slot="${slot}"]`)?.getAttribute("datetime") ?? "";
  return { ...facts, origin, trashed_at: timeOf("trashed"), expires_at: timeOf("expires"), kept: readKept(row) };
}

/** @param {HTMLElement} row @returns {string[]} */
function problemsOf(row) {
  const flags = [...row.querySelectorAll("[data-flag]:not([hidden])")];
  return flags.map((flag) => (flag.getAttribute("data-flag") === "windows" ? "windows" : "bidi_control"));
}

/** @param {HTMLElement} row @param {Facts} facts */
export function fillRow(row, facts) {
  const type = typeOf(facts.name, facts.kind);
  Object.assign(row.dataset, { id: facts.id, kind: facts.kind, name: facts.name });
  const svg = need(".type", SVGElement, row);
  svg.dataset.type = type;
  setIcon(need("use", SVGElement, svg), `type-${type}`);
  need('[data-slot="label"]', HTMLElement, row).textContent = labelOf(type);
  need('[data-act="toggle"]', HTMLElement, row).setAttribute("aria-label", fill(gettext("Select %(name)s"), { name: facts.name }));
  const [stem, extension] = splitName(facts.name);
  need(".stem", HTMLElement, row).textContent = stem;
  need(".extension", HTMLElement, row).textContent = extension;
  if (isTrash()) fillTrashed(row, facts);
  else fillLive(row, facts);
  fillTimes(row);
}

/** @param {HTMLElement} row @param {Facts} node */
function fillLive(row, node) {
  Object.assign(row.dataset, { revision: String(node.revision), modified: node.modified_at, size: String(node.size_bytes ?? "") });
  const link = need(".name", HTMLAnchorElement, row);
  link.setAttribute("aria-label", node.name);
  link.href = node.kind === "folder" ? `/files/${node.id}/` : `/api/v1/nodes/${node.id}/content`;
  if (node.kind === "file") link.setAttribute("hx-boost", "false");
  else link.removeAttribute("hx-boost");
  need('[data-flag="windows"]', HTMLElement, row).hidden = !node.name_problems.some((problem) => problem.startsWith("windows"));
  need('[data-flag="misleading"]', HTMLElement, row).hidden = !node.name_problems.some((problem) => !problem.startsWith("windows"));
  keepLock(row, node.lock);
  for (const time of row.querySelectorAll("time")) time.setAttribute("datetime", node.modified_at);
  for (const slot of row.querySelectorAll('[data-slot^="size"]')) slot.textContent = bytes(node.size_bytes);
  showOwner(row, node.created_by ?? "");
}

/** @param {HTMLElement} row @param {Facts} node */
function fillTrashed(row, node) {
  const origin = node.origin ?? wordsFor(node.origin_path ?? "");
  row.dataset.origin = origin;
  need(".name", HTMLElement, row).title = node.name;
  need(".origin", HTMLElement, row).textContent = origin;
  const cell = need(".cell-origin", HTMLElement, row);
  cell.title = origin;
  need("bdi", HTMLElement, cell).textContent = origin;
  for (const time of row.querySelectorAll('time[data-slot="trashed"]')) time.setAttribute("datetime", node.trashed_at ?? "");
  for (const time of row.querySelectorAll('time[data-slot="expires"]')) time.setAttribute("datetime", node.expires_at ?? "");
  showKept(row, node.kept ?? null);
}

/** Say what keeps it in place of when it is deleted. @param {HTMLElement} row @param {Kept | null} kept */
function showKept(row, kept) {
  const text = !kept ? "" : kept.by === "hold" ? gettext("On legal hold") : gettext("Kept by a rule until");
  for (const slot of row.querySelectorAll('[data-slot="kept"]')) slot.textContent = text;
  for (const slot of row.querySelectorAll('[data-slot="usual"]')) /** @type {HTMLElement} */ (slot).hidden = Boolean(kept);
  for (const time of row.querySelectorAll('time[data-slot="kept-until"]')) {
    time.setAttribute("datetime", kept?.until ?? "");
    /** @type {HTMLElement} */ (time).hidden = !kept?.until;
  }
}

/** @param {HTMLElement} row @returns {Kept | null} */
function readKept(row) {
  if (!row.querySelector('[data-slot="kept"]')?.textContent) return null;
  const until = row.querySelector('time[data-slot="kept-until"]')?.getAttribute("datetime") || null;
  return { by: until ? "rule" : "hold", until };
}

/** @param {string} path of what lies in the trash @returns {string} the folder that it was in, as the server's `presentation.py` says it */
function wordsFor(path) {
  const folder = path.slice(0, path.lastIndexOf("/"));
  return `${document.getElementById("main")?.dataset.rootName ?? ""}${folder.replaceAll("/", " / ")}`;
}
