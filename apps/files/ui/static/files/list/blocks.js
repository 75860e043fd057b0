/**
 * A list of any length, of which only the part around the window is in the page. The rows lie flat below `#rows`, in blocks; each block
 * begins with a `.gap`. A block far from the window is emptied: its gap takes the height of its rows, and what the rows said is kept, or
 * read again. Rows of a block that was never read come when its gap is about to be seen.
 */

import { make } from "../../js/dom.js";
import { blockOf, blocks, countAll, countOf, gaps, holder, linesOf, refit, rows, rowsAfter, stretch, tiles } from "./gaps.js";
import { know } from "./source.js";
import { gettext } from "../../js/i18n.js";

/** @typedef {import("./gaps.js").Block} Block */
/** @typedef {import("./row.js").Facts} Facts */

/** Rows of one block: few enough to be made within one frame beside all else, and whole lines of as many tiles as ever stand side by side. */
const BLOCK = 24;
/** Blocks in the page at most: eight to ten screens. */
const KEPT = 8;
/** How far outside of the window rows are made. */
const MARGIN_PX = 1200;
/** Gaps that only fly by are not read. */
const SETTLE_MS = 40;
/** From one block that is shown to the next: a frame. */
const FRAME_MS = 16;
/** Answers that are waited for at once. */
const READERS = 2;
/** Blocks that one answer brings. */
const READ_TOGETHER = 4;

let settling = 0;

/** How a row is made and read; set by `rows.js`. @type {{make: (facts: Facts) => HTMLElement, read: (row: HTMLElement) => Facts, shown: (rows: HTMLElement[]) => void}} */
let craft;

/** @param {Partial<Block>} facts @returns {HTMLElement} */
function makeGap(facts) {
  const gap = make("div", { class: "gap", role: "presentation" });
  const block = { count: 0, shown: false, facts: null, next: null, reading: null, ...facts };
  blocks.set(gap, block);
  stretch(gap, block.shown ? 0 : block.count);
  return gap;
}

/** @param {number} count @returns {HTMLElement[]} gaps for so many rows that nobody has read */
function makeGaps(count) {
  const made = [];
  for (let rest = count; rest > 0; rest -= BLOCK) made.push(makeGap({ count: Math.min(BLOCK, rest) }));
  return made;
}

/** @param {number} [ms] */
function settle(ms = SETTLE_MS) {
  settling ||= window.setTimeout(() => {
    settling = 0;
    fillNear();
  }, ms);
}

/**
 * Tell where each block lies. All rows are of one height, so only where the list begins is asked of the page.
 *
 * @returns {{gap: HTMLElement, top: number, bottom: number}[]} in pixels from the window's upper edge
 */
function places() {
  const size = rowSize();
  const from = holder()?.getBoundingClientRect().top ?? 0;
  let start = 0;
  return gaps().map((gap) => {
    const top = from + Math.floor(start / tiles()) * size;
    start += countOf(gap);
    return { gap, top, bottom: from + linesOf(start) * size };
  });
}

/** @param {{top: number, bottom: number}[]} all @returns {HTMLElement[]} gaps about to be seen, nearest first */
function nearGaps(all) {
  const middle = innerHeight / 2;
  const near = all.filter(({ gap, top, bottom }) => !blockOf(gap).shown && bottom > -MARGIN_PX && top < innerHeight + MARGIN_PX && bottom > top);
  const distance = (/** @type {{top: number, bottom: number}} */ { top, bottom }) => Math.max(top - middle, middle - bottom, 0);
  return near.sort((one, other) => distance(one) - distance(other)).map(({ gap }) => gap);
}

/** Show the blocks that are about to be seen: what is known one a frame, so that none takes long; what is not is read. */
function fillNear() {
  const all = places();
  const near = nearGaps(all);
  let free = READERS - new Set(gaps().map((gap) => blockOf(gap).reading).filter(Boolean)).size;
  for (const gap of near) {
    const block = blockOf(gap);
    if (block.reading || block.facts || gap.firstChild || free <= 0) continue;
    free -= 1;
    void learn(gap).then(() => settle(FRAME_MS), () => {});
  }
  const next = near.find((gap) => blockOf(gap).facts);
  if (!next) return;
  show(next);
  trim(all);
  settle(FRAME_MS);
}

