/** One operation for a whole folder apart from exceptions: the server applies it, page by page, and each page says what became of it. */

import { call, explain } from "../../js/api.js";
import { persist } from "../../js/backoff.js";
import { toast } from "../../js/toast.js";
import { exceptions } from "./chosen.js";
import { place } from "./rows.js";
import { counted, fill, gettext, locale } from "../../js/i18n.js";

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
      if (cursor) close = toast(fill(gettext("%(doing)s %(items)s so far…"), { doing, items: counted("%(count)s item", "%(count)s items", done.length) }));
    } while (cursor);
  } catch (error) {
    close();
    toast(fill(gettext("Stopped after %(items)s. %(reason)s"), { items: counted("%(count)s item", "%(count)s items", done.length), reason: explain(error) }), { failed: true });
  }
  if (failed.length) toast(fill(gettext("%(count)s did not work. “%(name)s”: %(detail)s"), { count: failed.length.toLocaleString(locale), name: failed[0].name, detail: failed[0].detail }), { failed: true });
  return done;
}
