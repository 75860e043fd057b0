/** Extracts a zip into a folder beside it, by a job. The folder can be taken back. */

import { call, explain, get, randomKey } from "../../js/api.js";
import { bytes } from "../../js/format.js";
import { toast } from "../../js/toast.js";
import { counted, fill, gettext } from "../../js/i18n.js";
import { follow } from "./jobs.js";
import { placeNode, removeRow, rowOf } from "./rows.js";

/** Entries that a message names; the result of the job names more. */
const NAMED = 3;

/** @param {{id: string, name: string}} entry of a zip */
export async function extract(entry) {
  try {
    const begun = await call("POST", `/nodes/${entry.id}/extract`, { body: {}, key: randomKey() });
    const result = await follow(begun, words);
    if (!result) return;
    const folder = await get(`/nodes/${result.node_id}`);
    placeNode(folder, { fresh: true });
    tell(folder, result);
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

/** @param {import("./jobs.js").Job} job @returns {string} */
function words(job) {
  if (job.state === "queued" || !job.total_count) return gettext("Extracting…");
  return fill(gettext("Extracting: %(done)s of %(total)s…"), { done: bytes(job.done_count), total: bytes(job.total_count) });
}

/** @param {import("../../js/api.js").Node} folder @param {{file_count: number, left_out_count: number, left_out: {path: string, reason: string}[]}} result */
function tell(folder, result) {
  toast(counted("%(count)s file extracted to “%(name)s”.", "%(count)s files extracted to “%(name)s”.", result.file_count, { name: folder.name }), {
    action: gettext("Undo"),
    undo: true,
    run: () => void takeBack(folder),
    more: { action: gettext("Show"), run: () => show(folder) },
  });
  if (!result.left_out_count) return;
  const named = result.left_out.slice(0, NAMED).map(({ path, reason }) => `${path} (${reasonOf(reason)})`);
  const told = counted("%(count)s entry of the archive was left out: %(names)s", "%(count)s entries of the archive were left out: %(names)s", result.left_out_count, {
    names: named.join(", ") + (result.left_out_count > named.length ? ", …" : ""),
  });
  toast(told, { failed: true });
}

/** @param {import("../../js/api.js").Node} folder */
function show(folder) {
  const link = rowOf(folder.id)?.querySelector("a.name");
  if (link instanceof HTMLElement) return link.click();
  location.assign(`/files/${folder.id}/`);
}

/** @param {import("../../js/api.js").Node} folder */
async function takeBack(folder) {
  try {
    await call("DELETE", `/nodes/${folder.id}`);
    removeRow(folder.id);
    toast(fill(gettext("%(what)s moved to trash."), { what: `“${folder.name}”` }));
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

/** @param {string} reason @returns {string} */
function reasonOf(reason) {
  /** @type {Record<string, string>} */
  const told = {
    encrypted: gettext("encrypted"),
    link: gettext("a link"),
    unsafe_path: gettext("its path leads out of the folder"),
    duplicate_path: gettext("another one has the same path"),
    damaged: gettext("damaged"),
    unknown_method: gettext("packed in a way that is not supported"),
    invalid_name: gettext("its name cannot be used"),
    too_deep: gettext("nested too deep"),
    "files.too_deep": gettext("nested too deep"),
    "files.path_too_long": gettext("its path is too long"),
    "files.too_many_children": gettext("too many in one folder"),
    "files.type_refused": gettext("files of its type are not taken here"),
    "files.size_refused": gettext("larger than is taken here"),
    "billing.quota_exceeded": gettext("no room left"),
    "billing.file_over_limit": gettext("too large for your plan"),
  };
  return told[reason] ?? gettext("it could not be added");
}