/** @param {HTMLElement} gap @returns {boolean} */
const isUnknown = (gap) => !blockOf(gap).shown && !blockOf(gap).facts && !blockOf(gap).reading && countOf(gap) > 0;

/**
 * Read the rows of a block, and with them those of its neighbours.
 *
 * @param {HTMLElement} gap
 * @returns {Promise<void>}
 */
function learn(gap) {
  const block = blockOf(gap);
  if (block.shown || block.facts) return Promise.resolve();
  if (block.reading) return block.reading;
  const all = gaps();
  const at = all.indexOf(gap);
  let [first, last] = [at, at];
  while (first % READ_TOGETHER && isUnknown(all[first - 1])) first -= 1;
  while ((last + 1) % READ_TOGETHER && all[last + 1] && isUnknown(all[last + 1])) last += 1;
  const some = all.slice(first, last + 1);
  const reading = know(some)
    .catch((error) => {
      offerAgain(gap);
      throw error;
    })
    .finally(() => {
      for (const one of some) blockOf(one).reading = null;
    });
  for (const one of some) blockOf(one).reading = reading;
  return reading;
}

/** Make the rows of a block that are known. @param {HTMLElement} gap */
function show(gap) {
  const block = blockOf(gap);
  const { facts } = block;
  if (!facts || !gap.isConnected) return;
  const present = new Set(rows().map((row) => row.dataset.id));
  const fragment = document.createDocumentFragment();
  for (const one of facts) if (!present.has(one.id)) fragment.append(craft.make(one));
  gap.replaceChildren();
  Object.assign(block, { shown: true, facts: null });
  stretch(gap, 0);
  gap.after(fragment);
  craft.shown(rowsAfter(gap));
}

/** @returns {number} the height of a row, in pixels */
const rowSize = () => Number.parseFloat(getComputedStyle(holder() ?? document.documentElement).getPropertyValue("--row-size")) || 48;

/** Empty what is farthest from the window. @param {{gap: HTMLElement, top: number, bottom: number}[]} all where each block lies */
function trim(all) {
  const shown = all.filter(({ gap }) => blockOf(gap).shown);
  if (shown.length <= KEPT) return;
  const far = shown
    .map(({ gap, top, bottom }) => ({ gap, distance: Math.max(top - innerHeight, -bottom) }))
    .filter(({ gap, distance }) => distance > MARGIN_PX * 1.5 && !rowsAfter(gap).some(isHeld))
    .sort((one, other) => other.distance - one.distance);
  for (const { gap } of far.slice(0, shown.length - KEPT)) empty(gap);
}

/** @param {HTMLElement} row @returns {boolean} whether something hangs on it that would be lost */
const isHeld = (row) => row.contains(document.activeElement) || row.matches("[data-busy], [data-dragged]") || row.querySelector(".rename") !== null;

/** @param {HTMLElement} gap */
function empty(gap) {
  const block = blockOf(gap);
  const lost = rowsAfter(gap);
  block.facts = lost.map(craft.read);
  block.count = lost.length;
  block.shown = false;
  for (const row of lost) row.remove();
  stretch(gap, block.count);
}

/** @param {HTMLElement} gap */
function offerAgain(gap) {
  const button = make("button", { class: "button", type: "button" }, gettext("Could not load more. Try again"));
  button.addEventListener("click", () => {
    gap.replaceChildren();
    void learn(gap).then(() => settle(), () => {});
  });
  gap.replaceChildren(button);
}

/**
 * Bring a row into the page, wherever it is in the list.
 *
 * @param {number} index from 0
 * @returns {Promise<HTMLElement | undefined>}
 */
