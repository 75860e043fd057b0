/** The menu of a row: by its button, by the right mouse button, by the menu key. It acts on the selection that it belongs to. */

import { closest, need } from "../../js/dom.js";
import { openAt } from "../../js/menus.js";
import { isSelected, selected, selectOnly } from "./selection.js";

/** @param {HTMLElement} row @param {number} x @param {number} y */
export function openRowMenu(row, x, y) {
  if (!isSelected(row)) selectOnly(row);
  const entries = selected();
  const menu = need("#row-menu", HTMLElement);
  const show = (/** @type {string} */ command, /** @type {boolean} */ on) => {
    need(`[data-command="${command}"]`, HTMLElement, menu).hidden = !on;
  };
  show("open", entries.length === 1 && entries[0].kind === "folder");
  show("download", entries.some((entry) => entry.kind === "file"));
  show("rename", entries.length === 1);
  openAt(menu, x, y, row);
}

/** @param {HTMLElement} row the menu stands at its actions */
export function openRowMenuAtRow(row) {
  const box = need('[data-act="menu"]', HTMLElement, row).getBoundingClientRect();
  openRowMenu(row, box.right - 220, box.bottom + 4);
}

/** Let pointers open it. */
export function startRowMenu() {
  document.addEventListener("contextmenu", (event) => {
    const row = closest(event.target, '[data-page="folder"] #rows > .row');
    if (!row || closest(event.target, "input")) return;
    event.preventDefault();
    // A long press on a touch screen selects; its context menu would be the second answer to one gesture.
    if (/** @type {PointerEvent} */ (event).pointerType === "touch") return;
    openRowMenu(row, event.clientX, event.clientY);
  });
}
