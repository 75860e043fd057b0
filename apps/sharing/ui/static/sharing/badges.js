/** Marks on rows that are shared: how many have access by the row itself, asked for together and remembered while the page is open. */

import { closest, icon, make } from "../js/dom.js";
import { isInSight, onSight } from "../js/sight.js";
import { openDialog } from "./dialog.js";

/** Ids that are asked for together. */
const TOGETHER = 100;
/** After a change somewhere in the vault all marks are doubtful; a busy team must not bring everybody in the same moment. */
const REST_MS = 3000;

/** @typedef {{short: string, title: string}} Badge */

/** @type {Map<string, Badge | null>} */
const known = new Map();
let resting = 0;
let asking = false;

/** @returns {HTMLElement[]} the places for marks: in the rows of a list, or wherever a page names a node */
const slots = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll('#main [data-slot="marks"]')]);

/** @param {HTMLElement} slot @returns {string} */
const nodeOf = (slot) => slot.dataset.node ?? closest(slot, ".row")?.dataset.id ?? "";

/** @param {HTMLElement} slot */
function show(slot) {
  const badge = known.get(nodeOf(slot));
  const words = badge ? `${badge.short} ${badge.title}` : "";
  if (slot.getAttribute("data-words") === words) return;
  slot.setAttribute("data-words", words);
  if (!badge) return slot.replaceChildren();
  const button = make("button", { class: "row-mark", type: "button", tabindex: "-1", title: badge.title, "data-share-row": "" }, icon("users", "icon icon-s"), make("span", { class: "number", "aria-hidden": "true" }, badge.short), make("span", { class: "sr-only" }, badge.title));
  slot.replaceChildren(button);
}

/** Show what is known. @param {HTMLElement[]} [some] places; all of the page by default */
function look(some = slots()) {
  for (const slot of some) show(slot);
}

/** @param {string[]} ids @returns {Promise<boolean>} whether they were told */
async function read(ids) {
  try {
    const answer = await fetch(`/shared/badges?ids=${ids.join(",")}`, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!answer.ok) return false;
    const told = await answer.json();
    for (const id of ids) known.set(id, told[id] ?? null);
    return true;
  } catch {
    // There are no marks then; the next look asks again.
    return false;
  }
}

/** Ask for what is seen and not known. */
async function ask() {
  if (asking) return;
  const wanted = slots().filter((slot) => nodeOf(slot) && !known.has(nodeOf(slot)) && isInSight(slot));
  const ids = [...new Set(wanted.map(nodeOf))].slice(0, TOGETHER);
  if (!ids.length) return;
  asking = true;
  const told = await read(ids);
  asking = false;
  if (!told) return;
  look();
  void ask();
}

/** Ask again for all, but show what was known until the answer is there. */
async function renew() {
  const listed = new Set(slots().map(nodeOf));
  for (const id of [...known.keys()]) if (!listed.has(id)) known.delete(id);
  const ids = [...known.keys()];
  for (let at = 0; at < ids.length; at += TOGETHER) if (!(await read(ids.slice(at, at + TOGETHER)))) return;
  look();
}

/** Listen from now on. */
export function startBadges() {
  for (const name of ["bitvault:page", "bitvault:rows-changed"]) document.addEventListener(name, () => look());
  document.addEventListener("bitvault:rows-shown", (event) => {
    const made = /** @type {CustomEvent<HTMLElement[]>} */ (event).detail;
    look(made.flatMap((row) => /** @type {HTMLElement[]} */ ([...row.querySelectorAll('[data-slot="marks"]')])));
  });
  document.addEventListener("bitvault:shares-changed", () => void renew());
  document.addEventListener("bitvault:head", () => {
    if (resting) return;
    resting = setTimeout(() => {
      resting = 0;
      if (!document.hidden) void renew();
    }, REST_MS);
  });
  document.addEventListener("click", (event) => {
    const slot = closest(event.target, "[data-share-row]") && closest(event.target, '[data-slot="marks"]');
    if (slot) void openDialog(nodeOf(slot));
  });
  look();
  onSight(() => void ask());
}
