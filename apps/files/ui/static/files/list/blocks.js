/**
 * A list of any length, of which only the part around the window is in the page. The rows lie flat below `#rows`, in blocks; each block
 * begins with a `.gap`. A block far from the window is emptied: its gap takes the height of its rows, and what the rows said is kept, or
 * read again. Rows of a block that was never read come when its gap is about to be seen.
 */

import { get, NetworkDown, Problem } from "../../js/api.js";
import { persist } from "../../js/backoff.js";
import { make } from "../../js/dom.js";
import { gettext } from "../../js/i18n.js";

/** Rows of one block, and of one answer: few enough to be made within one frame. */
const BLOCK = 50;
/** Blocks in the page at most: thirty screens. */
const KEPT = 12;
/** How far outside of the window rows are made. */
const MARGIN_PX = 1200;
/** Gaps that only fly by are not read. */
const SETTLE_MS = 40;
/** Blocks that are read at once. */
const READERS = 2;

/**
 * @typedef {{id: string, kind: string, name: string, revision: number, modified_at: string, size_bytes: number | null, created_by: string, name_problems: string[]}} Facts
 * @typedef {{count: number, shown: boolean, facts: Facts[] | null, next: string | null, reading: Promise<void> | null}} Block
 *   `count`: of its rows while it is not shown; `next`: the cursor of what comes after it, once it was read
 */

/** @type {WeakMap<HTMLElement, Block>} */
const blocks = new WeakMap();
/** @type {Set<HTMLElement>} gaps that are about to be seen */
const near = new Set();
let settling = 0;

/** What makes a row and reads one; set by `rows.js`, which knows rows. @type {{make: (facts: Facts) => HTMLElement, read: (row: HTMLElement) => Facts, shown: (rows: HTMLElement[]) => void}} */
let craft;

/** @returns {HTMLElement | null} */
const holder = () => document.querySelector('#main[data-page="folder"] #rows');

/** @returns {HTMLElement[]} */
const gaps = () => /** @type {HTMLElement[]} */ ([...(holder()?.querySelectorAll(":scope > .gap") ?? [])]);

/** @param {HTMLElement} gap @returns {Block} */
const blockOf = (gap) => /** @type {Block} */ (blocks.get(gap));

/** @param {HTMLElement} gap @returns {HTMLElement[]} the rows of its block that are in the page */
function rowsAfter(gap) {
  const found = [];
  for (let next = gap.nextElementSibling; next && !next.classList.contains("gap"); next = next.nextElementSibling) found.push(/** @type {HTMLElement} */ (next));
  return found;
}

/** @param {HTMLElement} gap @returns {number} */
const countOf = (gap) => (blockOf(gap).shown ? rowsAfter(gap).length : blockOf(gap).count);

/** @param {HTMLElement} gap @param {number} count rows whose height it takes */
function stretch(gap, count) {
  gap.style.setProperty("--count", String(count));
  gap.toggleAttribute("data-open", count > 0);
}

/** @param {Partial<Block>} facts @returns {HTMLElement} */
function makeGap(facts) {
  const gap = make("div", { class: "gap", role: "presentation" });
  const block = { count: 0, shown: false, facts: null, next: null, reading: null, ...facts };
  blocks.set(gap, block);
  stretch(gap, block.shown ? 0 : block.count);
  observer.observe(gap);
  return gap;
}

const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const gap = /** @type {HTMLElement} */ (target);
      if (isIntersecting && gap.isConnected) near.add(gap);
      else near.delete(gap);
    }
    settle();
  },
  { rootMargin: `${MARGIN_PX}px 0px` },
);

function settle() {
  settling ||= window.setTimeout(() => {
    settling = 0;
    fillNear();
  }, SETTLE_MS);
}

