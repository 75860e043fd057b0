/** New text files: named in a dialog, made empty, and opened to be written. */

import { askName } from "../../js/dialogs.js";
import { focusRow, mayWrite, place, placeNode } from "../list/rows.js";
import { suggestFor } from "../list/suggest.js";
import { splitName } from "../types.js";
import { gettext } from "../../js/i18n.js";
import { writeText } from "./content.js";
import { edit } from "./editor.js";

/** @param {string} extension with its dot, for a name that has none */
export async function newText(extension) {
  if (!mayWrite()) return;
  const { folderId } = place();
  const node = await askName({
    title: extension === ".md" ? gettext("New Markdown file") : gettext("New text file"),
    label: gettext("Name"),
    value: `${gettext("Untitled")}${extension}`,
    accept: gettext("Create"),
    submit: (name) =>
      writeText({ text: "", lineEnd: "\n", hasMark: false }, { parent_id: folderId, name: splitName(name)[1] ? name : `${name}${extension}`, mode: "add" }),
    suggest: suggestFor("file"),
  });
  if (!node) return;
  const row = placeNode(node, { fresh: true });
  if (row) focusRow(row);
  await edit(node);
}
