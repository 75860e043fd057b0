/** The rows of the list: what they stand for, and how one appears, changes and goes. */

import { get, Problem } from "../../js/api.js";
import { need, setIcon } from "../../js/dom.js";
import { countAll, dropFacts, insertRow, known, layOut, startBlocks } from "./blocks.js";
import { forgetSelected, isSelectedId } from "./chosen.js";
import { learnOwner, showOwner } from "./owners.js";
import { changeBytes } from "./totals.js";
import { bytes, fillTimes } from "../../js/format.js";
import { labelOf, splitName, typeOf } from "../types.js";
import { fill as put, gettext, locale } from "../../js/i18n.js";

/** @typedef {import("../../js/api.js").Node} Node */
/** @typedef {import("./blocks.js").Facts} Facts */
/** @typedef {{id: string, kind: string, name: string, revision: number, row: HTMLElement | null}} Entry `row`: null while it is not in the page */

/** @returns {HTMLElement | null} */
export const list = () => document.getElementById("list");

/** @returns {HTMLElement[]} */
export const rows = () => /** @type {HTMLElement[]} */ ([...(document.getElementById("rows")?.querySelectorAll(".row") ?? [])]);

/** @param {string} id @returns {HTMLElement | null} */
export const rowOf = (id) => document.querySelector(`#rows > .row[data-id="${CSS.escape(id)}"]`);

/** @returns {{page: string, rootId: string, rootName: string, folderId: string, folderName: string, sort: string, order: string}} what the page shows */
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

/** @returns {Entry[]} all that this page knows of the list, in its order, in the page or not */
export function entries() {
  if (place().page !== "folder") return rows().map(entryOf);
  return known().map((one) => (one instanceof HTMLElement ? entryOf(one) : { id: one.id, kind: one.kind, name: one.name, revision: one.revision, row: null }));
}

/** @returns {number} how many rows the list has, in the page or not */
export const countRows = () => (place().page === "folder" ? countAll() : rows().length);

/** @param {HTMLElement} row @returns {Facts} what it says */
function readRow(row) {
  const { id = "", kind = "", name = "", revision = "0", modified = "", size = "", owner = "" } = row.dataset;
  learnOwner(row);
  const problems = [...row.querySelectorAll("[data-flag]:not([hidden])")].map((flag) => (flag.getAttribute("data-flag") === "windows" ? "windows" : "bidi_control"));
  return { id, kind, name, revision: Number(revision), modified_at: modified, size_bytes: size === "" ? null : Number(size), created_by: owner, name_problems: problems };
}

/** Let long lists keep in the page what is near the window. */
export function startRows() {
  startBlocks({
    make: (facts) => {
      const row = makeRow();
      fill(row, facts);
      row.setAttribute("aria-selected", String(isSelectedId(facts.id)));
      return row;
    },
    read: readRow,
    shown: (made) => {
      // Only in the page does htmx see that its links are to stay within it.
      for (const row of made) boost(row);
      keepOneInTabOrder();
      document.dispatchEvent(new CustomEvent("bitvault:rows-shown"));
    },
  });
  document.addEventListener("bitvault:page", layOut);
}

/** Let a folder's name open it within the page. @param {HTMLElement} row */
function boost(row) {
  if (row.dataset.kind === "folder") /** @type {any} */ (window).htmx?.process(row.querySelector("a.name"));
}

/** @param {ParentNode} root @param {string} name */
function fillName(root, name) {
  const [stem, extension] = splitName(name);
  need(".stem", HTMLElement, root).textContent = stem;
  need(".extension", HTMLElement, root).textContent = extension;
}

/** @param {HTMLElement} row @param {Facts} node */
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
  need('[data-act="toggle"]', HTMLElement, row).setAttribute("aria-label", put(gettext("Select %(name)s"), { name: node.name }));
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
  showOwner(row, node.created_by);
  fillTimes(row);
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
  const none = place().page === "folder" ? countAll() === 0 : !grid.querySelector(".row, .more");
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
  const row = there ?? makeRow();
  const moved = !there || there.dataset.name !== node.name || there.dataset.modified !== node.modified_at;
  // A row that is known but not in the page is made anew, where it belongs now.
  if (!there) dropFacts(node.id);
  changeBytes((node.size_bytes ?? 0) - Number(there?.dataset.size ?? 0));
  fill(row, node);
  if (moved) {
    const focused = row.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    insertRow(row, compare);
    focused?.focus({ preventScroll: true });
  }
  if (!there) {
    row.setAttribute("aria-selected", String(isSelectedId(node.id)));
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
  forgetSelected(id);
  if (!row) {
    if (place().page === "folder" && dropFacts(id)) {
      showEmptiness();
      document.dispatchEvent(new CustomEvent("bitvault:rows-changed"));
    }
    return;
  }
  changeBytes(-Number(row.dataset.size ?? 0));
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
