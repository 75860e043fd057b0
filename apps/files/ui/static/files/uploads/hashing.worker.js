/** Hashes slices of files off the main thread. Takes `{id, blob}`, gives `{id, hash}` or `{id, unreadable: true}`. */

import { sha256 } from "./sha256.js";

/** @param {ArrayBuffer} buffer @returns {string} */
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

addEventListener("message", async (event) => {
  const { id, blob } = event.data;
  try {
    const buffer = await blob.arrayBuffer();
    const digest = globalThis.crypto?.subtle ? await crypto.subtle.digest("SHA-256", buffer) : sha256(buffer);
    postMessage({ id, hash: hex(digest) });
  } catch {
    postMessage({ id, unreadable: true });
  }
});
