/** A folder's rules for files that come in: a dialog that the details panel opens for who manages the folder. */

import { call, explain, Problem } from "../../js/api.js";
import { openForm, Refusal } from "../../js/dialogs.js";
import { closest, need } from "../../js/dom.js";
import { fill, gettext } from "../../js/i18n.js";
import { toast } from "../../js/toast.js";

/** @typedef {{file_types: string, file_extensions: string[], largest_file_bytes: number | null}} Rules */

const MB = 1024 * 1024;
const SECTION = "files.rules";

const types = () => need("#folder-rules-types", HTMLSelectElement);
const extensions = () => need("#folder-rules-extensions", HTMLInputElement);
const largest = () => need("#folder-rules-largest", HTMLInputElement);

/** Show the list where it means something. */
function showList() {
  need("#folder-rules-extensions-field", HTMLElement).hidden = types().value === "all";
}

/** @returns {Rules} */
function read() {
  const size = largest();
  // What is no number has an empty value, which would mean "no limit".
  if (size.validity.badInput) throw new Refusal(size, gettext("Give the size as a number."));
  return {
    file_types: types().value,
    file_extensions: types().value === "all" ? [] : extensions().value.split(/[\s,;]+/u).filter(Boolean),
    largest_file_bytes: size.value.trim() ? Math.round(Number(size.value) * MB) : null,
  };
}

/** @param {Rules} rules */
function write(rules) {
  types().value = rules.file_types;
  extensions().value = rules.file_extensions.join(", ");
  largest().value = rules.largest_file_bytes === null ? "" : String(rules.largest_file_bytes / MB);
  showList();
}

/** @param {string} id @param {Rules} rules */
async function put(id, rules) {
  await call("PUT", `/nodes/${id}/file-rules`, { body: rules });
  document.dispatchEvent(new CustomEvent("bitvault:details-changed", { detail: { section: SECTION } }));
  document.dispatchEvent(new CustomEvent("bitvault:renew"));
}

/** @param {unknown} error @returns {Refusal} */
function refusalOf(error) {
  const facts = error instanceof Problem ? error.facts : {};
  const text = facts.value ? fill(gettext("“%(value)s” is not an ending of file names. Write it like .exe or .tar.gz."), { value: facts.value }) : explain(error);
  return new Refusal(facts.field === "file_extensions" ? extensions() : facts.field ? largest() : types(), text);
}

/** @param {HTMLElement} button */
function open({ dataset }) {
  const id = dataset.folderRules ?? "";
  const before = /** @type {Rules} */ (JSON.parse(dataset.rules ?? "{}"));
  openForm("#folder-rules-dialog", async () => {
    const wanted = read();
    try {
      await put(id, wanted);
    } catch (error) {
      throw refusalOf(error);
    }
    const takeBack = () => void put(id, before).catch((error) => toast(explain(error), { failed: true }));
    toast(fill(gettext("The rules of “%(name)s” are saved."), { name: dataset.name ?? "" }), { action: gettext("Undo"), undo: true, run: takeBack });
  });
  need("#folder-rules-title", HTMLElement).textContent = fill(gettext("Rules for files in “%(name)s”"), { name: dataset.name ?? "" });
  write(before);
}

/** Listen from now on. */
export function startFolderRules() {
  document.addEventListener("click", (event) => {
    const button = closest(event.target, "[data-folder-rules]");
    if (button) open(button);
  });
  document.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement && event.target.id === "folder-rules-types") showList();
  });
}
