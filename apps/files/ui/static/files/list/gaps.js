/** The blocks of a list: flat below `#rows`, each begins with a `.gap`, which has the height of its rows while they are not in the page. */

/**
 * @typedef {import("./row.js").Facts} Facts
 * @typedef {{count: number, shown: boolean, facts: Facts[] | null, next: string | null, reading: Promise<void> | null}} Block
 *   `count`: of its rows while it is not shown; `next`: the cursor of what comes after it, once it was read
 */

/** @type {WeakMap<HTMLElement, Block>} */
export const blocks = new WeakMap();

/** @returns {HTMLElement | null} */
export const holder = () => document.querySelector("#rows[data-list]");

/** @returns {HTMLElement[]} gaps and rows, as they lie in the page */
const laid = () => /** @type {HTMLElement[]} */ ([...(holder()?.children ?? [])]);

/** @returns {HTMLElement[]} */
export const gaps = () => laid().filter((one) => one.classList.contains("gap"));

/** @returns {HTMLElement[]} the rows that are in the page */
export const rows = () => laid().filter((one) => one.classList.contains("row"));

/** @param {HTMLElement} gap @returns {Block} */
export const blockOf = (gap) => /** @type {Block} */ (blocks.get(gap));

/** @param {HTMLElement} gap @returns {HTMLElement[]} the rows of its block that are in the page */
export function rowsAfter(gap) {
  const found = [];
  for (let next = gap.nextElementSibling; next && !next.classList.contains("gap"); next = next.nextElementSibling) found.push(/** @type {HTMLElement} */ (next));
  return found;
}

/** @param {HTMLElement} gap @returns {number} */
export const countOf = (gap) => (blockOf(gap).shown ? rowsAfter(gap).length : blockOf(gap).count);

/** How many rows stand beside each other: one in a list, some as tiles. */
let beside = 1;

/** @returns {number} how many rows stand beside each other */
export const tiles = () => beside;

/** @param {number} count of rows @returns {number} lines that they take */
export const linesOf = (count) => Math.ceil(count / beside);

/** @param {HTMLElement} gap @param {number} count rows whose height it takes */
export function stretch(gap, count) {
  gap.style.setProperty("--lines", String(linesOf(count)));
  gap.toggleAttribute("data-open", count > 0);
}

/** Look how many rows stand beside each other by now. @returns {boolean} whether that has changed */
export function refit() {
  const grid = holder();
  const now = (grid && document.documentElement.dataset.view === "tiles" && Number(getComputedStyle(grid).getPropertyValue("--tiles"))) || 1;
  if (now === beside) return false;
  beside = now;
  for (const gap of gaps()) stretch(gap, blockOf(gap).shown ? 0 : blockOf(gap).count);
  return true;
}

/** @param {HTMLElement} gap @returns {number} how many rows come before its block */
export function startOf(gap) {
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

/** @param {number} first @param {number} last places in the list @returns {(HTMLElement | Facts)[]} what is known of it between them */
export function knownBetween(first, last) {
  let start = 0;
  return gaps().flatMap((gap) => {
    const from = start;
    start += countOf(gap);
    if (start <= first || from > last) return [];
    const all = /** @type {(HTMLElement | Facts)[]} */ (blockOf(gap).shown ? rowsAfter(gap) : (blockOf(gap).facts ?? []));
    return all.slice(Math.max(0, first - from), last - from + 1);
  });
}

/** @param {HTMLElement} row @returns {number} its place in the whole list, from 0 */
export function indexOf(row) {
  const gap = gaps().find((other) => blockOf(other).shown && rowsAfter(other).includes(row));
  return gap ? startOf(gap) + rowsAfter(gap).indexOf(row) : -1;
}

/** Forget rows that are known but not in the page. @param {Set<string>} ids @returns {Facts[]} what they were */
export function dropFacts(ids) {
  /** @type {Facts[]} */
  const dropped = [];
  if (!ids.size) return dropped;
  for (const gap of gaps()) {
    const block = blockOf(gap);
    const gone = block.facts?.filter((one) => ids.has(one.id)) ?? [];
    if (!gone.length) continue;
    dropped.push(...gone);
    block.facts = block.facts?.filter((one) => !ids.has(one.id)) ?? null;
    block.count -= gone.length;
    stretch(gap, block.count);
  }
  return dropped;
}

/** @param {string} id @returns {number} the place of a row that is known, in the page or not; -1 for others */
export function placeOf(id) {
  let start = 0;
  for (const gap of gaps()) {
    const { shown, facts } = blockOf(gap);
    const at = shown ? rowsAfter(gap).findIndex((row) => row.dataset.id === id) : (facts?.findIndex((one) => one.id === id) ?? -1);
    if (at >= 0) return start + at;
    start += countOf(gap);
  }
  return -1;
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
