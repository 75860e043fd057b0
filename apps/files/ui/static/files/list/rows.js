/** The rows of the list: what they stand for, and how one appears, changes and goes. */

import { get, Problem } from "../../js/api.js";
import { need } from "../../js/dom.js";
import { insertRow, layOut, startBlocks } from "./blocks.js";
import { forgetSelected } from "./chosen.js";
import { countAll, dropFacts, known, rows } from "./gaps.js";
import { fillRow, makeRow, readRow } from "./row.js";
import { changeBytes } from "./totals.js";
import { locale } from "../../js/i18n.js";

export { rows };

/** @typedef {import("../../js/api.js").Node} Node */
/** @typedef {import("./row.js").Facts} Facts */
/** @typedef {{id: string, kind: string, name: string, revision: number, row: HTMLElement | null}} Entry `row`: null while it is not in the page */

/** @returns {HTMLElement | null} */
export const list = () => document.getElementById("list");

/** @param {string} id @returns {HTMLElement | null} */
export const rowOf = (id) => document.querySelector(`#rows > .row[data-id="${CSS.escape(id)}"]`);

/** @returns {{page: string, rootId: string, rootName: string, folderId: string, folderName: string, sort: string, order: string}} what the page shows */
export function place() {
  const main = need("#main", HTMLElement);
  const { page = "", rootId = "", rootName = "", folderId = "", folderName = "", accept = "", sort = "name", order = "asc" } = main.dataset;
  return { page, rootId, rootName, folderId, folderName, accept, sort, order };
}

/** @returns {boolean} whether things here may be changed by the person who looks at them */
export const mayWrite = () => document.querySelector("#main[data-readonly]") === null;

/** @param {HTMLElement} row @returns {Entry} */
export function entryOf(row) {
  const { id = "", kind = "", name = "", revision = "0" } = row.dataset;
  return { id, kind, name, revision: Number(revision), row };
}

/** @returns {Entry[]} all that this page knows of the list, in its order, in the page or not */
export const entries = () => known().map((one) => (one instanceof HTMLElement ? entryOf(one) : { id: one.id, kind: one.kind, name: one.name, revision: one.revision, row: null }));

/** @returns {number} how many rows the list has, in the page or not */
export const countRows = () => countAll();

/** Let long lists keep in the page what is near the window. */
export function startRows() {
  startBlocks({
    make: makeRow,
    read: readRow,
    shown: (made) => {
      // Only in the page does htmx see that its links are to stay within it.
      for (const row of made) boost(row);
      keepOneInTabOrder();
      document.dispatchEvent(new CustomEvent("bitvault:rows-shown", { detail: made }));
    },
  });
  document.addEventListener("bitvault:page", layOut);
}

/** Let a folder's name open it within the page. @param {HTMLElement} row */
function boost(row) {
  const link = row.dataset.kind === "folder" && row.querySelector("a.name");
  if (link) /** @type {any} */ (window).htmx?.process(link);
}

const collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });

/** @param {HTMLElement | Facts} left @param {HTMLElement | Facts} right @returns {number} in the order that the server lists */
function compare(left, right) {
  const { sort, order } = place();
  const [a, b] = [left, right].map((one) => {
    if (one instanceof HTMLElement) return one.dataset;
    return { kind: one.kind, name: one.name, size: String(one.size_bytes ?? ""), modified: one.modified_at };
  });
  if (a.kind !== b.kind) return a.kind === "folder" ? -1 : 1;
  let result = 0;
  if (sort === "size_bytes") result = Number(a.size) - Number(b.size);
  if (sort === "modified_at") result = Date.parse(a.modified ?? "") - Date.parse(b.modified ?? "");
  result ||= collator.compare(a.name ?? "", b.name ?? "");
  return order === "desc" ? -result : result;
}

/** Show the list or the picture of emptiness, whichever is true now. */
export function showEmptiness() {
  const grid = list();
  const empty = document.getElementById("empty");
  if (!grid || !empty) return;
  const none = countAll() === 0;
  grid.hidden = none;
  empty.hidden = !none;
  const emptying = document.querySelector('.topbar [data-command="empty-trash"]');
  if (emptying instanceof HTMLElement) emptying.hidden = none;
}

