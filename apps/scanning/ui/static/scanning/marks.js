/** Marks on rows of files that are being scanned, or that are closed: asked for together for what is seen. */

import { readJson } from "../js/api.js";
import { closest, icon, make } from "../js/dom.js";
import { Marks } from "../js/marks.js";

/** What is being scanned is asked for again after so long. */
const AGAIN_MS = 4000;
/** Where nothing is scanned, it is asked so rarely whether that has changed. */
const OFF_MS = 60000;

/** @typedef {{state: string, title: string, closed: string}} Mark */

let waiting = 0;
let offUntil = 0;

/** @param {HTMLElement} slot @returns {string} */
const keyOf = (slot) => {
  const row = closest(slot, ".row");
  return row ? `${row.dataset.id}:${row.dataset.revision}` : "";
};

/** @param {HTMLElement} slot @param {Mark | null | undefined} mark */
function show(slot, mark) {
  const words = mark ? mark.title : "";
  slot.hidden = !words;
  if (slot.title === words) return;
  slot.title = words;
  if (!mark) return slot.replaceChildren();
  slot.dataset.state = mark.state;
  slot.replaceChildren(icon(mark.state === "scanning" ? "clock" : "warning", "icon icon-s"), make("span", { class: "sr-only" }, mark.title));
}

/** @type {Marks<Mark | null>} */
const marks = new Marks({
  places: '.row[data-kind="file"] [data-slot="scan"]',
  keyOf,
  show,
  async read(keys) {
    if (performance.now() < offUntil) return new Map(keys.map((key) => [key, null]));
    const told = await readJson(`/scanning/marks?ids=${keys.map((key) => key.split(":")[0]).join(",")}`);
    if (!told.is_on) offUntil = performance.now() + OFF_MS;
    askAgain();
    return new Map(keys.map((key) => [key, told.marks[/** @type {string} */ (key.split(":")[0])] ?? null]));
  },
});

/** @param {Mark | null} mark */
const isScanning = (mark) => mark?.state === "scanning";

/** What is being scanned will have a verdict soon. */
function askAgain() {
  waiting ||= window.setTimeout(() => {
    waiting = 0;
    if (!marks.some(isScanning)) return;
    if (document.hidden) return askAgain();
    marks.forget(isScanning);
    void marks.ask();
  }, AGAIN_MS);
}

marks.listen();
