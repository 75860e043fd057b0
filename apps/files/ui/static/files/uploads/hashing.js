/** The page's side of the hashing worker. */

import { gettext } from "../../js/i18n.js";

/** A file that could be read when it was chosen and cannot be read now: changed, moved, or its disk is gone. */
export class Unreadable extends Error {
  constructor() {
    super(gettext("This file changed or went away while it was being read. Choose it again."));
    this.name = "Unreadable";
  }
}

/** @type {Worker | null} */
let worker = null;
let next = 1;
/** @type {Map<number, {resolve: (hash: string) => void, reject: (error: Error) => void}>} */
const waiting = new Map();

/** @returns {Worker} */
function start() {
  const made = new Worker(new URL("./hashing.worker.js", import.meta.url), { type: "module" });
  made.addEventListener("message", ({ data }) => {
    const promise = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.unreadable) promise?.reject(new Unreadable());
    else promise?.resolve(data.hash);
  });
  made.addEventListener("error", () => {
    for (const { reject } of waiting.values()) reject(new Error("The hashing worker could not be started."));
    waiting.clear();
    worker = null;
  });
  return made;
}

/**
 * @param {Blob} blob one part of a file
 * @returns {Promise<string>} lower-case hex SHA-256
 * @throws {Unreadable}
 */
export function hashOf(blob) {
  worker ??= start();
  const id = next;
  next += 1;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker?.postMessage({ id, blob });
  });
}
