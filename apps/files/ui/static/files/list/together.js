/** Does one thing to many nodes, a few at a time, and tells what worked and what did not. */

import { explain, Problem } from "../../js/api.js";
import { persist } from "../../js/backoff.js";
import { toast } from "../../js/toast.js";
import { changedElsewhere } from "./rename.js";
import { rowOf } from "./rows.js";

/** Requests at once: changes of the tree take turns on the server anyway, more would only wait there. */
const AT_ONCE = 4;

/**
 * @template {{id: string, name: string}} E
 * @template R
 * @param {E[]} entries
 * @param {(entry: E) => Promise<R>} act
 * @returns {Promise<{entry: E, result: R}[]>} those that worked; each other one has been told of
 */
export async function together(entries, act) {
  /** @type {{entry: E, result: R}[]} */
  const done = [];
  /** @type {{entry: E, error: unknown}[]} */
  const failed = [];
  const waiting = [...entries];
  const lane = async () => {
    for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
      const row = rowOf(entry.id);
      row?.setAttribute("data-busy", "");
      const current = entry;
      try {
        done.push({ entry, result: await persist(() => act(current), { tries: 3 }) });
      } catch (error) {
        failed.push({ entry, error });
      } finally {
        row?.removeAttribute("data-busy");
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, entries.length) }, lane));
  await report(failed, entries.length);
  return done;
}

/** @param {{entry: {id: string, name: string}, error: unknown}[]} failed @param {number} total */
async function report(failed, total) {
  if (!failed.length) return;
  const [{ entry, error }] = failed;
  if (failed.length === 1 && error instanceof Problem && (error.status === 412 || error.status === 404)) {
    await changedElsewhere(entry, error);
  } else if (total === 1) {
    toast(explain(error), { failed: true });
  } else {
    toast(`${failed.length} of ${total} did not work. “${entry.name}”: ${explain(error)}`, { failed: true });
  }
}
