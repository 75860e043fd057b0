/** The list by keyboard: the grid pattern of the ARIA practices, with one row in the tab order. */

import { undoLatest } from "../../js/toast.js";
import { closest } from "../../js/dom.js";
import { focusRow, list, rows } from "./rows.js";
import { clearSelection, isSelected, selectAll, selected, selectOnly, selectRange, toggle } from "./selection.js";

/** Rows that Page Up and Page Down pass over. */
const PAGE = 12;
/** Letters typed faster than this belong to one word. */
const TYPING_MS = 700;

let typed = "";
let typedAt = 0;

/** @param {string} letter @param {HTMLElement[]} all @param {number} at @returns {HTMLElement | undefined} */
function byLetters(letter, all, at) {
  const now = Date.now();
  typed = now - typedAt > TYPING_MS ? letter : typed + letter;
  typedAt = now;
  const start = typed.length === 1 ? at + 1 : at;
  const ordered = [...all.slice(start), ...all.slice(0, start)];
  return ordered.find((row) => row.dataset.name?.toLowerCase().startsWith(typed.toLowerCase()));
}

/** @param {KeyboardEvent} event @param {HTMLElement} row */
function withinRow(event, row) {
  const stops = /** @type {HTMLElement[]} */ ([row, ...row.querySelectorAll("a.name, button")]).filter((stop) => stop.offsetParent !== null);
  const at = stops.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const next = stops[at + (event.key === "ArrowRight" ? 1 : -1)];
  next?.focus({ preventScroll: true });
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLElement} row the one that has the focus
 * @param {Record<string, () => void>} commands
 * @returns {boolean} whether the key meant something
 */
function onRowKey(event, row, commands) {
  const all = rows();
  const at = all.indexOf(row);
  const steps = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + PAGE, PageUp: at - PAGE, Home: 0, End: all.length - 1 };
  const inControl = document.activeElement !== row;

  if (event.key in steps) {
    const wanted = steps[/** @type {keyof typeof steps} */ (event.key)];
    const next = all[Math.max(0, Math.min(all.length - 1, wanted))];
    if (event.ctrlKey || event.metaKey) focusRow(next);
    else if (event.shiftKey) {
      if (!selected().length) selectOnly(row);
      selectRange(next);
      focusRow(next);
    } else {
      selectOnly(next);
      focusRow(next);
    }
    return true;
  }
  if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    withinRow(event, row);
    return true;
  }
  if (event.key === " " && !inControl) {
    if (event.shiftKey) selectRange(row);
    else toggle(row);
    return true;
  }
  if (event.key === "Enter" && !inControl) {
    row.querySelector("a.name")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    return true;
  }
  if (event.key === "F2" || event.key === "Delete") {
    if (!isSelected(row)) selectOnly(row);
    commands[event.key]?.();
    return true;
  }
  if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
    if (!isSelected(row)) selectOnly(row);
    commands.menu?.();
    return true;
  }
  if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && !inControl) {
    const found = byLetters(event.key, all, at);
    if (found) {
      selectOnly(found);
      focusRow(found);
    }
    return true;
  }
  return false;
}

/** @param {Record<string, () => void>} commands what F2, Delete and the menu key do */
export function startKeyboard(commands) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || closest(event.target, "input, textarea, dialog, .menu, .tray, .toast")) return;
    const grid = list();
    if (!grid) return;
    const row = closest(document.activeElement, "#rows > .row");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && !grid.hidden) {
      selectAll();
      event.preventDefault();
    } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      if (undoLatest()) event.preventDefault();
    } else if (event.key === "Escape") {
      if (row && document.activeElement !== row) focusRow(row);
      else clearSelection();
    } else if (row) {
      if (onRowKey(event, row, commands)) event.preventDefault();
    } else if (event.key === "Delete" && selected().length && !closest(event.target, "button, a")) {
      commands.Delete?.();
    } else if ((event.key === "ArrowDown" || event.key === "Home") && !closest(event.target, "button, a, .side")) {
      const first = rows().find((other) => other.tabIndex === 0) ?? rows()[0];
      if (first) {
        focusRow(first);
        event.preventDefault();
      }
    }
  });
}
