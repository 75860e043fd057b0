/**
 * Remembers unfinished uploads beyond a reload, in IndexedDB: which file (by folder, path, size and time of change), and which
 * attempt on the server holds its parts. No bytes. What another open tab is sending is not offered: each tab holds a lock.
 */

const DATABASE = "bitvault";
const STORE = "unfinished";
/** As long as the server keeps an attempt. */
const KEPT_MS = 72 * 3600 * 1000;

/**
 * @typedef {{fingerprint: string, user: string, tab: string, rootId: string, rootName: string, dir: string[], name: string,
 *   size: number, modified: number, uploadId: string, at: number}} Unfinished
 */

const tab = crypto.getRandomValues(new Uint32Array(2)).join("-");
const lockOf = (/** @type {string} */ id) => `bitvault-tab-${id}`;

// Held until the tab goes; the browser lets go of it, crash or not.
navigator.locks?.request(lockOf(tab), () => new Promise(() => {}));

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

/** @returns {Promise<IDBDatabase>} */
function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "fingerprint" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/**
 * Run one request; a browser that keeps no database (private windows) only loses the memory, never the upload.
 *
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} act
 * @returns {Promise<T | null>}
 */
async function withStore(mode, act) {
  try {
    const db = await database();
    return await new Promise((resolve, reject) => {
      const request = act(db.transaction(STORE, mode).objectStore(STORE));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } catch (error) {
    console.warn("Unfinished uploads are not remembered in this window.", error);
    return null;
  }
}

/** @returns {string} whose uploads these are */
const user = () => document.querySelector('meta[name="bitvault-user"]')?.getAttribute("content") ?? "";

/** @param {string} rootId @param {string[]} dir @param {File} file @returns {string} */
export const fingerprintOf = (rootId, dir, file) => [user(), rootId, ...dir, file.name, file.size, file.lastModified].join("|");

/** @param {Omit<Unfinished, "user" | "tab" | "at">} facts */
export const remember = (facts) => withStore("readwrite", (store) => store.put({ ...facts, user: user(), tab, at: Date.now() }));

/** @param {string} fingerprint */
export const forget = (fingerprint) => withStore("readwrite", (store) => store.delete(fingerprint));

/** @param {string} fingerprint @returns {Promise<Unfinished | null | undefined>} */
export const recall = (fingerprint) => withStore("readonly", (store) => store.get(fingerprint));

/** @returns {Promise<Unfinished[]>} what no open tab is sending */
export async function listUnfinished() {
  const all = /** @type {Unfinished[]} */ ((await withStore("readonly", (store) => store.getAll())) ?? []);
  const held = (await navigator.locks?.query())?.held ?? [];
  const alive = new Set(held.map((lock) => lock.name));
  const old = all.filter((record) => Date.now() - record.at > KEPT_MS);
  await Promise.all(old.map((record) => forget(record.fingerprint)));
  return all.filter((record) => record.user === user() && record.tab !== tab && !alive.has(lockOf(record.tab)) && !old.includes(record));
}
