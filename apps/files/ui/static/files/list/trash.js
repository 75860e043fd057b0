/** The trash: restore, delete permanently, empty. */

import { call, explain, explainCode } from "../../js/api.js";
import { confirmAction, isProblem } from "../../js/dialogs.js";
import { need } from "../../js/dom.js";
import { whenUntil } from "../../js/format.js";
import { toast } from "../../js/toast.js";
import { nameOrCount } from "./actions.js";
import { layOut } from "./blocks.js";
import { countSelected, isAll } from "./chosen.js";
import { countRows, place, removeRows, showEmptiness } from "./rows.js";
import { clearSelection, readSelected } from "./selection.js";
import { restoreSet, together } from "./together.js";
import { counted, fill, gettext } from "../../js/i18n.js";

/** @param {import("./rows.js").Entry[]} entries */
async function restore(entries) {
  const done = await restoreSet(entries);
  removeRows(done.map(({ entry }) => entry.id));
  if (!done.length) return;
  const renamed = done.filter(({ entry, result }) => result.name !== entry.name);
  const note = renamed.length === 1 ? " " + fill(gettext("Its name was taken, so it is now “%(name)s”."), { name: renamed[0].result.name }) : renamed.length ? " " + fill(gettext("%(items)s had been taken and got a number."), { items: counted("%(count)s name", "%(count)s names", renamed.length) }) : "";
  toast(fill(gettext("%(what)s restored to %(places)s.%(note)s"), { what: nameOrCount(done.map(({ entry }) => entry)), places: describePlaces(done.map(({ result }) => result)), note }));
}

/**
 * Name the folder that nodes came back to, or how many; and say when that is not where they were.
 *
 * @param {{parent_id: string, path: string, restored_to: string}[]} nodes
 */
function describePlaces(nodes) {
  const places = new Set(nodes.map(({ parent_id }) => parent_id));
  const moved = nodes.filter(({ restored_to }) => restored_to === "ancestor").length;
  const reason = !moved ? "" : nodes.length === 1 ? gettext(", since its folder is not there any more") : fill(gettext(", %(moved)s of them to a folder above, since their own is not there any more"), { moved });
  const folders = nodes[0].path.split("/").slice(1, -1);
  return `${places.size > 1 ? fill(gettext("%(size)s folders"), { size: places.size }) : `“${[place().rootName, ...folders].filter(Boolean).join(" / ")}”`}${reason}`;
}

/** @param {import("./rows.js").Entry[]} entries */
async function deletePermanently(entries) {
  const sure = await confirmAction({
    title: fill(gettext("Delete %(what)s permanently?"), { what: nameOrCount(entries) }),
    text: gettext("This cannot be undone."),
    accept: gettext("Delete permanently"),
    danger: true,
  });
  if (!sure) return;
  const done = await together(entries, (entry) => call("DELETE", `/trash/${entry.id}`));
  removeRows(done.map(({ entry }) => entry.id));
  if (done.length) toast(fill(gettext("%(what)s deleted permanently."), { what: nameOrCount(done.map(({ entry }) => entry)) }));
}

async function emptyTrash() {
  const sure = await confirmAction({
    title: gettext("Empty the trash?"),
    text: gettext("Everything in it is deleted permanently, also what this page has not loaded yet."),
    accept: gettext("Empty trash"),
    danger: true,
  });
  if (!sure) return;
  try {
    const { rootId } = place();
    await call("DELETE", rootId ? `/trash?root_id=${rootId}` : "/trash");
    emptyList();
    clearSelection();
    showEmptiness();
    toast(gettext("The trash is empty."));
  } catch (error) {
    if (isProblem(error, "files.trash_kept")) {
      clearSelection();
      document.dispatchEvent(new CustomEvent("bitvault:renew"));
    }
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

/** Say in plain words what keeps things. */
export function startTrash() {
  explainCode("files.on_hold", () => gettext("A legal hold keeps this. It cannot be deleted permanently before an administrator lifts the hold."));
  explainCode("files.kept_by_rule", ({ kept_until: until }) => fill(gettext("A retention rule keeps this until %(moment)s. It cannot be deleted permanently before."), { moment: whenUntil(new Date(until)) }));
  explainCode("files.trash_kept", ({ deleted_count: deleted, kept_count: kept }) => {
    const facts = { deleted: counted("%(count)s item", "%(count)s items", deleted), kept: counted("%(count)s item", "%(count)s items", kept) };
    if (!deleted) return fill(gettext("Nothing was deleted: legal holds or retention rules keep %(kept)s."), facts);
    return fill(gettext("%(deleted)s deleted permanently. Legal holds or retention rules keep %(kept)s."), facts);
  });
}
