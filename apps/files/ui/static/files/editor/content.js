/** The text of a file: fetched as its bytes are, and kept as a new version by the way of all uploads. */

import { call, get, NetworkDown, Problem, randomKey } from "../../js/api.js";
import { pause, persist } from "../../js/backoff.js";
import { gettext } from "../../js/i18n.js";
import { hashOf } from "../uploads/hashing.js";
import { put } from "../uploads/put.js";

/** @typedef {{id: string, name: string, parent_id: string | null, version_id: string | null, size_bytes: number | null, modified_at: string, locked_until?: string | null}} Node a file, as members and as visitors of a link are told of it */
/** @typedef {{text: string, lineEnd: string, hasMark: boolean}} Text `lineEnd`: how its lines end; `hasMark`: it begins with a byte order mark */

/** Longer texts are for programs: a field of the browser's gets slow, and one part of an upload is enough for what is shorter. */
export const TEXT_LIMIT_BYTES = 1024 * 1024;

const FORBIDDEN = 403;
/** Before a commit is asked for again that the store needs longer for. */
const COMPLETING_MS = 1000;

const MARK = "\uFEFF";

/** The file is no text that can be kept as it was found. */
export class NoText extends Error {
  constructor() {
    super(gettext("This file is not text in UTF-8, so it cannot be edited here. Download it, and upload it again when it is changed."));
    this.name = "NoText";
  }
}

/** @param {Uint8Array} found @returns {Text} @throws {NoText} */
export function decode(found) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(found);
  } catch {
    throw new NoText();
  }
  if (text.includes("\0")) throw new NoText();
  const hasMark = text.startsWith(MARK);
  // A field of the browser's knows one end of a line alone.
  return { text: (hasMark ? text.slice(1) : text).replaceAll(/\r\n?/gu, "\n"), lineEnd: /\r\n/u.test(text) ? "\r\n" : /\r/u.test(text) ? "\r" : "\n", hasMark };
}

/** @param {Text} text @returns {Blob} */
export const encode = ({ text, lineEnd, hasMark }) => new Blob([(hasMark ? MARK : "") + text.replaceAll("\n", lineEnd)], { type: "text/plain" });

/**
 * @param {string} url of bytes
 * @param {string} [refusesAt] the path to which a refusal leads that is a page
 * @returns {Promise<Text>} what they say
 */
export async function fetchText(url, refusesAt) {
  const answer = await persist(async () => {
    const got = await fetch(url).catch(() => {
      throw new NetworkDown();
    });
    const status = new URL(got.url).pathname === refusesAt ? FORBIDDEN : got.status;
    if (!got.ok || status === FORBIDDEN) throw new Problem({ detail: gettext("The text of this file cannot be read.") }, status);
    return got;
  });
  return decode(new Uint8Array(await answer.arrayBuffer()));
}

/**
 * @param {typeof call} ask
 * @param {Text} text
 * @param {Record<string, unknown>} destination as `POST /uploads` takes it
 * @returns {Promise<any>} the answer to its commit
 */
export async function sendText(ask, text, destination) {
  const blob = encode(text);
  const hash = await hashOf(blob);
  const upload = await ask("POST", "/uploads", { body: { ...destination, size_bytes: blob.size, part_hashes: [hash] }, key: randomKey() });
  for (const part of upload.parts) {
    if (part.state === "send") await persist(() => put(part, blob, { signal: new AbortController().signal, onProgress: () => {} }));
  }
  for (;;) {
    const done = await persist(() => ask("POST", `/uploads/${upload.id}/commit`, { body: { part_hashes: [hash] } }));
    if (done.state !== "completing") return done;
    await pause(COMPLETING_MS);
  }
}

/** @param {Node} node @returns {Promise<Text>} what its version holds */
export const readText = (node) => fetchText(`/api/v1/nodes/${node.id}/content?version_id=${node.version_id}`);

/** @param {Text} text @param {Record<string, unknown>} destination @returns {Promise<import("../../js/api.js").Node>} the file that has it now */
export const writeText = (text, destination) => sendText(call, text, destination);

/** @param {string} id @returns {Promise<Node>} */
export const readNode = (id) => get(`/nodes/${id}`);