/** Show the blocks that are about to be seen, nearest first. */
function fillNear() {
  const middle = innerHeight / 2;
  const distance = (/** @type {HTMLElement} */ gap) => {
    const box = gap.getBoundingClientRect();
    return box.top > middle ? box.top - middle : Math.max(0, middle - box.bottom);
  };
  const wanted = [...near].filter((gap) => gap.isConnected && !blockOf(gap).shown);
  const reading = gaps().filter((gap) => blockOf(gap).reading).length;
  const order = wanted.filter((gap) => !blockOf(gap).reading).sort((a, b) => distance(a) - distance(b));
  // What is known already is shown one block a turn, so that no frame takes long.
  for (const gap of order.slice(0, Math.max(0, READERS - reading))) void fill(gap).then(settle, () => {});
}

/**
 * Show a block, read first if need be.
 *
 * @param {HTMLElement} gap
 * @returns {Promise<void>}
 */
function fill(gap) {
  const block = blockOf(gap);
  if (block.shown) return Promise.resolve();
  if (block.facts) {
    show(gap, block.facts);
    return Promise.resolve();
  }
  block.reading ??= read(gap)
    .then((facts) => {
      if (gap.isConnected) show(gap, facts);
    })
    .catch((error) => {
      offerAgain(gap);
      throw error;
    })
    .finally(() => (block.reading = null));
  return block.reading;
}

/** @param {HTMLElement} gap @returns {Promise<Facts[]>} */
async function read(gap) {
  const block = blockOf(gap);
  const { folderId = "", sort = "name", order = "asc" } = document.getElementById("main")?.dataset ?? {};
  const cursor = await cursorOf(gap, folderId, `sort=${sort}&order=${order}`);
  if (cursor === null) return [];
  const after = cursor && `&cursor=${encodeURIComponent(cursor)}`;
  const answer = await persist(() => get(`/nodes/${folderId}/children?limit=${Math.min(1000, Math.max(1, block.count))}&sort=${sort}&order=${order}${after}`));
  block.next = answer.next_cursor;
  return answer.items;
}

/** @param {HTMLElement} gap @param {string} folderId @param {string} query @returns {Promise<string | null>} from where its rows are read; null: past the end */
export async function cursorOf(gap, folderId, query) {
  const all = gaps();
  const before = all[all.indexOf(gap) - 1];
  if (!before) return "";
  const { next } = blockOf(before);
  if (next) return next;
  const { cursor } = await getJson(`/files/${folderId}/position?at=${startOf(gap)}&${query}`);
  return cursor;
}

/** @param {string} path a page's own answer @returns {Promise<any>} */
function getJson(path) {
  return persist(async () => {
    const answer = await fetch(path, { headers: { Accept: "application/json" }, credentials: "same-origin", cache: "no-store" }).catch(() => {
      throw new NetworkDown();
    });
    if (!answer.ok) throw new Problem({}, answer.status);
    return answer.json();
  });
}

/** @param {HTMLElement} gap @param {Facts[]} facts */
function show(gap, facts) {
  const block = blockOf(gap);
  const present = new Set([...(holder()?.querySelectorAll(":scope > .row") ?? [])].map((row) => row.getAttribute("data-id")));
  const fragment = document.createDocumentFragment();
  for (const one of facts) if (!present.has(one.id)) fragment.append(craft.make(one));
  gap.replaceChildren();
  Object.assign(block, { shown: true, facts: null });
  stretch(gap, 0);
  gap.after(fragment);
  craft.shown(rowsAfter(gap));
  trim();
}

/** Empty what is farthest from the window. */
function trim() {
  const shown = gaps().filter((gap) => blockOf(gap).shown);
  if (shown.length <= KEPT) return;
  const far = shown
    .map((gap) => {
      const { top } = gap.getBoundingClientRect();
      const bottom = top + rowsAfter(gap).length * rowSize();
      return { gap, distance: Math.max(top - innerHeight, -bottom) };
    })
    .filter(({ gap, distance }) => distance > MARGIN_PX * 1.5 && !rowsAfter(gap).some(isHeld))
    .sort((a, b) => b.distance - a.distance);
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
    void fill(gap).catch(() => {});
  });
  gap.replaceChildren(button);
}

/** @returns {number} the height of a row, in pixels */
export const rowSize = () => Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row-size")) || 48;

/** @param {HTMLElement} gap @returns {number} how many rows come before its block */
function startOf(gap) {
  let start = 0;
  for (const other of gaps()) {
    if (other === gap) break;
    start += countOf(other);
  }
  return start;
}

