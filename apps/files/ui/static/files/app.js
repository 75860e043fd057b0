/** Starts what the pages of files have, once; everything listens on the document, so swapped pages need no wiring. */

import { closest } from "../js/dom.js";
import { startDetails } from "./details/panel.js";
import { readNode, readText, writeText } from "./editor/content.js";
import { startEditor } from "./editor/editor.js";
import { run, runOnSelection } from "./list/actions.js";
import { startDrag } from "./list/drag.js";
import { startKeyboard } from "./list/keyboard.js";
import { startLocks } from "./list/locks.js";
import { menuSubjects, openRowMenuAtRow, startRowMenu } from "./list/menu.js";
import { entryOf, focusRow, keepOneInTabOrder, place, placeNode, rowOf, startRows } from "./list/rows.js";
import { selectAll, show, startSelection } from "./list/selection.js";
import { runInTrash, runOnTrashed, startTrash } from "./list/trash.js";
import { startView } from "./list/view.js";
import { startLive } from "./live.js";
import { startFolderRules } from "./rules/folder.js";
import { startTeams } from "./teams/start.js";
import { startRules } from "./uploads/rules.js";
import { startUploads } from "./uploads/start.js";

/** The row that had the focus when this page was left, to which the browser's arrows have led back. */
let comingBackTo = "";

function returnFocus() {
  const row = comingBackTo && rowOf(comingBackTo);
  if (!row) return;
  comingBackTo = "";
  if (document.activeElement === document.body || document.activeElement?.id === "main") focusRow(row);
}

const inTrash = () => place().page === "trash";

/** @param {string} command */
const runHere = (command) => (inTrash() ? runOnTrashed(command) : runOnSelection(command));

startRows();
startSelection();
startRowMenu();
startView();
startEditor({ readNode, readText, writeText, placeNode: (node) => placeNode(node, { fresh: true }) });
startLocks();
startRules();
startFolderRules();
startTrash();
startDrag();
startKeyboard(
  {
    F2: () => runHere("rename"),
    Delete: () => runHere(inTrash() ? "delete-permanently" : "trash"),
    menu: () => {
      const row = closest(document.activeElement, "#rows > .row");
      if (row && !inTrash()) openRowMenuAtRow(row);
    },
  },
  runHere,
);
const uploads = startUploads();
startLive();
startTeams();
startDetails(run);

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-command]");
  if (button?.dataset.command?.startsWith("upload-")) uploads.choose(button.dataset.command === "upload-folder");
  else if (button?.dataset.command && closest(button, "#row-menu")) run(button.dataset.command, menuSubjects());
  else if (button?.dataset.command === "select-all") selectAll();
  else if (button?.dataset.command) runHere(button.dataset.command);

  const act = closest(event.target, "#rows [data-act]")?.dataset.act;
  const row = closest(event.target, "#rows > .row");
  if (!act || !row || act === "toggle" || act === "open") return;
  if (act === "menu") openRowMenuAtRow(row);
  else if (inTrash()) runInTrash(act, [entryOf(row)]);
  else run(act, [entryOf(row)]);
});
document.addEventListener("dblclick", (event) => {
  const row = closest(event.target, '[data-page="folder"] #rows > .row');
  if (row && !closest(event.target, "a, button, input") && !event.ctrlKey && !event.shiftKey) run("open", [entryOf(row)]);
});
document.addEventListener("bitvault:node", (event) => placeNode(/** @type {CustomEvent} */ (event).detail, { fresh: true }));
document.addEventListener("bitvault:rows-shown", returnFocus);
document.addEventListener("bitvault:page", (event) => {
  comingBackTo = /** @type {CustomEvent} */ (event).detail?.rowId ?? "";
  keepOneInTabOrder();
  show();
  setTimeout(returnFocus);
});
keepOneInTabOrder();
