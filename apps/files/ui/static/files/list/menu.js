/**
 * The menu of a row: by its button, by the right mouse button, by the menu key. It acts on the row, or on the whole selection
 * when the row belongs to it.
 */

import { closest, need } from "../../js/dom.js";
import { openAt } from "../../js/menus.js";
import { isText } from "../types.js";
import { entryOf } from "./rows.js";
import { isSelected, selected } from "./selection.js";

/** @type {import("./rows.js").Entry[]} */
let subjects = [];

/** @returns {import("./rows.js").Entry[]} what the menu that was opened last is about */
export const menuSubjects = () => subjects;

/** @param {string} command @param {string} name @returns {boolean} whether a file of this name is of the type that the command is for */
function fits(command, name) {
  if (command === "edit") return isText(name);
  return command !== "extract" || name.toLowerCase().endsWith(".zip");
}

/** @param {HTMLElement} row @param {number} x @param {number} y */
function openRowMenu(row, x, y) {
  subjects = isSelected(row) ? selected() : [entryOf(row)];
  const menu = need("#row-menu", HTMLElement);
  for (const item of /** @type {NodeListOf<HTMLElement>} */ (menu.querySelectorAll("[data-command]"))) {
    const kinds = (item.dataset.kinds ?? "").split(" ");
    const single = item.dataset.single !== undefined;
    item.hidden = (single && subjects.length !== 1) || !subjects.some((entry) => kinds.includes(entry.kind)) || !fits(item.dataset.command ?? "", subjects[0].name);
  }
  // Modules whose entries depend on the nodes hide or name them now.
  document.dispatchEvent(new CustomEvent("bitvault:menu", { detail: { menu, entries: subjects } }));
  openAt(menu, x, y, row);
}

/** Show which rows an open menu is about. @param {boolean} open */
function markSubjects(open) {
  for (const row of document.querySelectorAll(".row[data-active]")) row.removeAttribute("data-active");
  if (open) for (const { row } of subjects) row?.setAttribute("data-active", "");
}

/** @param {HTMLElement} row the menu stands at its actions */
export function openRowMenuAtRow(row) {
  const box = need('[data-act="menu"]', HTMLElement, row).getBoundingClientRect();
  openRowMenu(row, box.right - 220, box.bottom + 4);
}

/** Let pointers open it. */
export function startRowMenu() {
  need("#row-menu", HTMLElement).addEventListener("toggle", (event) => markSubjects(/** @type {ToggleEvent} */ (event).newState === "open"));
  document.addEventListener("contextmenu", (event) => {
    const row = closest(event.target, '[data-page="folder"] #rows > .row');
    if (!row || closest(event.target, "input")) return;
    event.preventDefault();
    // A long press on a touch screen selects; its context menu would be the second answer to one gesture.
    if (/** @type {PointerEvent} */ (event).pointerType === "touch") return;
    openRowMenu(row, event.clientX, event.clientY);
  });
}
