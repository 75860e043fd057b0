/** Sends one part straight to the object store. XMLHttpRequest, because fetch does not tell how far an upload has come. */

import { isPassingStatus, NetworkDown } from "../../js/api.js";
import { fill, gettext } from "../../js/i18n.js";
import { Unreadable } from "./hashing.js";

/** No byte for this long means that the connection is dead, whatever the system still believes. */
const SILENCE_MS = 45_000;
/** These belong to the browser; it refuses to have them set. */
const NOT_OURS = new Set(["host", "content-length"]);

const NO_ROOM = 507;

/** The store refused: the URL is too old, or the bytes are not those that were announced. */
export class Refused extends Error {
  /** @param {number} status @param {string} answer */
  constructor(status, answer) {
    super(status === NO_ROOM ? gettext("The server has no room for this.") : fill(gettext("The store refused a part (%(status)s)."), { status }));
    this.name = "Refused";
    this.status = status;
    this.badDigest = /BadDigest|XAmzContentChecksumMismatch|InvalidDigest/u.test(answer);
  }

  /** @returns {boolean} whether the same bytes may be taken a little later */
  get passing() {
    return isPassingStatus(this.status);
  }

  /** @returns {boolean} whether another URL for the same bytes would be refused as well */
  get final() {
    return this.status === NO_ROOM;
  }
}

/**
 * @param {{method: string, url: string, headers: Record<string, string>}} part
 * @param {Blob} blob
 * @param {{signal: AbortSignal, onProgress: (sent: number) => void}} options
 * @returns {Promise<void>}
 * @throws {Refused | NetworkDown | Unreadable | DOMException}
 */
export function put(part, blob, { signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let silence;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(() => request.abort(), SILENCE_MS);
    };
    const stop = () => request.abort();
    const end = (/** @type {() => void} */ settle) => {
      clearTimeout(silence);
      signal.removeEventListener("abort", stop);
      settle();
    };
    request.open(part.method, part.url);
    for (const [name, value] of Object.entries(part.headers)) {
      if (!NOT_OURS.has(name.toLowerCase())) request.setRequestHeader(name, value);
    }
    request.upload.addEventListener("progress", (event) => {
      listen();
      onProgress(event.loaded);
    });
    request.addEventListener("load", () =>
      end(() => (request.status >= 200 && request.status < 300 ? resolve() : reject(new Refused(request.status, request.responseText)))),
    );
    request.addEventListener("error", () => end(() => void whyDown(blob).then(reject)));
    request.addEventListener("abort", () =>
      end(() => reject(signal.aborted ? new DOMException("Stopped", "AbortError") : new NetworkDown())),
    );
    if (signal.aborted) return reject(new DOMException("Stopped", "AbortError"));
    signal.addEventListener("abort", stop);
    listen();
    request.send(blob);
  });
}

/** A file that vanished looks like a broken connection; reading one byte tells them apart. @param {Blob} blob @returns {Promise<Error>} */
async function whyDown(blob) {
  try {
    await blob.slice(0, 1).arrayBuffer();
    return new NetworkDown();
  } catch {
    return new Unreadable();
  }
}
