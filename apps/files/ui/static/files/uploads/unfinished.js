/** Finds which of the unfinished uploads a chosen file goes on with. */

import { get } from "../../js/api.js";
import { hashOf } from "./hashing.js";

/** @typedef {import("./store.js").Unfinished} Unfinished */

/** @param {string[]} path @param {string[]} end @returns {boolean} */
const endsWith = (path, end) => end.length <= path.length && end.every((step, index) => step === path[path.length - end.length + index]);

/**
 * @param {Unfinished[]} records
 * @param {File} file
 * @param {string[]} dir as chosen now, which may begin higher or lower than at the drop
 * @returns {Promise<Unfinished | undefined>}
 */
export async function findRecord(records, file, dir) {
  const same = records.filter((record) => record.name === file.name && record.size === file.size && record.modified === file.lastModified);
  const whole = same.filter((record) => record.dir.length === dir.length && endsWith(record.dir, dir));
  const below = same.filter((record) => endsWith(record.dir, dir) || endsWith(dir, record.dir));
  const fitting = whole.length ? whole : below.length ? below : same;
  if (fitting.length < 2) return fitting[0];
  // Several uploads of files with one name, size and time: what has arrived tells them apart.
  for (const record of fitting) if (await holdsPartOf(record, file)) return record;
  return fitting.find((record) => !record.uploadId);
}

/** @param {Unfinished} record @param {File} file @returns {Promise<boolean>} whether the server holds a part that is one of this file */
async function holdsPartOf({ uploadId }, file) {
  if (!uploadId) return false;
  try {
    const { parts, part_size_bytes: size } = await get(`/uploads/${uploadId}`);
    const [first] = parts;
    if (!first) return false;
    return (await hashOf(file.slice((first.number - 1) * size, first.number * size))) === first.sha256;
  } catch (error) {
    console.warn("An unfinished upload could not be read.", error);
    return false;
  }
}
