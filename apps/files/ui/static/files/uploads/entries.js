/** Reads what was dropped or chosen, folders with everything below them, as a stream of files and folders. */

/**
 * @typedef {{kind: "file", file: File, dir: string[]} | {kind: "folder", dir: string[]} | {kind: "unreadable", dir: string[]} |
 *   {kind: "litter", name: string}} Found
 *   `dir` are the folders above it, from the place of the drop; of a folder, it is its own path
 */

/** Leftovers of file managers that nobody means to upload. People are told that they stay behind. */
const LITTER = new Set([".DS_Store", "Thumbs.db", "desktop.ini", "._.DS_Store"]);

const OPENED_TOGETHER = 100;

/** @param {FileSystemDirectoryReader} reader @returns {Promise<FileSystemEntry[]>} */
const readSome = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

/** @param {File} file @param {string[]} dir @returns {Found} */
const fileOrLitter = (file, dir) => (LITTER.has(file.name) ? { kind: "litter", name: file.name } : { kind: "file", file, dir });

/** @param {FileSystemFileEntry} entry @param {string[]} dir @returns {Promise<Found>} */
async function open(entry, dir) {
  if (LITTER.has(entry.name)) return { kind: "litter", name: entry.name };
  try {
    return { kind: "file", file: await fileOf(entry), dir };
  } catch (error) {
    console.warn("A file could not be read.", error);
    return { kind: "unreadable", dir };
  }
}

/** @param {FileSystemDirectoryEntry} folder @param {string[]} dir @returns {AsyncGenerator<Found>} */
async function* walk(folder, dir) {
  const path = [...dir, folder.name];
  yield { kind: "folder", dir: path };
  const reader = folder.createReader();
  // A reader gives a hundred at a time, and an empty answer at the end.
  for (let some = await readSome(reader); some.length; some = await readSome(reader)) yield* walkAll(some, path);
}

/**
 * Files that lie side by side are opened together: one after the other, each would wait for the browser's own process.
 *
 * @param {(FileSystemEntry | File)[]} entries
 * @param {string[]} dir
 * @returns {AsyncGenerator<Found>}
 */
async function* walkAll(entries, dir) {
  for (let at = 0; at < entries.length; at += OPENED_TOGETHER) {
    const some = entries.slice(at, at + OPENED_TOGETHER).map((entry) => {
      if (entry instanceof File) return fileOrLitter(entry, dir);
      return entry.isFile ? open(/** @type {FileSystemFileEntry} */ (entry), dir) : walk(/** @type {FileSystemDirectoryEntry} */ (entry), dir);
    });
    for (const one of some) {
      if (Symbol.asyncIterator in one) yield* one;
      else yield one;
    }
  }
}

/**
 * @param {DataTransfer} transfer read at once: after the drop event it is empty
 * @returns {AsyncGenerator<Found>}
 */
export function dropped(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  return walkAll(entries.filter((entry) => entry !== null), []);
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
