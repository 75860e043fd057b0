/** Downloads: of a file as it is, of a folder or of several things as one zip that the server makes. */

import { call, explain, randomKey } from "../../js/api.js";
import { bytes } from "../../js/format.js";
import { toast } from "../../js/toast.js";
import { counted, fill, gettext } from "../../js/i18n.js";
import { exceptions, isAll } from "./chosen.js";
import { follow } from "./jobs.js";
import { place } from "./rows.js";

/** @typedef {import("./rows.js").Entry} Entry */

/** Things that one archive is asked for by their ids; the server's own limit. */
const NAMED_AT_ONCE = 1000;

/** @param {Entry[]} entries */
export async function download(entries) {
  if (entries.length === 1 && entries[0].kind === "file") return save(`/api/v1/nodes/${entries[0].id}/content`);
  if (entries.length > NAMED_AT_ONCE) {
    return void toast(gettext("An archive is made of up to 1,000 selected items, or of a whole folder: select all of it, or download the folder itself."), { failed: true });
  }
  await pack(entries.map(({ id }) => id));
}

/** @returns {boolean} whether the whole folder is selected, which is then downloaded as one */
export const isWhole = () => isAll() && !exceptions().length;

/** Download the folder that is shown. */
export const downloadAll = () => pack([place().folderId]);

/** @param {string[]} nodeIds */
async function pack(nodeIds) {
  let result = null;
  let job;
  try {
    job = await call("POST", "/archives", { body: { node_ids: nodeIds }, key: randomKey() });
    result = await follow(job, words);
  } catch (error) {
    toast(explain(error), { failed: true });
  }
  if (!job || !result) return;
  const address = `/api/v1/jobs/${job.id}/content`;
  save(address);
  const told = fill(gettext("Downloading the archive (%(size)s). It can be downloaded again until tomorrow."), { size: bytes(result.size_bytes) });
  toast(told, { action: gettext("Download again"), run: () => save(address) });
  if (result.missing_count) {
    toast(counted("%(count)s file is not in the archive: its content is damaged or gone.", "%(count)s files are not in the archive: their content is damaged or gone.", result.missing_count), { failed: true });
  }
}

/** @param {import("./jobs.js").Job} job @returns {string} */
function words(job) {
  if (job.state === "queued" || !job.total_count) return gettext("Making an archive…");
  return fill(gettext("Making an archive: %(done)s of %(total)s…"), { done: bytes(job.done_count), total: bytes(job.total_count) });
}

/** Let the browser save what is at an address. @param {string} address */
function save(address) {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  link.setAttribute("hx-boost", "false");
  document.body.append(link);
  link.click();
  link.remove();
}
