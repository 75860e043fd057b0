/** The rows of the list: what they stand for, and how one appears, changes and goes. */

import { get, Problem } from "../../js/api.js";
import { need, setIcon } from "../../js/dom.js";
import { bytes, fillTimes } from "../../js/format.js";
import { labelOf, splitName, typeOf } from "../types.js";

/** @typedef {import("../../js/api.js").Node} Node */
/** @typedef {{id: string, kind: string, name: string, revision: number, row: HTMLElement}} Entry */

/** @returns {HTMLElement | null} */
export const list = () => document.getElementById("list");

/** @returns {HTMLElement[]} */
export const rows = () => /** @type {HTMLElement[]} */ ([...(document.getElementById("rows")?.querySelectorAll(".row") ?? [])]);

/** @param {string} id @returns {HTMLElement | null} */
export const rowOf = (id) => document.querySelector(`#rows > .row[data-id="${CSS.escape(id)}"]`);

/** @returns {{page: string, rootId: string, folderId: string, folderName: string, sort: string, order: string}} what the page shows */
export function place() {
  const main = need("#main", HTMLElement);
  const { page = "", rootId = "", rootName = "", folderId = "", folderName = "", sort = "name", order = "asc" } = main.dataset;
  return { page, rootId, rootName, folderId, folderName, sort, order };
}

/** @returns {boolean} whether things here may be changed by the person who looks at them */
export const mayWrite = () => document.querySelector("#main[data-readonly]") === null;

/** @param {HTMLElement} row @returns {Entry} */
export function entryOf(row) {
  const { id = "", kind = "", name = "", revision = "0" } = row.dataset;
  return { id, kind, name, revision: Number(revision), row };
}

/** @param {ParentNode} root @param {string} name */
function fillName(root, name) {
  const [stem, extension] = splitName(name);
  need(".stem", HTMLElement, root).textContent = stem;
  need(".extension", HTMLElement, root).textContent = extension;
}

/** @param {HTMLElement} row @param {Node} node */
function fill(row, node) {
  const type = typeOf(node.name, node.kind);
  Object.assign(row.dataset, {
    id: node.id,
    kind: node.kind,
    name: node.name,
    revision: String(node.revision),
    modified: node.modified_at,
    size: String(node.size_bytes ?? ""),
  });
  const svg = need(".type", SVGElement, row);
  svg.dataset.type = type;
  setIcon(need("use", SVGElement, svg), `type-${type}`);
  need('[data-slot="label"]', HTMLElement, row).textContent = labelOf(type);
  need('[data-act="toggle"]', HTMLElement, row).setAttribute("aria-label", `Select ${node.name}`);
  const link = need(".name", HTMLAnchorElement, row);
  link.setAttribute("aria-label", node.name);
  link.href = node.kind === "folder" ? `/files/${node.id}/` : `/api/v1/nodes/${node.id}/content`;
  if (node.kind === "file") link.setAttribute("hx-boost", "false");
  fillName(row, node.name);
  need('[data-flag="windows"]', HTMLElement, row).hidden = !node.name_problems.some((problem) => problem.startsWith("windows"));
  need('[data-flag="misleading"]', HTMLElement, row).hidden = !node.name_problems.some((problem) => !problem.startsWith("windows"));
  for (const time of row.querySelectorAll("time")) time.setAttribute("datetime", node.modified_at);
  for (const slot of row.querySelectorAll('[data-slot^="size"]')) slot.textContent = bytes(node.size_bytes);
  need('[data-act="download"]', HTMLElement, row).hidden = node.kind === "folder";
  fillTimes(row);
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** @param {HTMLElement} left @param {HTMLElement} right @returns {number} in the order that the server lists */
function compare(left, right) {
  const { sort, order } = place();
  const a = left.dataset;
  const b = right.dataset;
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
  const none = !grid.querySelector(".row, .more");
  grid.hidden = none;
  empty.hidden = !none;
  const emptying = document.querySelector('.topbar [data-command="empty-trash"]');
  if (emptying instanceof HTMLElement) emptying.hidden = none;
}

/** @param {HTMLElement} row */
function insert(row) {
  const holder = need("#rows", HTMLElement);
  const next = rows().find((other) => other !== row && compare(row, other) < 0);
  holder.insertBefore(row, next ?? holder.querySelector(".more"));
}

/**
 * Put a node's row where it belongs: changed in place, moved when its order changed, or new. Selection, focus and scroll stay.
 *
 * @param {Node} node
 * @param {{fresh?: boolean}} [options] `fresh` lets it glow for a moment
 * @returns {HTMLElement | null} null when the node does not lie in the folder that is shown
 */
export function placeNode(node, { fresh = false } = {}) {
  const { page, folderId } = place();
  const known = rowOf(node.id);
  if (page !== "folder" || node.parent_id !== folderId) {
    if (known && page === "folder") removeRow(node.id);
    return null;
  }
  const row = known ?? makeRow();
  const moved = !known || known.dataset.name !== node.name || known.dataset.modified !== node.modified_at;
  fill(row, node);
  if (moved) {
    const focused = row.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    insert(row);
    focused?.focus({ preventScroll: true });
  }
  if (!known) /** @type {any} */ (window).htmx?.process(row);
  if (fresh) {
    row.dataset.fresh = "";
    row.addEventListener("animationend", () => delete row.dataset.fresh, { once: true });
  }
  showEmptiness();
  keepOneInTabOrder();
  return row;
}

/** @returns {HTMLElement} */
function makeRow() {
  const template = need("#row-template", HTMLTemplateElement);
  const row = /** @type {DocumentFragment} */ (template.content.cloneNode(true)).querySelector(".row");
  return /** @type {HTMLElement} */ (row);
}

/**
 * Take a row away; the focus goes to its neighbour.
 *
 * @param {string} id
 */
export function removeRow(id) {
  const row = rowOf(id);
  if (!row) return;
  const hadFocus = row.contains(document.activeElement);
  const all = rows();
  const at = all.indexOf(row);
  row.remove();
  showEmptiness();
  const neighbour = all[at + 1] ?? all[at - 1];
  if (hadFocus && neighbour) focusRow(neighbour);
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

/** Rows that came with a further page win over rows that this page inserted before. @param {ParentNode} holder */
export function dropDoubles(holder) {
  const seen = new Map();
  for (const row of holder.querySelectorAll(".row")) {
    const id = row.getAttribute("data-id");
    const earlier = seen.get(id);
    if (earlier) {
      if (earlier.getAttribute("aria-selected") === "true") row.setAttribute("aria-selected", "true");
      earlier.remove();
    }
    seen.set(id, row);
  }
}
