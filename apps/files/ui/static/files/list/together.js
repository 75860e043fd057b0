/** Does one thing to many nodes, a few at a time, and tells what worked and what did not. */

import { call, explain, Problem } from "../../js/api.js";
import { persist } from "../../js/backoff.js";
import { toast } from "../../js/toast.js";
import { changedElsewhere } from "./rename.js";
import { rowOf } from "./rows.js";
import { fill, gettext } from "../../js/i18n.js";

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

/** Nodes of one request that takes many; the server's own limit. */
const SET_LIMIT = 1000;

/**
 * Takes nodes out of the trash: the server puts folders back before what was in them, and says where each has gone.
 *
 * @template {{id: string, name: string}} E
 * @param {E[]} entries
 * @returns {Promise<{entry: E, result: any}[]>} those that came back; each other one has been told of
 */
export async function restoreSet(entries) {
  /** @type {{entry: E, result: any}[]} */
  const done = [];
  /** @type {{entry: E, error: unknown}[]} */
  const failed = [];
  for (const entry of entries) rowOf(entry.id)?.setAttribute("data-busy", "");
  for (let start = 0; start < entries.length; start += SET_LIMIT) {
    const some = entries.slice(start, start + SET_LIMIT);
    try {
      const body = { ids: some.map(({ id }) => id), on_conflict: "rename" };
      const { items } = await persist(() => call("POST", "/trash/restore", { body }), { tries: 3 });
      some.forEach((entry, index) => {
        const { status, node, problem } = items[index];
        if (node) done.push({ entry, result: node });
        else failed.push({ entry, error: new Problem(problem, status) });
      });
    } catch (error) {
      failed.push(...some.map((entry) => ({ entry, error })));
    }
  }
  for (const entry of entries) rowOf(entry.id)?.removeAttribute("data-busy");
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
    toast(fill(gettext("%(length)s of %(total)s did not work. “%(name)s”: %(reason)s"), { length: failed.length, total, name: entry.name, reason: explain(error) }), { failed: true });
  }
}
