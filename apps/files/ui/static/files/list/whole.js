/** One operation for a whole folder apart from exceptions: the server applies it, page by page, and each page says what became of it. */

import { call, explain } from "../../js/api.js";
import { persist } from "../../js/backoff.js";
import { toast } from "../../js/toast.js";
import { exceptions } from "./chosen.js";
import { place } from "./rows.js";
import { counted, fill, gettext, locale } from "../../js/i18n.js";

/** @typedef {{id: string, name: string, done: boolean, code: string, detail: string}} Applied */

/** @typedef {{action: "trash" | "move", parent_id?: string}} Wish */

/** More nodes than this go by requests that name many, not by one for each. */
export const MANY = 50;

/** Nodes that one request names; the server's own limit. */
const NAMED_AT_ONCE = 100;

/**
 * @param {Wish} wish
 * @param {string} doing what a person reads while it goes on
 * @param {(done: Applied[]) => void} onSome after each page
 * @returns {Promise<Applied[]>} those that it was done to; of the others the person is told
 */
export function applyToFolder(wish, doing, onSome) {
  const { folderId } = place();
  const except = exceptions();
  let cursor = "";
  return applyInTurn(folderId, doing, onSome, (answer) => {
    if (answer && !answer.next_cursor) return null;
    cursor = answer?.next_cursor ?? "";
    return { ...wish, except_ids: except, ...(cursor ? { cursor } : {}) };
  });
}

/**
 * Do the same to some children of a folder, which may be another one than the page shows.
 *
 * @param {string} folderId
 * @param {{id: string}[]} entries
 * @param {Wish} wish
 * @param {string} doing
 * @param {(done: Applied[]) => void} [onSome]
 * @returns {Promise<Applied[]>}
 */
export function applyToNamed(folderId, entries, wish, doing, onSome = () => {}) {
  const waiting = entries.map(({ id }) => id);
  return applyInTurn(folderId, doing, onSome, () => (waiting.length ? { ...wish, only_ids: waiting.splice(0, NAMED_AT_ONCE) } : null));
}

/** @typedef {{items: Applied[], next_cursor: string | null}} Answer */

/**
 * @param {string} folderId
 * @param {string} doing
 * @param {(done: Applied[]) => void} onSome
 * @param {(answer: Answer | null) => Record<string, unknown> | null} next the body of the next request, after this answer; null: that was all
 * @returns {Promise<Applied[]>}
 */
async function applyInTurn(folderId, doing, onSome, next) {
  /** @type {Applied[]} */
  const done = [];
  /** @type {Applied[]} */
  const failed = [];
  let close = () => {};
  try {
    for (let body = next(null); body; ) {
      const sent = body;
      /** @type {Answer} */
      const answer = await persist(() => call("POST", `/nodes/${folderId}/children/batch`, { body: sent }));
      const some = answer.items.filter((item) => item.done);
      done.push(...some);
      failed.push(...answer.items.filter((item) => !item.done));
      onSome(some);
      body = next(answer);
      close();
      if (body) close = toast(fill(gettext("%(doing)s %(items)s so far…"), { doing, items: counted("%(count)s item", "%(count)s items", done.length) }));
    }
  } catch (error) {
    close();
    toast(fill(gettext("Stopped after %(items)s. %(reason)s"), { items: counted("%(count)s item", "%(count)s items", done.length), reason: explain(error) }), { failed: true });
  }
  if (failed.length) toast(fill(gettext("%(count)s did not work. “%(name)s”: %(detail)s"), { count: failed.length.toLocaleString(locale), name: failed[0].name, detail: failed[0].detail }), { failed: true });
  return done;
}
