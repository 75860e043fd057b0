/** Selecting by pointer and keyboard, and what shows it: rows (aria-selected), the bar, the box in the head. */

import { announce, closest } from "../../js/dom.js";
import { countSelected, isSelectedId, setAll, setOnly, setSelected } from "./chosen.js";
import { countRows, entries, focusRow, list, place, rows } from "./rows.js";
import { showTotals } from "./totals.js";
import { counted, fill, gettext } from "../../js/i18n.js";

/** @type {string | null} where a range starts */
let anchorId = null;

/** @returns {import("./rows.js").Entry[]} those that this page knows, in the order of the list */
export const selected = () => entries().filter((entry) => isSelectedId(entry.id));

/** @param {HTMLElement} row @returns {boolean} */
export const isSelected = (row) => isSelectedId(row.dataset.id ?? "");

/** @param {HTMLElement} row */
export function selectOnly(row) {
  setOnly([row.dataset.id ?? ""]);
  anchorId = row.dataset.id ?? null;
  show();
}

/** @param {HTMLElement} row */
export function toggle(row) {
  setSelected(row.dataset.id ?? "", !isSelected(row));
  anchorId = row.dataset.id ?? null;
  show();
}

/** @param {HTMLElement} row the end of the range; its start is the row chosen before */
export function selectRange(row) {
  const all = entries();
  const from = Math.max(0, all.findIndex((other) => other.id === anchorId));
  const to = all.findIndex((other) => other.id === row.dataset.id);
  const [first, last] = from < to ? [from, to] : [to, from];
  setOnly(all.slice(first, last + 1).map((entry) => entry.id));
  show();
}

/** Select everything in the folder, also what this page has not read; of a trash, what is loaded. */
export function selectAll() {
  if (place().page === "folder") setAll();
  else setOnly(rows().map((row) => row.dataset.id ?? ""));
  show();
}

/** Select nothing. */
export function clearSelection() {
  setOnly([]);
  show();
}

let announced = 0;

/** Bring the bar, the box in the head and the ears up to date. */
export function show() {
  const grid = list();
  const total = countRows();
  const count = countSelected(total);
  for (const row of rows()) {
    const on = String(isSelected(row));
    if (row.getAttribute("aria-selected") !== on) row.setAttribute("aria-selected", on);
  }
  showTotals(total);
  const bar = document.getElementById("selection");
  if (!grid || !bar) return;
  grid.toggleAttribute("data-selecting", count > 0);
  bar.hidden = count === 0;
  const words = document.getElementById("selection-count");
  if (words) words.textContent = counted("%(count)s selected", "%(count)s selected", count);
  bar.toggleAttribute("data-whole", count > 1 && count === total);
  const box = grid.querySelector('[data-act="toggle-all"]');
  box?.setAttribute("aria-checked", count === 0 ? "false" : count === total ? "true" : "mixed");
  setCommand(bar, "rename", count === 1);
  setCommand(bar, "download", count > 0 && selected().some((entry) => entry.kind === "file"));
  if (announced !== count) announce(count ? fill(gettext("%(items)s selected"), { items: counted("%(count)s item", "%(count)s items", count) }) : gettext("Nothing selected"));
  announced = count;
}

/** @param {HTMLElement} bar @param {string} command @param {boolean} on */
function setCommand(bar, command, on) {
  const button = bar.querySelector(`[data-command="${command}"]`);
  if (button instanceof HTMLElement) button.hidden = !on;
}

/** How long a finger rests before it selects. */
const LONG_PRESS_MS = 450;

/** Make pointers select: click, Ctrl, Shift, boxes; a long press and taps on touch screens. */
export function startSelection() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let press;
  let pressed = false;

  document.addEventListener("pointerdown", (event) => {
    const row = closest(event.target, ".row");
    pressed = false;
    clearTimeout(press);
    if (!row || event.pointerType === "mouse") return;
    press = setTimeout(() => {
      pressed = true;
      toggle(row);
      navigator.vibrate?.(10);
    }, LONG_PRESS_MS);
  });
  for (const name of ["pointerup", "pointercancel", "pointermove"]) {
    document.addEventListener(name, (event) => {
      const { pointerType, movementX, movementY } = /** @type {PointerEvent} */ (event);
      if (name !== "pointermove" || (pointerType !== "mouse" && Math.abs(movementX) + Math.abs(movementY) > 6)) clearTimeout(press);
    });
  }

  document.addEventListener(
    "click",
    (event) => {
      const grid = closest(event.target, "#list");
      if (!grid) {
        if (closest(event.target, "#main") && !closest(event.target, "a, button, input, .topbar, .menu")) clearSelection();
        return;
      }
      const act = closest(event.target, "[data-act]")?.dataset.act;
      if (act === "toggle-all") {
        if (countSelected(countRows()) === countRows()) clearSelection();
        else selectAll();
        return;
      }
      const row = closest(event.target, ".row");
      if (!row || closest(event.target, "input")) return;
      if (pressed) {
        pressed = false;
        event.preventDefault();
        event.stopPropagation();
        return;
      }
      const touch = /** @type {PointerEvent} */ (event).pointerType === "touch";
      const combined = event.shiftKey || event.ctrlKey || event.metaKey;
      if (act && act !== "toggle" && act !== "open") return;
      if (act === "open" && !combined && !(touch && countSelected(countRows()))) return;
      if (combined || act) {
        event.preventDefault();
        event.stopPropagation();
      }
      if (event.shiftKey) selectRange(row);
      else if (event.ctrlKey || event.metaKey || act === "toggle" || (touch && countSelected(countRows()))) toggle(row);
      else if (touch && place().page === "folder") row.querySelector("a.name")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
      else selectOnly(row);
      if (act !== "toggle") focusRow(row);
    },
    // Before htmx and the links see it: Ctrl+click on a name selects, it does not open.
    true,
  );
  document.addEventListener("bitvault:rows-changed", show);
  document.addEventListener("bitvault:page", () => setOnly([]));
}
