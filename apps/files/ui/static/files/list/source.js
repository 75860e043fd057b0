/** Reads a list: by pages of REST, whose cursor for any place the page's own address tells. */

import { get, NetworkDown, Problem } from "../../js/api.js";
import { persist } from "../../js/backoff.js";
import { blockOf, countOf, gaps, holder, startOf, stretch } from "./gaps.js";

/** @typedef {import("./row.js").Facts} Facts */

/** Rows of one answer when many are read only to be known: the most that the server gives. */
const READ_AT_ONCE = 1000;

/** @returns {string} where REST lists what the page shows, in its order */
export const source = () => holder()?.dataset.list ?? "";

/** @param {string} path @param {Record<string, string | number>} values @returns {string} the path with these added to its query */
function withQuery(path, values) {
  const query = Object.entries(values).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `${path}${path.includes("?") ? "&" : "?"}${query.join("&")}`;
}

/** @param {HTMLElement} gap @param {number} count @returns {Promise<{items: Facts[], next_cursor: string | null} | null>} so many rows from where the gap begins */
async function readFrom(gap, count) {
  const cursor = await cursorOf(gap);
  return cursor === null ? null : persist(() => readPage(cursor, Math.max(1, count)));
}

/** @param {string} cursor or "" @param {number} limit @returns {Promise<any>} */
export const readPage = (cursor, limit) => get(withQuery(source(), { limit: Math.min(READ_AT_ONCE, limit), ...(cursor ? { cursor } : {}) }));

/** @param {HTMLElement} gap @returns {Promise<string | null>} from where its rows are read; null: past the end */
export async function cursorOf(gap) {
  const all = gaps();
  const before = all[all.indexOf(gap) - 1];
  if (!before) return "";
  const { next } = blockOf(before);
  if (next) return next;
  const { cursor } = await askPosition({ at: startOf(gap) });
  return cursor;
}

/** @param {Record<string, string | number>} question @returns {Promise<any>} */
const askPosition = (question) => getJson(withQuery(holder()?.dataset.position ?? "", question));

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

/** @param {string} prefix @param {number} after an index @returns {Promise<number | null>} the index of the next row of that beginning, as the server knows it */
export async function findByName(prefix, after) {
  const { index } = await askPosition({ name: prefix, after });
  return index;
}

/**
 * Get to know the rows between two places, without bringing them into the page.
 *
 * @param {number} first
 * @param {number} last
 */
export async function readBetween(first, last) {
  let start = 0;
  /** @type {HTMLElement[][]} neighbours that one answer holds */
  const wanted = [];
  let open = 0;
  for (const gap of gaps()) {
    const { shown, facts } = blockOf(gap);
    const count = countOf(gap);
    const unknown = !shown && !facts && count > 0 && start <= last && start + count > first;
    if (unknown && open && open + count <= READ_AT_ONCE) wanted[wanted.length - 1].push(gap);
    else if (unknown) wanted.push([gap]);
    open = unknown ? wanted[wanted.length - 1].reduce((sum, one) => sum + countOf(one), 0) : 0;
    start += count;
  }
  for (const some of wanted) await know(some);
}

/** Read the rows of blocks that nobody has read. @param {HTMLElement[]} some gaps that follow each other @returns {Promise<void>} */
export async function know(some) {
  const counts = some.map(countOf);
  const answer = await readFrom(some[0], counts.reduce((sum, count) => sum + count, 0));
  const items = [...(answer?.items ?? [])];
  some.forEach((gap, index) => {
    const block = blockOf(gap);
    const facts = items.splice(0, counts[index]);
    // Meanwhile it may have been read by itself.
    if (block.shown || block.facts || !gap.isConnected) return;
    Object.assign(block, { facts, count: facts.length, next: index === some.length - 1 ? (answer?.next_cursor ?? null) : null });
    stretch(gap, block.count);
  });
}
