/**
 * Remembers unfinished uploads beyond a reload, in IndexedDB: which file, where to, and which attempt on the server holds its parts.
 * No bytes. A record belongs to one item of one tab until that lets go of it or the tab is closed; only then may another item take it over.
 */

import { randomKey } from "../../js/api.js";
import { isAlive, tab } from "./tabs.js";

const DATABASE = "bitvault";
const VERSION = 2;
const STORE = "attempts";
/** As long as the server keeps an attempt. */
const KEPT_MS = 72 * 3600 * 1000;

/**
 * @typedef {{id: string, fingerprint: string, user: string, tab: string, rootId: string, rootName: string, dir: string[], name: string,
 *   size: number, modified: number, uploadId: string, at: number}} Unfinished
 */

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

/** @returns {Promise<IDBDatabase>} */
function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => {
      const { result } = request;
      for (const name of [...result.objectStoreNames]) result.deleteObjectStore(name);
      result.createObjectStore(STORE, { keyPath: "id" }).createIndex("fingerprint", "fingerprint");
    };
    request.onsuccess = () => {
      // A tab with newer code must not wait for this one.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("A tab with older code holds the database."));
  });
  return opened;
}

/** @typedef {{act: (store: IDBObjectStore) => IDBRequest<any>, resolve: (result: any) => void, reject: (error: unknown) => void}} Wish */

/** What was asked for in this moment: it shares a transaction, of which three hundred dropped files would need a thousand. @type {Map<IDBTransactionMode, Wish[]>} */
const gathered = new Map();

/** @param {IDBTransactionMode} mode */
async function runGathered(mode) {
  const db = await database().catch((error) => error);
  const wishes = gathered.get(mode) ?? [];
  gathered.delete(mode);
  try {
    if (!(db instanceof IDBDatabase)) throw db;
    const store = db.transaction(STORE, mode).objectStore(STORE);
    for (const { act, resolve, reject } of wishes) {
      const request = act(store);
      request.onsuccess = () => resolve(request.result);
      request.onerror = (event) => {
        // The others of the transaction go on.
        event.preventDefault();
        reject(request.error);
      };
    }
  } catch (error) {
    for (const { reject } of wishes) reject(error);
  }
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
    return await new Promise((resolve, reject) => {
      const wishes = gathered.get(mode);
      if (wishes) return void wishes.push({ act, resolve, reject });
      gathered.set(mode, [{ act, resolve, reject }]);
      setTimeout(() => void runGathered(mode));
    });
  } catch (error) {
    console.warn("Unfinished uploads are not remembered in this window.", error);
    return null;
  }
}

/** @returns {string} whose uploads these are */
const user = () => document.querySelector('meta[name="bitvault-user"]')?.getAttribute("content") ?? "";

/**
 * Say what makes an upload the same one again after a reload. A JSON array, so that no two sets of facts have one text.
 *
 * @param {string} rootId
 * @param {string[]} dir
 * @param {File} file
 * @returns {string}
 */
export const fingerprintOf = (rootId, dir, file) => JSON.stringify([user(), rootId, dir, file.name, file.size, file.lastModified]);

/** @param {Omit<Unfinished, "user" | "tab" | "at">} facts */
export const remember = (facts) => withStore("readwrite", (store) => store.put({ ...facts, user: user(), tab, at: Date.now() }));

/** @param {string} id */
export const forget = (id) => withStore("readwrite", (store) => store.delete(id));

/** @returns {string} an id for the record of a new item */
export const newRecordId = () => randomKey();

/** @param {Unfinished} record @param {Set<string>} alive @returns {boolean} whether no open tab works on it */
const isFree = (record, alive) => record.user === user() && record.tab !== tab && !alive.has(record.tab);

/**
 * Take over what a closed tab has left of this very file, for one item alone.
 *
 * @param {string} fingerprint
 * @returns {Promise<Unfinished | null>}
 */
export async function claim(fingerprint) {
  const left = (await withStore("readonly", (store) => store.index("fingerprint").getAll(fingerprint))) ?? [];
  for (const { id } of left) {
    const record = await claimRecord(id);
    if (record) return record;
  }
  return null;
}

/**
 * Take over one record, if no open tab works on it: read and written in one transaction, so of two that want it one gets it.
 *
 * @param {string} id
 * @returns {Promise<Unfinished | null>}
 */
export async function claimRecord(id) {
  const record = /** @type {Unfinished | null | undefined} */ (await withStore("readonly", (store) => store.get(id)));
  if (!record || record.tab === tab || (await isAlive(record.tab))) return null;
  try {
    const db = await database();
    return await new Promise((resolve, reject) => {
      const store = db.transaction(STORE, "readwrite").objectStore(STORE);
      const request = store.get(id);
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        // Whoever was quicker has written its own name.
        if (request.result?.tab !== record.tab) return resolve(null);
        store.put({ ...request.result, tab });
        resolve({ ...request.result, tab });
      };
    });
  } catch (error) {
    console.warn("What an earlier page has left could not be taken over.", error);
    return null;
  }
}

/** @returns {Promise<Unfinished[]>} what no open tab is sending */
export async function listUnfinished() {
  const all = /** @type {Unfinished[]} */ ((await withStore("readonly", (store) => store.getAll())) ?? []);
  const old = all.filter((record) => Date.now() - record.at > KEPT_MS);
  await Promise.all(old.map((record) => forget(record.id)));
  const tabs = [...new Set(all.map((record) => record.tab))].filter((name) => name !== tab);
  const alive = new Set();
  for (const name of tabs) if (await isAlive(name)) alive.add(name);
  return all.filter((record) => isFree(record, alive) && !old.includes(record));
}
