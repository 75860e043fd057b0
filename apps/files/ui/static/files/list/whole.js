/** One operation for a whole folder apart from exceptions: the server applies it, page by page, and each page says what became of it. */

import { call, explain } from "../../js/api.js";
import { persist } from "../../js/backoff.js";
import { plural } from "../../js/format.js";
import { toast } from "../../js/toast.js";
import { exceptions } from "./chosen.js";
import { place } from "./rows.js";

/** @typedef {{id: string, name: string, done: boolean, code: string, detail: string}} Applied */

/**
 * @param {{action: "trash" | "move", parent_id?: string}} wish
 * @param {string} doing what a person reads while it goes on
 * @param {(done: Applied[]) => void} onSome after each page
 * @returns {Promise<Applied[]>} those that it was done to; of the others the person is told
 */
export async function applyToFolder(wish, doing, onSome) {
  const { folderId } = place();
  const except = exceptions();
  /** @type {Applied[]} */
  const done = [];
  /** @type {Applied[]} */
  const failed = [];
  let close = () => {};
  try {
    let cursor = "";
    do {
      /** @type {Record<string, unknown>} */
      const body = { ...wish, except_ids: except, ...(cursor ? { cursor } : {}) };
      /** @type {{items: Applied[], next_cursor: string | null}} */
      const answer = await persist(() => call("POST", `/nodes/${folderId}/children/batch`, { body }));
      const some = answer.items.filter((item) => item.done);
      done.push(...some);
      failed.push(...answer.items.filter((item) => !item.done));
      onSome(some);
      cursor = answer.next_cursor ?? "";
      close();
      if (cursor) close = toast(`${doing} ${plural(done.length, "item")} so far…`);
    } while (cursor);
  } catch (error) {
    close();
    toast(`Stopped after ${plural(done.length, "item")}. ${explain(error)}`, { failed: true });
  }
  if (failed.length) toast(`${failed.length.toLocaleString()} did not work. “${failed[0].name}”: ${failed[0].detail}`, { failed: true });
  return done;
}