/**
 * Put a node's row where it belongs: changed in place, moved when its order changed, or new. Selection, focus and scroll stay.
 *
 * @param {Node} node
 * @param {{fresh?: boolean}} [options] `fresh` lets it glow for a moment
 * @returns {HTMLElement | null} null when the node does not lie in the folder that is shown, or not in the part of it that is in the page
 */
export function placeNode(node, { fresh = false } = {}) {
  const { page, folderId } = place();
  const there = rowOf(node.id);
  if (page !== "folder" || node.parent_id !== folderId) {
    if (there && page === "folder") removeRow(node.id);
    return null;
  }
  const row = there ?? makeRow(node);
  const moved = !there || there.dataset.name !== node.name || there.dataset.modified !== node.modified_at;
  // A row that is known but not in the page is made anew, where it belongs now.
  const [before] = there ? [] : dropFacts(new Set([node.id]));
  changeBytes((node.size_bytes ?? 0) - Number(there?.dataset.size ?? before?.size_bytes ?? 0));
  if (there) fillRow(row, node);
  if (moved) {
    const focused = row.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    insertRow(row, compare);
    focused?.focus({ preventScroll: true });
  }
  if (!there) {
    boost(row);
    document.dispatchEvent(new CustomEvent("bitvault:rows-changed"));
  }
  if (fresh) {
    row.dataset.fresh = "";
    row.addEventListener("animationend", () => delete row.dataset.fresh, { once: true });
  }
  showEmptiness();
  keepOneInTabOrder();
  return row.isConnected ? row : null;
}

/** Take a row away; the focus goes to its neighbour. @param {string} id */
export function removeRow(id) {
  removeRows([id]);
}

/** Take rows away, in the page or not. @param {Iterable<string>} ids */
export function removeRows(ids) {
  const gone = new Set(ids);
  for (const id of gone) forgetSelected(id);
  const all = rows();
  const leaving = all.filter((row) => gone.has(row.dataset.id ?? ""));
  const focused = leaving.find((row) => row.contains(document.activeElement));
  const at = focused ? all.indexOf(focused) : -1;
  const neighbour = at < 0 ? undefined : (all.slice(at).find((row) => !leaving.includes(row)) ?? all.slice(0, at).findLast((row) => !leaving.includes(row)));
  let bytes = 0;
  for (const row of leaving) {
    bytes += Number(row.dataset.size ?? 0);
    gone.delete(row.dataset.id ?? "");
    row.remove();
  }
  const dropped = dropFacts(gone);
  bytes += dropped.reduce((sum, one) => sum + (one.size_bytes ?? 0), 0);
  if (!leaving.length && !dropped.length) return;
  changeBytes(-bytes);
  showEmptiness();
  if (neighbour) focusRow(neighbour);
  keepOneInTabOrder();
  document.dispatchEvent(new CustomEvent("bitvault:rows-changed"));
}

/** Exactly one row can be reached by Tab: the one that had the focus last, or the first. */
export function keepOneInTabOrder() {
  const all = rows();
  const reachable = all.filter((row) => row.tabIndex === 0);
  if (reachable.length === 1) return;
  for (const row of reachable) row.tabIndex = -1;
  if (all.length) (reachable[0] ?? all[0]).tabIndex = 0;
}

/** @param {HTMLElement} row */
export function focusRow(row) {
  for (const other of rows()) if (other.tabIndex === 0 && other !== row) other.tabIndex = -1;
  row.tabIndex = 0;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

/**
 * Read a node anew and show what it has become (or that it is gone).
 *
 * @param {string} id
 * @returns {Promise<void>}
 */
export async function refreshRow(id) {
  try {
    const node = await get(`/nodes/${id}`);
    if (node.trashed_at) removeRow(id);
    else placeNode(node, { fresh: true });
  } catch (error) {
    if (error instanceof Problem && error.status === 404) removeRow(id);
    else throw error;
  }
}
