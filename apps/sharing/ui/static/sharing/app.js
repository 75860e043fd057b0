/** Starts what sharing has in the browser: the dialog, marks on rows, the two lists. All of it listens on the document. */

import { closest } from "../js/dom.js";
import { startAsking } from "./asking.js";
import { startBadges } from "./badges.js";
import { openDialog, startDialog } from "./dialog.js";
import { startLists } from "./lists.js";
import { startShortcuts } from "./shortcuts.js";

startDialog();
startBadges();
startLists();
startAsking();
startShortcuts();

document.addEventListener("bitvault:command", (event) => {
  const { command, entries } = /** @type {CustomEvent<{command: string, entries: {id: string}[]}>} */ (event).detail;
  if (command === "share" && entries.length === 1) void openDialog(entries[0].id);
});
// Any module opens the dialog of a node by this event.
document.addEventListener("bitvault:share", (event) => void openDialog(/** @type {CustomEvent<{nodeId: string}>} */ (event).detail.nodeId));
document.addEventListener("click", (event) => {
  const nodeId = closest(event.target, "[data-share-node]")?.dataset.shareNode;
  if (nodeId) void openDialog(nodeId);
});
document.addEventListener("bitvault:shares-changed", () => document.dispatchEvent(new CustomEvent("bitvault:details-changed", { detail: { section: "sharing.people" } })));