/** @returns {number} how many rows the list has, in the page or not */
export const countAll = () => gaps().reduce((sum, gap) => sum + countOf(gap), 0);

/** @returns {boolean} whether there are rows that were never read */
export const hasUnread = () => gaps().some((gap) => !blockOf(gap).shown && !blockOf(gap).facts && blockOf(gap).count > 0);

/** @returns {(HTMLElement | Facts)[]} all that is known of the list, in its order */
export const known = () => gaps().flatMap((gap) => /** @type {(HTMLElement | Facts)[]} */ (blockOf(gap).shown ? rowsAfter(gap) : (blockOf(gap).facts ?? [])));

/** @param {HTMLElement} row @returns {number} its place in the whole list, from 0 */
export function indexOf(row) {
  const gap = gaps().find((other) => blockOf(other).shown && rowsAfter(other).includes(row));
  return gap ? startOf(gap) + rowsAfter(gap).indexOf(row) : -1;
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
        const top = gap.getBoundingClientRect().top + scrollY + (index - start) * rowSize();
        scrollTo({ top: Math.max(0, top - innerHeight / 2), behavior: "instant" });
        await fill(gap);
      }
      const found = rowsAfter(gap);
      return found[Math.min(index - start, found.length - 1)];
    }
    start += count;
  }
  return undefined;
}

/** @param {string} prefix @param {number} after an index @returns {Promise<number | null>} the index of the next row of that beginning, as the server knows it */
export async function findByName(prefix, after) {
  const { folderId, sort, order } = document.getElementById("main")?.dataset ?? {};
  const { index } = await getJson(`/files/${folderId}/position?name=${encodeURIComponent(prefix)}&after=${after}&sort=${sort}&order=${order}`);
  return index;
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

/** Forget a row that is known but not in the page. @param {string} id @returns {boolean} whether there was one */
export function dropFacts(id) {
  for (const gap of gaps()) {
    const block = blockOf(gap);
    const at = block.facts?.findIndex((one) => one.id === id) ?? -1;
    if (at < 0) continue;
    block.facts?.splice(at, 1);
    block.count -= 1;
    stretch(gap, block.count);
    return true;
  }
  return false;
}

/** @returns {{gap: HTMLElement, rows: HTMLElement[]}[]} the runs of blocks that are in the page: each with its first gap */
export function runs() {
  /** @type {{gap: HTMLElement, rows: HTMLElement[]}[]} */
  const found = [];
  let open = false;
  for (const gap of gaps()) {
    const { shown } = blockOf(gap);
    if (shown && open) found[found.length - 1].rows.push(...rowsAfter(gap));
    else if (shown) found.push({ gap, rows: rowsAfter(gap) });
    open = shown;
  }
  return found;
}

/** The list has changed elsewhere: what is known of rows that are not in the page is read again, and the whole is as long as this. @param {number} total */
export function trust(total) {
  for (const gap of gaps()) {
    const block = blockOf(gap);
    if (!block.shown && block.facts) block.facts = null;
  }
  const rest = total - countAll();
  if (!rest) return;
  const last = gaps().findLast((gap) => !blockOf(gap).shown);
  if (last) {
    blockOf(last).count = Math.max(0, blockOf(last).count + rest);
    stretch(last, blockOf(last).count);
  } else if (rest > 0) holder()?.append(makeGap({ count: rest }));
}

/** Give the rows that came with the page their block, and those that did not a gap for each. */
export function layOut() {
  const grid = holder();
  if (!grid || grid.querySelector(".gap")) return;
  near.clear();
  const loaded = grid.querySelectorAll(":scope > .row").length;
  const { next = "", total = "0" } = grid.dataset;
  grid.prepend(makeGap({ shown: true, next: next || null }));
  if (!next) return;
  for (let rest = Number(total) - loaded; rest > 0; rest -= BLOCK) grid.append(makeGap({ count: Math.min(BLOCK, rest) }));
}

/** @param {typeof craft} how rows are made and read */
export function startBlocks(how) {
  craft = how;
  layOut();
}
