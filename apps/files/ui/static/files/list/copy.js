/** Copies nodes into a folder, or beside themselves. A copy can be taken back; one that takes long tells how far it is. */

import { call, explain, get, randomKey } from "../../js/api.js";
import { announce } from "../../js/dom.js";
import { toast } from "../../js/toast.js";
import { follow } from "./jobs.js";
import { chooseFolder } from "./picker.js";
import { place, placeNode, removeRows } from "./rows.js";
import { together } from "./together.js";
import { counted, fill, gettext } from "../../js/i18n.js";

/** @typedef {{id: string, name: string, kind: string}} Copyable */
/** @typedef {import("../../js/api.js").Node} Node */

/** @param {Copyable[]} entries */
export async function copyByDialog(entries) {
  const { folderId } = place();
  const target = await chooseFolder({ entries, from: folderId, copies: true });
  if (target) await copyInto(entries, target.id, fill(gettext("%(what)s copied to %(name)s."), { what: nameOf(entries), name: target.name }));
}

/** @param {Copyable[]} entries get copies beside themselves */
export async function duplicate(entries) {
  await copyInto(entries, place().folderId, fill(gettext("%(what)s copied."), { what: nameOf(entries) }));
}

/** @param {Copyable[]} entries */
const nameOf = (entries) => (entries.length === 1 ? `“${entries[0].name}”` : counted("%(count)s item", "%(count)s items", entries.length));

/** @param {Copyable[]} entries @param {string} parentId @param {string} words what is said when all of it is done */
async function copyInto(entries, parentId, words) {
  // Sent again, a request makes no second copy.
  const keys = new Map(entries.map((entry) => [entry.id, randomKey()]));
  const done = await together(entries, (entry) => call("POST", `/nodes/${entry.id}/copy`, { body: { parent_id: parentId, autorename: true }, key: keys.get(entry.id) }));
  const made = /** @type {Node[]} */ (done.map(({ result }) => result).filter((result) => !("state" in result)));
  for (const node of made) placeNode(node, { fresh: true });
  const jobs = /** @type {import("./jobs.js").Job[]} */ (done.map(({ result }) => result).filter((result) => "state" in result));
  const filled = await Promise.all(jobs.map(filledBy));
  for (const node of filled) {
    if (!node) continue;
    placeNode(node, { fresh: true });
    made.push(node);
  }
  if (made.length) toast(words, { action: gettext("Undo"), undo: true, run: () => void takeBack(made) });
}

/** @param {import("./jobs.js").Job} begun @returns {Promise<Node | null>} the copy, or null where it came to nothing */
async function filledBy(begun) {
  const result = await follow(begun, (job) =>
    job.total_count ? fill(gettext("Copying: %(done)s of %(total)s…"), { done: job.done_count, total: job.total_count }) : gettext("Copying…"),
  );
  try {
    return result ? await get(`/nodes/${result.node_id}`) : null;
  } catch (error) {
    toast(explain(error), { failed: true });
    return null;
  }
}

/** @param {Node[]} made */
async function takeBack(made) {
  const gone = await together(made, (node) => call("DELETE", `/nodes/${node.id}`));
  removeRows(gone.map(({ entry }) => entry.id));
  if (gone.length) announce(gettext("The copies are in the trash."));
}
