/** Selecting by pointer and keyboard, and what shows it: rows (aria-selected), the bar, the box in the head. */

import { explain } from "../../js/api.js";
import { announce, closest } from "../../js/dom.js";
import { toast } from "../../js/toast.js";
import { countSelected, isSelectedId, setAll, setOnly, setSelected } from "./chosen.js";
import { indexOf, knownBetween, placeOf } from "./gaps.js";
import { countRows, entries, focusRow, list, place, rows } from "./rows.js";
import { readBetween } from "./source.js";
import { showTotals } from "./totals.js";
import { counted, fill, gettext, locale } from "../../js/i18n.js";

/** Where a range starts; its place is told from the row while that is known. @type {{id: string, at: number} | null} */
let anchor = null;
/** Numbers what was selected, so that a range whose rows come late does not replace what was selected after it. */
let choice = 0;

/** @returns {import("./rows.js").Entry[]} those that this page knows, in the order of the list */
export const selected = () => entries().filter((entry) => isSelectedId(entry.id));

/** @param {HTMLElement} row @returns {boolean} */
export const isSelected = (row) => isSelectedId(row.dataset.id ?? "");

/** @returns {Promise<import("./rows.js").Entry[]>} all that are selected, also those that this page had not read */
export async function readSelected() {
  const total = countRows();
  if (selected().length < countSelected(total)) await readBetween(0, total - 1);
  return selected();
}

/** @param {HTMLElement} row a range starts here */
function startRange(row) {
  choice += 1;
  anchor = { id: row.dataset.id ?? "", at: indexOf(row) };
}

/** @param {HTMLElement} row */
export function selectOnly(row) {
  setOnly([row.dataset.id ?? ""]);
  startRange(row);
  show();
}

/** @param {HTMLElement} row */
export function toggle(row) {
  setSelected(row.dataset.id ?? "", !isSelected(row));
  startRange(row);
  show();
}

/** @param {HTMLElement} row the end of the range; its start is the row chosen before. Rows between them that were never read are read. */
export function selectRange(row) {
  const bounds = () => {
    const from = anchor ? placeOf(anchor.id) : 0;
    const ends = [from < 0 ? (anchor?.at ?? 0) : from, placeOf(row.dataset.id ?? "")];
    return { first: Math.min(...ends), last: Math.max(...ends) };
  };
  const select = () => {
    const { first, last } = bounds();
    setOnly(knownBetween(first, last).map((one) => (one instanceof HTMLElement ? (one.dataset.id ?? "") : one.id)));
    show();
  };
  choice += 1;
  const mine = choice;
  const { first, last } = bounds();
  if (knownBetween(first, last).length === last - first + 1) return select();
  readBetween(first, last).then(
    () => mine === choice && select(),
    (error) => toast(explain(error), { failed: true }),
  );
}

/** Select everything that the list has, also what this page has not read. */
export function selectAll() {
  choice += 1;
  setAll();
  show();
}

/** Select nothing. */
export function clearSelection() {
  choice += 1;
  setOnly([]);
  show();
}

let announced = 0;

/** Bring the bar, the box in the head and the ears up to date. */
export function show() {
  const grid = list();
  const total = countRows();
  const count = countSelected(total);
  showRuns();
  showTotals(total);
  const bar = document.getElementById("selection");
  if (!grid || !bar) return;
  grid.toggleAttribute("data-selecting", count > 0);
  bar.hidden = count === 0;
  const words = document.getElementById("selection-count");
  if (words) words.textContent = count.toLocaleString(locale);
  bar.toggleAttribute("data-whole", count > 1 && count === total);
  const box = grid.querySelector('[data-act="toggle-all"]');
  box?.setAttribute("aria-checked", count === 0 ? "false" : count === total ? "true" : "mixed");
  setCommand(bar, "rename", count === 1);
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (bar.querySelectorAll("[data-single]"))) button.hidden = count !== 1;
  if (announced !== count) announce(count ? fill(gettext("%(items)s selected"), { items: counted("%(count)s item", "%(count)s items", count) }) : gettext("Nothing selected"));
  announced = count;
  document.dispatchEvent(new CustomEvent("bitvault:selection"));
}

/** Show which rows are selected, and where a run of them begins and ends. */
function showRuns() {
  let before = false;
  const all = rows();
  const chosen = all.map(isSelected);
  all.forEach((row, index) => {
    const on = chosen[index];
    if (row.getAttribute("aria-selected") !== String(on)) row.setAttribute("aria-selected", String(on));
    mark(row, "data-run-start", on && !before);
    mark(row, "data-run-end", on && !chosen[index + 1]);
    before = on;
  });
}

/** @param {HTMLElement} row @param {string} name @param {boolean} on */
function mark(row, name, on) {
  if (row.hasAttribute(name) !== on) row.toggleAttribute(name, on);
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
  document.addEventListener("bitvault:page", (event) => {
    if (/** @type {CustomEvent} */ (event).detail?.renewed) return;
    anchor = null;
    choice += 1;
    setOnly([]);
  });
}
