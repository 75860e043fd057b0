/** Moves nodes into another folder: by the dialog or by a drop. Both can be taken back. */

import { call } from "../../js/api.js";
import { announce } from "../../js/dom.js";
import { toast } from "../../js/toast.js";
import { countSelected, isSelectedId } from "./chosen.js";
import { chooseFolder } from "./picker.js";
import { countRows, place, placeNode, removeRows } from "./rows.js";
import { clearSelection, selected } from "./selection.js";
import { together } from "./together.js";
import { applyToFolder, applyToNamed, MANY } from "./whole.js";
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
  if (movable.length > MANY) {
    const moved = await applyToNamed(from, movable, { action: "move", parent_id: target.id }, "Moved:", (some) => removeRows(some.map(({ id }) => id)));
    return offerWayBack(moved, target, from);
  }
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
  const target = await chooseFolder({ entries: selected(), from: folderId, count: countSelected(countRows()), isMoved: isSelectedId });
  if (!target || target.id === folderId) return;
  const done = await applyToFolder({ action: "move", parent_id: target.id }, gettext("Moved:"), (some) => removeRows(some.map(({ id }) => id)));
  clearSelection();
  offerWayBack(done, target, folderId);
}

/** @param {Target[]} moved @param {Target} target @param {string} from the folder they had been in */
function offerWayBack(moved, target, from) {
  document.dispatchEvent(new CustomEvent("bitvault:look-again"));
  if (!moved.length) return;
  const what = moved.length === 1 ? `“${moved[0].name}”` : counted("%(count)s item", "%(count)s items", moved.length);
  toast(fill(gettext("%(what)s moved to %(name)s."), { what, name: target.name }), { action: gettext("Undo"), undo: true, run: () => moveBack(moved, target.id, from) });
}

/** @param {Target[]} entries @param {string} from the folder they were moved to @param {string} to the one they had been in */
async function moveBack(entries, from, to) {
  const returned = await applyToNamed(from, entries, { action: "move", parent_id: to }, gettext("Moved back:"));
  document.dispatchEvent(new CustomEvent("bitvault:look-again"));
  if (returned.length) toast(counted("%(count)s item moved back.", "%(count)s items moved back.", returned.length));
}

/** @param {Movable[]} entries */
export async function moveByDialog(entries) {
  const { folderId } = place();
  const target = await chooseFolder({ entries, from: folderId });
  if (target) await moveInto(entries, target, folderId);
}
