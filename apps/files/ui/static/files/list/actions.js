/** What the buttons, menus and keys of a folder do. */

import { call, explain } from "../../js/api.js";
import { askName } from "../../js/dialogs.js";
import { announce } from "../../js/dom.js";
import { toast } from "../../js/toast.js";
import { download, downloadAll, isWhole } from "./archive.js";
import { copyByDialog, duplicate } from "./copy.js";
import { moveAllByDialog, moveByDialog } from "./move.js";
import { extract } from "./extract.js";
import { edit } from "../editor/editor.js";
import { newText } from "../editor/new.js";
import { rewindByDialog } from "./rewind.js";
import { startRename } from "./rename.js";
import { focusRow, mayWrite, place, placeNode, removeRows } from "./rows.js";
import { isAll } from "./chosen.js";
import { clearSelection, readSelected } from "./selection.js";
import { suggestFor } from "./suggest.js";
import { restoreSet, together } from "./together.js";
import { showVersions } from "./versions.js";
import { applyToFolder, applyToNamed, MANY } from "./whole.js";
import { counted, fill, gettext } from "../../js/i18n.js";

/** @typedef {import("./rows.js").Entry} Entry */

/** Ask for a name and make a folder in the one that is shown. */
export async function newFolder() {
  const { folderId } = place();
  const node = await askName({
    title: gettext("New folder"),
    label: gettext("Name"),
    value: "",
    accept: gettext("Create"),
    submit: (name) => call("POST", "/folders", { body: { parent_id: folderId, name } }),
    suggest: suggestFor("folder"),
  });
  if (!node) return;
  const row = placeNode(node, { fresh: true });
  if (row) focusRow(row);
  announce(fill(gettext("Folder %(name)s created"), { name: node.name }));
}

/** @param {{name: string}[]} entries @returns {string} */
export const nameOrCount = (entries) => (entries.length === 1 ? `“${entries[0].name}”` : counted("%(count)s item", "%(count)s items", entries.length));

/** @param {Entry[]} entries */
export async function trash(entries) {
  const gone =
    entries.length > MANY
      ? await applyToNamed(place().folderId, entries, { action: "trash" }, gettext("Moved to trash:"), (some) => removeRows(some.map(({ id }) => id)))
      : (await together(entries, (entry) => call("DELETE", `/nodes/${entry.id}`))).map(({ entry }) => entry);
  removeRows(gone.map(({ id }) => id));
  if (!gone.length) return;
  toast(fill(gettext("%(what)s moved to trash."), { what: nameOrCount(gone) }), { action: gettext("Undo"), undo: true, run: () => restore(gone) });
}

/** Trash the whole folder apart from what is not selected. */
async function trashAll() {
  const done = await applyToFolder({ action: "trash" }, gettext("Moved to trash:"), (some) => removeRows(some.map(({ id }) => id)));
  clearSelection();
  if (!done.length) return;
  document.dispatchEvent(new CustomEvent("bitvault:look-again"));
  toast(fill(gettext("%(what)s moved to trash."), { what: nameOrCount(done) }), { action: gettext("Undo"), undo: true, run: () => restore(done) });
}

/** @param {{id: string, name: string}[]} entries */
async function restore(entries) {
  const done = await restoreSet(entries);
  for (const { result } of done) placeNode(result, { fresh: true });
  if (done.length) announce(`${nameOrCount(done.map(({ entry }) => entry))} restored`);
}

/** @param {Entry} entry */
export function open(entry) {
  entry.row?.querySelector("a.name")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
}

/**
 * Carry out a command of the selection bar or the row's menu.
 *
 * @param {string} command
 * @param {Entry[]} entries
 */
export function run(command, entries) {
  if (command === "new-folder") return mayWrite() ? void newFolder() : undefined;
  if (command === "rewind-here") return rewindByDialog({ id: place().folderId, name: place().folderName });
  if (command === "new-text" || command === "new-markdown") return void newText(command === "new-text" ? ".txt" : ".md");
  if (command === "clear-selection") return clearSelection();
  if (!entries.length) return;
  if (command === "open") open(entries[0]);
  if (command === "download") void download(entries);
  if (command === "versions" && entries.length === 1) showVersions(entries[0]);
  if (command === "copy") void copyByDialog(entries);
  // What another module has put into the menu is that module's to carry out.
  document.dispatchEvent(new CustomEvent("bitvault:command", { detail: { command, entries } }));
  if (!mayWrite()) return;
  if (command === "rename" && entries.length === 1 && entries[0].row) startRename(entries[0].row);
  if (command === "edit" && entries.length === 1) void edit(entries[0]);
  if (command === "extract" && entries.length === 1) void extract(entries[0]);
  if (command === "move") void moveByDialog(entries);
  if (command === "duplicate") void duplicate(entries);
  if (command === "trash") void trash(entries);
  if (command === "rewind" && entries.length === 1) rewindByDialog(entries[0]);
}

/** @param {string} command on whatever is selected, also what this page has not read */
export function runOnSelection(command) {
  if (isAll() && mayWrite() && command === "trash") return void trashAll();
  if (isAll() && mayWrite() && command === "move") return void moveAllByDialog();
  if (command === "download" && isWhole()) return void downloadAll();
  // What was selected may have been read by nobody yet.
  readSelected().then((entries) => run(command, entries), (error) => toast(explain(error), { failed: true }));
}
