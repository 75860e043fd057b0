/**
 * What somebody looks at: modules that ask the server about rows ask when the window has come to rest, and only for those in it. Ten
 * thousand rows that fly by ask for nothing.
 */

import { closest } from "./dom.js";

/** How far outside of the window a row counts as seen. */
const MARGIN_PX = 400;
/** The window rests when nothing has moved for so long; */
const REST_MS = 80;
/** while it is moved slowly on and on, this often it is looked all the same. */
const PATIENCE_MS = 400;

/** @type {Set<() => void>} */
const lookers = new Set();
let timer = 0;
let since = 0;

function look() {
  timer = since = 0;
  for (const one of lookers) one();
}

/** Something has moved, or rows have come. */
function soon() {
  const now = performance.now();
  since ||= now;
  clearTimeout(timer);
  timer = window.setTimeout(look, Math.max(0, Math.min(REST_MS, since + PATIENCE_MS - now)));
}

/** Be called when there may be something else in the window, at rest. @param {() => void} looker */
export function onSight(looker) {
  lookers.add(looker);
  soon();
}

/** @param {HTMLElement} element @returns {boolean} whether its row, or itself where it stands in none, is in the window or near it */
export function isInSight(element) {
  const { top, bottom } = (closest(element, ".row") ?? element).getBoundingClientRect();
  return bottom > -MARGIN_PX && top < innerHeight + MARGIN_PX;
}

for (const name of ["scroll", "resize"]) addEventListener(name, soon, { passive: true });
for (const name of ["bitvault:page", "bitvault:rows-shown", "bitvault:rows-changed", "htmx:load", "visibilitychange"]) document.addEventListener(name, soon);
