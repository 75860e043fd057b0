/** Rows dragged onto a folder, a step of the path, the rail or the trash. Files from outside are no business of this module. */

import { closest, icon, make } from "../../js/dom.js";
import { trash } from "./actions.js";
import { moveInto } from "./move.js";
import { entryOf, mayWrite, place } from "./rows.js";
import { clearSelection, isSelected, selected } from "./selection.js";
import { fill, gettext } from "../../js/i18n.js";

const MARK = "application/x-bitvault-nodes";
const TARGETS = '.row[data-kind="folder"], [data-drop-folder], [data-drop-root], [data-drop-trash]';

/** @type {import("./rows.js").Entry[]} what is in the air; only this page can hold it */
let carried = [];
/** @type {HTMLElement | null} */
let hovered = null;

/** @param {HTMLElement | null} target */
function hover(target) {
  if (hovered === target) return;
  hovered?.removeAttribute("data-drop");
  hovered = target;
  hovered?.setAttribute("data-drop", "");
}

/** @param {HTMLElement} target @returns {string} the folder that it stands for; "" for the trash, and for one's own root while nobody has said which it is */
function folderOf({ dataset }) {
  if (dataset.dropRoot !== undefined) return place().rootId || (dataset.rootId ?? "");
  return dataset.dropFolder ?? dataset.id ?? "";
}

/** @param {EventTarget | null} where @returns {HTMLElement | null} where these rows may be dropped */
function targetOf(where) {
  const target = closest(where, TARGETS);
  if (!target) return null;
  const id = folderOf(target);
  if (!id && target.dataset.dropTrash === undefined) return null;
  return id === place().folderId || carried.some((entry) => entry.id === id) ? null : target;
}

/** @param {DragEvent} event */
function showChip(event) {
  const text = carried.length === 1 ? carried[0].name : fill(gettext("%(length)s items"), { length: carried.length });
  const chip = make("div", { class: "drag-chip", "aria-hidden": "true" }, icon(carried.length === 1 && carried[0].kind === "folder" ? "folder" : "copy"), text);
  document.body.append(chip);
  event.dataTransfer?.setDragImage(chip, 12, 12);
  setTimeout(() => chip.remove());
}

/** Make rows movable by pointer. */
export function startDrag() {
  document.addEventListener("dragstart", (event) => {
    const row = closest(event.target, "#rows > .row");
    if (!row || place().page !== "folder" || !mayWrite() || !event.dataTransfer) return;
    carried = isSelected(row) ? selected() : [entryOf(row)];
    event.dataTransfer.setData(MARK, carried.map((entry) => entry.id).join(","));
    event.dataTransfer.effectAllowed = "move";
    showChip(event);
    for (const entry of carried) entry.row?.setAttribute("data-dragged", "");
    // The bar of the selection lies over the path, which is a place to drop. Not at once: that would end the drag.
    setTimeout(() => document.getElementById("main")?.setAttribute("data-dragging", ""));
  });
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes(MARK)) return;
    const target = targetOf(event.target);
    hover(target);
    if (!target) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
  });
  document.addEventListener("dragend", () => {
    hover(null);
    document.getElementById("main")?.removeAttribute("data-dragging");
    for (const entry of carried) entry.row?.removeAttribute("data-dragged");
    carried = [];
  });
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.types.includes(MARK)) return;
    event.preventDefault();
    const target = targetOf(event.target);
    const entries = carried.map((entry) => (entry.row ? entryOf(entry.row) : entry));
    hover(null);
    if (!target || !entries.length) return;
    clearSelection();
    if (target.dataset.dropTrash !== undefined) return void trash(entries);
    const id = folderOf(target);
    const name = target.dataset.dropName ?? target.dataset.name ?? gettext("My files");
    void moveInto(entries, { id, name }, place().folderId);
  });
}
