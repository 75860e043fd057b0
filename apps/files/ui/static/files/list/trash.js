/** The trash: restore, delete permanently, empty. */

import { call, explain } from "../../js/api.js";
import { confirmAction } from "../../js/dialogs.js";
import { need } from "../../js/dom.js";
import { plural } from "../../js/format.js";
import { toast } from "../../js/toast.js";
import { nameOrCount } from "./actions.js";
import { layOut } from "./blocks.js";
import { countSelected, isAll } from "./chosen.js";
import { countRows, place, removeRows, showEmptiness } from "./rows.js";
import { clearSelection, readSelected } from "./selection.js";
import { restoreSet, together } from "./together.js";

/** @param {import("./rows.js").Entry[]} entries */
async function restore(entries) {
  const done = await restoreSet(entries);
  removeRows(done.map(({ entry }) => entry.id));
  if (!done.length) return;
  const renamed = done.filter(({ entry, result }) => result.name !== entry.name);
  const note = renamed.length === 1 ? ` Its name was taken, so it is now “${renamed[0].result.name}”.` : renamed.length ? ` ${plural(renamed.length, "name")} had been taken and got a number.` : "";
  toast(`${nameOrCount(done.map(({ entry }) => entry))} restored to ${describePlaces(done.map(({ result }) => result))}.${note}`);
}

/**
 * Name the folder that nodes came back to, or how many; and say when that is not where they were.
 *
 * @param {{parent_id: string, path: string, restored_to: string}[]} nodes
 */
function describePlaces(nodes) {
  const places = new Set(nodes.map(({ parent_id }) => parent_id));
  const moved = nodes.filter(({ restored_to }) => restored_to === "ancestor").length;
  const reason = !moved ? "" : nodes.length === 1 ? ", since its folder is not there any more" : `, ${moved} of them to a folder above, since their own is not there any more`;
  const folders = nodes[0].path.split("/").slice(1, -1);
  return `${places.size > 1 ? `${places.size} folders` : `“${[place().rootName, ...folders].filter(Boolean).join(" / ")}”`}${reason}`;
}

/** @param {import("./rows.js").Entry[]} entries */
async function deletePermanently(entries) {
  const sure = await confirmAction({
    title: `Delete ${nameOrCount(entries)} permanently?`,
    text: "This cannot be undone.",
    accept: "Delete permanently",
    danger: true,
  });
  if (!sure) return;
  const done = await together(entries, (entry) => call("DELETE", `/trash/${entry.id}`));
  removeRows(done.map(({ entry }) => entry.id));
  if (done.length) toast(`${nameOrCount(done.map(({ entry }) => entry))} deleted permanently.`);
}

async function emptyTrash() {
  const sure = await confirmAction({
    title: "Empty the trash?",
    text: "Everything in it is deleted permanently, also what this page has not loaded yet.",
    accept: "Empty trash",
    danger: true,
  });
  if (!sure) return;
  try {
    const { rootId } = place();
    await call("DELETE", rootId ? `/trash?root_id=${rootId}` : "/trash");
    emptyList();
    clearSelection();
    showEmptiness();
    toast("The trash is empty.");
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

function emptyList() {
  const holder = need("#rows", HTMLElement);
  holder.replaceChildren();
  Object.assign(holder.dataset, { total: "0", next: "" });
  layOut();
}

/** @param {string} command on what is selected, also what this page has not read */
export function runOnTrashed(command) {
  if (command === "clear-selection") return clearSelection();
  if (command === "empty-trash") return void emptyTrash();
  const total = countRows();
  if (isAll() && total > 1 && countSelected(total) === total && command === "delete-permanently") return mayDelete() ? void emptyTrash() : undefined;
  readSelected().then((entries) => runInTrash(command, entries), (error) => toast(explain(error), { failed: true }));
}

/** @returns {boolean} whether who looks at it may delete permanently here */
const mayDelete = () => document.querySelector("#main[data-kept]") === null;

/** @param {string} command @param {import("./rows.js").Entry[]} entries */
export function runInTrash(command, entries) {
  if (!entries.length) return;
  if (command === "restore") void restore(entries);
  if (!mayDelete()) return;
  if (command === "delete-permanently" || command === "delete") void deletePermanently(entries);
}
