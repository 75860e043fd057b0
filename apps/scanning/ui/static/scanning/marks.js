/** Marks on rows of files that are being scanned, or that are closed: asked for together for what is seen. */

import { closest, icon, make } from "../js/dom.js";
import { isInSight, onSight } from "../js/sight.js";

/** Ids that are asked for together. */
const TOGETHER = 100;
/** What is being scanned is asked for again after so long. */
const AGAIN_MS = 4000;

/** @typedef {{state: string, title: string, closed: string}} Mark */

/** @type {Map<string, Mark | null>} */
const known = new Map();
let asking = false;
let waiting = 0;

/** @returns {HTMLElement[]} */
const slots = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll('#main .row[data-kind="file"] [data-slot="scan"]')]);

/** @param {HTMLElement} slot @returns {string} */
const keyOf = (slot) => {
  const row = closest(slot, ".row");
  return row ? `${row.dataset.id}:${row.dataset.revision}` : "";
};

/** @param {HTMLElement} slot */
function show(slot) {
  const mark = known.get(keyOf(slot));
  const words = mark ? mark.title : "";
  slot.hidden = !words;
  if (slot.title === words) return;
  slot.title = words;
  if (!mark) return slot.replaceChildren();
  slot.dataset.state = mark.state;
  slot.replaceChildren(icon(mark.state === "scanning" ? "clock" : "warning", "icon icon-s"), make("span", { class: "sr-only" }, mark.title));
}

/** @param {HTMLElement[]} [some] places; all of the page by default */
function look(some = slots()) {
  for (const slot of some) show(slot);
}

/** Ask for what is seen and not known. */
async function ask() {
  if (asking) return;
  const wanted = slots().filter((slot) => !known.has(keyOf(slot)) && isInSight(slot));
  const keys = [...new Set(wanted.map(keyOf))].filter(Boolean).slice(0, TOGETHER);
  if (!keys.length) return;
  asking = true;
  try {
    const answer = await fetch(`/scanning/marks?ids=${keys.map((key) => key.split(":")[0]).join(",")}`, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const told = await answer.json();
    for (const key of keys) known.set(key, told[/** @type {string} */ (key.split(":")[0])] ?? null);
  } catch {
    // There are no marks then; the next look asks again.
    return;
  } finally {
    asking = false;
  }
  look();
  askAgain();
  void ask();
}

/** What is being scanned will have a verdict soon. */
function askAgain() {
  if (waiting || ![...known.values()].some((mark) => mark?.state === "scanning")) return;
  waiting = window.setTimeout(() => {
    waiting = 0;
    for (const [key, mark] of known) if (mark?.state === "scanning") known.delete(key);
    if (!document.hidden) void ask();
    else askAgain();
  }, AGAIN_MS);
}

for (const name of ["bitvault:page", "bitvault:rows-changed"]) document.addEventListener(name, () => look());
document.addEventListener("bitvault:rows-shown", (event) => {
  const made = /** @type {CustomEvent<HTMLElement[]>} */ (event).detail;
  look(made.flatMap((row) => /** @type {HTMLElement[]} */ ([...row.querySelectorAll('[data-slot="scan"]')])));
});
look();
onSight(() => void ask());
