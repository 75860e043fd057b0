/** Another name, typed in the row itself. Enter keeps it, Escape takes it back, a refusal is shown under the field. */

import { call, explain, Problem } from "../../js/api.js";
import { showFieldError } from "../../js/dialogs.js";
import { announce, make, need } from "../../js/dom.js";
import { toast } from "../../js/toast.js";
import { splitName } from "../types.js";
import { entryOf, focusRow, placeNode, refreshRow, removeRow } from "./rows.js";
import { suggestFor } from "./suggest.js";
import { fill, gettext } from "../../js/i18n.js";

const ERROR_ID = "rename-error";

/** @param {HTMLElement} row */
export function startRename(row) {
  if (row.querySelector(".rename")) return;
  const entry = entryOf(row);
  const lines = need(".name-lines", HTMLElement, row);
  const input = make("input", {
    class: "input",
    type: "text",
    "aria-label": fill(gettext("New name for %(name)s"), { name: entry.name }),
    "aria-describedby": ERROR_ID,
    autocomplete: "off",
    spellcheck: "false",
  });
  const note = make("p", { class: "field-error", id: ERROR_ID, role: "alert" });
  note.hidden = true;
  const editor = make("span", { class: "rename" }, input, note);
  input.value = entry.name;
  lines.hidden = true;
  lines.after(editor);
  row.draggable = false;
  row.dataset.renaming = "";
  input.focus();
  input.setSelectionRange(0, entry.kind === "file" ? splitName(entry.name)[0].length : entry.name.length);

  let over = false;
  let sending = false;
  const close = (/** @type {boolean} */ giveFocus) => {
    over = true;
    editor.remove();
    lines.hidden = false;
    row.draggable = true;
    delete row.dataset.renaming;
    if (giveFocus) focusRow(row);
  };

  const send = async (/** @type {boolean} */ byKey) => {
    const name = input.value.trim();
    if (over || sending) return;
    if (name === entry.name || input.value === entry.name) return close(byKey);
    if (!name) return showFieldError(input, gettext("Type a name."));
    sending = true;
    input.readOnly = true;
    try {
      const node = await call("PATCH", `/nodes/${entry.id}`, { body: { name }, revision: entry.revision });
      close(byKey);
      placeNode(node);
      if (byKey) focusRow(row);
      announce(fill(gettext("Renamed to %(name)s"), { name: node.name }));
    } catch (error) {
      if (error instanceof Problem && (error.status === 412 || error.status === 404)) {
        close(true);
        await changedElsewhere(entry, error);
      } else {
        showFieldError(input, explain(error));
        input.value = suggestFor(entry.kind)(name, error) || input.value;
        input.focus();
        input.select();
      }
    } finally {
      sending = false;
      input.readOnly = false;
    }
  };

  input.addEventListener("input", () => showFieldError(input, ""));
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      void send(true);
    } else if (event.key === "Escape") {
      event.preventDefault();
      close(true);
    }
  });
  input.addEventListener("blur", () => {
    if (over) return;
    // Leaving keeps a good name; with a refused one shown, leaving takes it back.
    if (input.getAttribute("aria-invalid") === "true" || !input.value.trim()) close(false);
    else void send(false);
  });
}

/**
 * Tell that somebody was quicker, and show what the node has become.
 *
 * @param {{id: string, name: string}} entry
 * @param {Problem} problem 412 or 404
 */
export async function changedElsewhere(entry, problem) {
  if (problem.status === 404) {
    removeRow(entry.id);
    toast(fill(gettext("“%(name)s” is not here any more."), { name: entry.name }), { failed: true });
    return;
  }
  toast(fill(gettext("“%(name)s” was changed elsewhere. The list shows it as it is now."), { name: entry.name }), { failed: true });
  await refreshRow(entry.id);
}
