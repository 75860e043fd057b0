/** Reads what was dropped or chosen, folders with everything below them, as a stream of files and folders. */

/**
 * @typedef {{kind: "file", file: File, dir: string[]} | {kind: "folder", dir: string[]} | {kind: "unreadable", dir: string[]} |
 *   {kind: "litter", name: string}} Found
 *   `dir` are the folders above it, from the place of the drop; of a folder, it is its own path
 */

/** Leftovers of file managers that nobody means to upload. People are told that they stay behind. */
const LITTER = new Set([".DS_Store", "Thumbs.db", "desktop.ini", "._.DS_Store"]);

/** @param {FileSystemDirectoryReader} reader @returns {Promise<FileSystemEntry[]>} */
const readSome = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

/** @param {File} file @param {string[]} dir @returns {Found} */
const fileOrLitter = (file, dir) => (LITTER.has(file.name) ? { kind: "litter", name: file.name } : { kind: "file", file, dir });

/** @param {FileSystemEntry} entry @param {string[]} dir @returns {AsyncGenerator<Found>} */
async function* walk(entry, dir) {
  if (entry.isFile) {
    if (LITTER.has(entry.name)) {
      yield { kind: "litter", name: entry.name };
      return;
    }
    try {
      yield { kind: "file", file: await fileOf(/** @type {FileSystemFileEntry} */ (entry)), dir };
    } catch (error) {
      console.warn("A file could not be read.", error);
      yield { kind: "unreadable", dir };
    }
    return;
  }
  const path = [...dir, entry.name];
  yield { kind: "folder", dir: path };
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  // A reader gives a hundred at a time, and an empty answer at the end.
  for (let some = await readSome(reader); some.length; some = await readSome(reader)) {
    for (const child of some) yield* walk(child, path);
  }
}

/**
 * @param {DataTransfer} transfer read at once: after the drop event it is empty
 * @returns {AsyncGenerator<Found>}
 */
export function dropped(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  return (async function* () {
    for (const entry of entries) {
      if (entry instanceof File) yield fileOrLitter(entry, []);
      else if (entry) yield* walk(entry, []);
    }
  })();
}

/**
 * @param {FileList} files of an input; with `webkitdirectory` each knows its path
 * @returns {AsyncGenerator<Found>}
 */
export async function* chosen(files) {
  for (const file of files) {
    const path = file.webkitRelativePath.split("/").slice(0, -1);
    yield fileOrLitter(file, path.filter(Boolean));
  }
}
