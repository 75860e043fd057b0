/** Which rows are selected; the rows themselves hold it (aria-selected), so a row that goes takes its part with it. */

import { announce, closest } from "../../js/dom.js";
import { plural } from "../../js/format.js";
import { entryOf, focusRow, list, place, rows } from "./rows.js";

/** @type {string | null} where a range starts */
let anchorId = null;

/** @returns {import("./rows.js").Entry[]} in the order of the list */
export const selected = () => rows().filter(isSelected).map(entryOf);

/** @param {HTMLElement} row @returns {boolean} */
export const isSelected = (row) => row.getAttribute("aria-selected") === "true";

/** @param {HTMLElement} row @param {boolean} on */
const mark = (row, on) => row.setAttribute("aria-selected", String(on));

/** @param {HTMLElement} row */
export function selectOnly(row) {
  for (const other of rows()) mark(other, other === row);
  anchorId = row.dataset.id ?? null;
  show();
}

/** @param {HTMLElement} row */
export function toggle(row) {
  mark(row, !isSelected(row));
  anchorId = row.dataset.id ?? null;
  show();
}

/** @param {HTMLElement} row the end of the range; its start is the row chosen before */
export function selectRange(row) {
  const all = rows();
  const from = Math.max(0, all.findIndex((other) => other.dataset.id === anchorId));
  const to = all.indexOf(row);
  const [first, last] = from < to ? [from, to] : [to, from];
  all.forEach((other, index) => mark(other, index >= first && index <= last));
  show();
}

/** Select every row that is loaded. */
export function selectAll() {
  for (const row of rows()) mark(row, true);
  show();
}

/** Select nothing. */
export function clearSelection() {
  for (const row of rows()) mark(row, false);
  show();
}

let announced = 0;

/** Bring the bar, the box in the head and the ears up to date. */
export function show() {
  const grid = list();
  const entries = selected();
  const count = entries.length;
  const bar = document.getElementById("selection");
  if (!grid || !bar) return;
  grid.toggleAttribute("data-selecting", count > 0);
  bar.hidden = count === 0;
  const words = document.getElementById("selection-count");
  if (words) words.textContent = count.toLocaleString();
  const box = grid.querySelector('[data-act="toggle-all"]');
  box?.setAttribute("aria-checked", count === 0 ? "false" : count === rows().length ? "true" : "mixed");
  setCommand(bar, "rename", count === 1);
  setCommand(bar, "download", entries.some((entry) => entry.kind === "file"));
  if (announced !== count) announce(count ? `${plural(count, "item")} selected` : "Nothing selected");
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
        if (selected().length === rows().length) clearSelection();
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
      if (act === "open" && !combined && !(touch && selected().length)) return;
      if (combined || act) {
        event.preventDefault();
        event.stopPropagation();
      }
      if (event.shiftKey) selectRange(row);
      else if (event.ctrlKey || event.metaKey || act === "toggle" || (touch && selected().length)) toggle(row);
      else if (touch && place().page === "folder") row.querySelector("a.name")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
      else selectOnly(row);
      if (act !== "toggle") focusRow(row);
    },
    // Before htmx and the links see it: Ctrl+click on a name selects, it does not open.
    true,
  );
  document.addEventListener("bitvault:rows-changed", show);
}
