/** Moves nodes into another folder: by the dialog or by a drop. Both can be taken back. */

import { call } from "../../js/api.js";
import { announce } from "../../js/dom.js";
import { toast } from "../../js/toast.js";
import { chooseFolder } from "./picker.js";
import { place, placeNode, removeRow } from "./rows.js";
import { clearSelection, selected } from "./selection.js";
import { together } from "./together.js";
import { applyToFolder } from "./whole.js";
import { counted, fill, gettext } from "../../js/i18n.js";

/** @typedef {{id: string, name: string, kind: string, revision: number}} Movable */
/** @typedef {{id: string, name: string}} Target */

/**
 * @param {Movable[]} entries
 * @param {Target} target
 * @param {string} from the folder they lie in now
 */
export async function moveInto(entries, target, from) {
  const movable = entries.filter((entry) => entry.id !== target.id);
  if (!movable.length || target.id === from) return;
  const done = await moveAll(movable, target.id);
  if (!done.length) return;
  const what = done.length === 1 ? `“${done[0].name}”` : counted("%(count)s item", "%(count)s items", done.length);
  const back = done.map((node) => ({ id: node.id, name: node.name, kind: node.kind, revision: node.revision }));
  toast(fill(gettext("%(what)s moved to %(name)s."), { what, name: target.name }), {
    action: gettext("Undo"),
    undo: true,
    run: async () => {
      const returned = await moveAll(back, from);
      if (returned.length) announce(fill(gettext("%(what)s moved back"), { what }));
    },
  });
}

/**
 * @param {Movable[]} entries
 * @param {string} parentId
 * @returns {Promise<import("../../js/api.js").Node[]>} those that moved
 */
async function moveAll(entries, parentId) {
  const done = await together(entries, (entry) =>
    call("PATCH", `/nodes/${entry.id}`, { body: { parent_id: parentId }, revision: entry.revision }),
  );
  for (const { result } of done) placeNode(result, { fresh: true });
  return done.map(({ result }) => result);
}

/** Move the whole folder that is shown, apart from what is not selected. */
export async function moveAllByDialog() {
  const { folderId } = place();
  const target = await chooseFolder({ entries: selected(), from: folderId });
  if (!target || target.id === folderId) return;
  const done = await applyToFolder({ action: "move", parent_id: target.id }, gettext("Moved:"), (some) => {
    for (const { id } of some) removeRow(id);
  });
  clearSelection();
  document.dispatchEvent(new CustomEvent("bitvault:look-again"));
  if (done.length) toast(fill(gettext("%(what)s moved to %(name)s."), { what: done.length === 1 ? `“${done[0].name}”` : counted("%(count)s item", "%(count)s items", done.length), name: target.name }));
}

/** @param {Movable[]} entries */
export async function moveByDialog(entries) {
  const { folderId } = place();
  const target = await chooseFolder({ entries, from: folderId });
  if (target) await moveInto(entries, target, folderId);
}