export async function reach(index) {
  let start = 0;
  for (const gap of gaps()) {
    const count = countOf(gap);
    if (index < start + count) {
      if (!blockOf(gap).shown) {
        const top = (holder()?.getBoundingClientRect().top ?? 0) + scrollY + Math.floor(index / tiles()) * rowSize();
        scrollTo({ top: Math.max(0, top - innerHeight / 2), behavior: "instant" });
        await learn(gap);
        show(gap);
        trim(places());
      }
      const found = rowsAfter(gap);
      return found[Math.min(index - start, found.length - 1)];
    }
    start += count;
  }
  return undefined;
}

/**
 * Put a new row where it belongs; it may belong to a block that is not in the page.
 *
 * @param {HTMLElement} row
 * @param {(left: HTMLElement | Facts, right: HTMLElement | Facts) => number} compare
 */
export function insertRow(row, compare) {
  const all = gaps();
  if (!all.length) layOut();
  const firstOf = (/** @type {HTMLElement} */ gap) => (blockOf(gap).shown ? rowsAfter(gap).find((other) => other !== row) : blockOf(gap).facts?.[0]);
  let home = gaps()[0];
  for (const gap of gaps()) {
    const first = firstOf(gap);
    // Of a block that was never read nobody knows where it begins: what comes after the last known row may lie in it.
    if (first && compare(row, first) < 0) break;
    if (first || countOf(gap) > 0) home = gap;
  }
  const block = blockOf(home);
  if (block.shown) {
    const next = rowsAfter(home).find((other) => other !== row && compare(row, other) < 0);
    const last = rowsAfter(home).findLast((other) => other !== row);
    if (next) next.before(row);
    else (last ?? home).after(row);
    return;
  }
  if (block.facts) {
    const at = block.facts.findIndex((other) => compare(row, other) < 0);
    block.facts.splice(at < 0 ? block.facts.length : at, 0, craft.read(row));
  }
  row.remove();
  block.count += 1;
  stretch(home, block.count);
}

/** The list has changed elsewhere: what is known of rows that are not in the page is read again, and the whole is as long as this. @param {number} total */
export function trust(total) {
  for (const gap of gaps()) {
    const block = blockOf(gap);
    if (!block.shown && block.facts) block.facts = null;
  }
  const rest = total - countAll();
  const last = gaps().findLast((gap) => !blockOf(gap).shown);
  if (last) {
    const count = Math.max(0, blockOf(last).count + rest);
    blockOf(last).count = Math.min(BLOCK, count);
    stretch(last, blockOf(last).count);
    last.after(...makeGaps(count - BLOCK));
  } else holder()?.append(...makeGaps(rest));
  // What lies near the window is read again though nobody moves it.
  settle();
}

/** The list has another width, or another look. */
const widths = new ResizeObserver(() => {
  if (refit()) settle();
});

/**
 * Change how the list looks; what stood at the top of the window stays there.
 *
 * @param {() => void} change
 */
export function changeLook(change) {
  const focused = rows().find((row) => row.contains(document.activeElement));
  const first = focused ?? rows().find((row) => row.getBoundingClientRect().bottom > innerHeight / 4);
  change();
  refit();
  if (scrollY > 0 || focused) first?.scrollIntoView({ block: "center", behavior: "instant" });
  settle();
}

/** Give the rows that came with the page their blocks, and those that did not a gap for each. */
export function layOut() {
  const grid = holder();
  if (!grid || gaps().length) return;
  refit();
  widths.disconnect();
  widths.observe(grid);
  const loaded = rows();
  const { next = "", total = "0" } = grid.dataset;
  if (!loaded.length) grid.append(makeGap({ shown: true }));
  for (let at = 0; at < loaded.length; at += BLOCK) loaded[at].before(makeGap({ shown: true, next: at + BLOCK >= loaded.length ? next || null : null }));
  if (next) grid.append(...makeGaps(Number(total) - loaded.length));
  settle();
}

/** @param {typeof craft} how rows are made and read */
export function startBlocks(how) {
  craft = how;
  for (const name of ["scroll", "resize"]) addEventListener(name, () => settle(), { passive: true });
  layOut();
}
