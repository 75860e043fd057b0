/** The list by keyboard: the grid pattern of the ARIA practices, with one row in the tab order. */

import { undoLatest } from "../../js/toast.js";
import { closest } from "../../js/dom.js";
import { reach } from "./blocks.js";
import { hasUnread, indexOf, tiles } from "./gaps.js";
import { countRows, entries, focusRow, list, rows } from "./rows.js";
import { findByName } from "./source.js";
import { clearSelection, isSelected, selectAll, selected, selectOnly, selectRange, toggle } from "./selection.js";

/** Rows that Page Up and Page Down pass over, and lines of tiles. */
const PAGE = 12;
const PAGE_LINES = 3;
/** Letters typed faster than this belong to one word. */
const TYPING_MS = 700;

let typed = "";
let typedAt = 0;

/**
 * Find the next name that begins with what is typed; where not all rows were read, the server knows.
 *
 * @param {string} letter
 * @param {number} at index of the row that has the focus
 * @returns {Promise<HTMLElement | undefined>}
 */
async function byLetters(letter, at) {
  const now = Date.now();
  typed = now - typedAt > TYPING_MS ? letter : typed + letter;
  typedAt = now;
  const wanted = typed;
  const start = wanted.length === 1 ? at + 1 : at;
  if (hasUnread()) {
    const index = await findByName(wanted, start - 1);
    return index === null || typed !== wanted ? undefined : reach(index);
  }
  const all = entries();
  const ordered = [...all.slice(start), ...all.slice(0, start)];
  const found = ordered.find((entry) => entry.name.toLowerCase().startsWith(wanted.toLowerCase()));
  return found && reach(all.indexOf(found));
}

/** Numbers the steps, so that a row that comes late does not take the focus from a later one. */
let step = 0;

/** @param {Promise<HTMLElement | undefined>} coming @param {(row: HTMLElement) => void} act */
async function whenThere(coming, act) {
  step += 1;
  const mine = step;
  const row = await coming.catch(() => undefined);
  if (row && mine === step) act(row);
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
 * @param {(command: string) => void} run
 * @returns {boolean} whether the key meant something
 */
function onRowKey(event, row, commands, run) {
  const at = indexOf(row);
  const last = countRows() - 1;
  const across = tiles();
  const page = across > 1 ? across * PAGE_LINES : PAGE;
  /** @type {Record<string, number>} */
  const steps = { ArrowDown: at + across, ArrowUp: across > 1 && at < across ? at : at - across, PageDown: at + page, PageUp: at - page, Home: 0, End: last };
  // Where things stand side by side, the arrows lead from one to the next; what can be done with one is in its menu.
  const forward = getComputedStyle(row).direction === "rtl" ? -1 : 1;
  if (across > 1) Object.assign(steps, { ArrowRight: at + forward, ArrowLeft: at - forward });
  const inControl = document.activeElement !== row;

  // What stands in the menu with "Alt" and a key; modules put it there.
  const item = event.altKey ? document.querySelector(`#row-menu [data-shortcut="Alt+${CSS.escape(event.key)}"]`) : null;
  if (item) {
    if (!isSelected(row)) selectOnly(row);
    run(item.getAttribute("data-command") ?? "");
    return true;
  }
  if (event.key in steps) {
    const wanted = steps[event.key];
    const { ctrlKey, metaKey, shiftKey } = event;
    const go = (/** @type {HTMLElement} */ next) => {
      if (shiftKey && !ctrlKey && !metaKey) {
        if (!selected().length) selectOnly(row);
        selectRange(next);
      } else if (!ctrlKey && !metaKey) selectOnly(next);
      focusRow(next);
    };
    const index = Math.max(0, Math.min(last, wanted));
    const there = rows()[rows().indexOf(row) + index - at];
    // What is in the page needs no waiting: two keys pressed in one moment are two steps.
    if (there && indexOf(there) === index) {
      step += 1;
      go(there);
    } else void whenThere(reach(index), go);
    return true;
  }
  if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    withinRow(event, row);
    return true;
  }
  // Within a word that is being typed, a space belongs to it.
  if (event.key === " " && !inControl && (event.shiftKey || Date.now() - typedAt > TYPING_MS)) {
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
    void whenThere(byLetters(event.key, at), (found) => {
      selectOnly(found);
      focusRow(found);
    });
    return true;
  }
  return false;
}

/**
 * @param {Record<string, () => void>} commands what F2, Delete and the menu key do
 * @param {(command: string) => void} run carries out a command of the menu on what is selected
 */
export function startKeyboard(commands, run) {
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
      if (onRowKey(event, row, commands, run)) event.preventDefault();
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
