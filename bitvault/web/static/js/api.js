/**
 * Talks to the REST surface of this origin. Errors arrive as `Problem` (the server said no) or `NetworkDown` (nobody answered).
 */

import { pageFact } from "./dom.js";
import { fill, gettext, locale } from "./i18n.js";

const ROOT = "/api/v1";

/** Answers of 500 and above that the next try gets as well: what is asked is not built, or there is no room for it. */
const LASTING = new Set([501, 505, 507]);

/** @param {number} status @returns {boolean} whether the same request may succeed a little later */
export const isPassingStatus = (status) => (status >= 500 && !LASTING.has(status)) || status === 429 || status === 408;

/** A refusal by the server: RFC 9457 problem+json with a stable code, a sentence for people and facts. */
export class Problem extends Error {
  /**
   * @param {Record<string, any>} body
   * @param {number} status
   * @param {number | null} retryAfterMs
   */
  constructor(body, status, retryAfterMs = null) {
    super(body.detail || body.title || gettext("The server refused this."));
    this.name = "Problem";
    this.status = status;
    this.code = String(body.code || "");
    this.facts = body;
    this.retryAfterMs = retryAfterMs;
  }

  /** @returns {boolean} whether the same request may succeed a little later */
  get passing() {
    return isPassingStatus(this.status);
  }
}

/** The server could not be reached, or the connection broke. */
export class NetworkDown extends Error {
  constructor() {
    super(gettext("BitVault cannot be reached. Check your connection."));
    this.name = "NetworkDown";
  }

  get passing() {
    return true;
  }
}

/** @type {Map<string, (facts: Record<string, any>) => string>} */
const sentences = new Map();

/**
 * Say what a refusal means in a module's own words, which know its facts.
 *
 * @param {string} code of the problem
 * @param {(facts: Record<string, any>) => string} tell
 */
export const explainCode = (code, tell) => void sentences.set(code, tell);

/** @param {unknown} error @returns {string} what to tell a person */
export function explain(error) {
  const tell = error instanceof Problem && sentences.get(error.code);
  if (tell) return tell(/** @type {Problem} */ (error).facts);
  if (error instanceof Problem || error instanceof NetworkDown) return error.message;
  console.error(error);
  return gettext("Something went wrong in this page. Load it again.");
}

/** @returns {string} the CSRF token of the session that the browser holds right now */
export function csrfToken() {
  const prefix = `${pageFact("csrf-cookie")}=`;
  const pair = document.cookie.split("; ").find((item) => item.startsWith(prefix));
  return pair ? decodeURIComponent(pair.slice(prefix.length)) : "";
}

/** @returns {string} a random key; also where `crypto.randomUUID` is missing (plain http) */
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Response} response @returns {number | null} */
function retryAfterMs(response) {
  const seconds = Number(response.headers.get("Retry-After"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
}

/** @param {Response} response @returns {Promise<Problem>} */
async function problemOf(response) {
  const type = response.headers.get("Content-Type") ?? "";
  const body = type.includes("json") ? await response.json().catch(() => ({})) : {};
  if (!body.detail && !body.title) body.detail = fill(gettext("The server answered with an error (%(status)s)."), { status: response.status });
  return new Problem(body, response.status, retryAfterMs(response));
}

/**
 * Send one request and read its answer.
 *
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {{body?: unknown, revision?: number | string, key?: string, signal?: AbortSignal, keepalive?: boolean, ownRefusal?: string, headers?: Record<string, string>}} [options]
 *   `revision` becomes If-Match; `key` lets a POST be repeated safely; `ownRefusal`: the code of a 401 that speaks of this request, not of the session
 * @returns {Promise<any>} the decoded body, or null for 204
 * @throws {Problem | NetworkDown | DOMException}
 */
export async function call(method, path, { body, revision, key, signal, keepalive, ownRefusal, headers: more } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json", "Accept-Language": locale, ...more };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (revision !== undefined) headers["If-Match"] = `"${revision}"`;
  if (key) headers["Idempotency-Key"] = key;
  let response;
  try {
    response = await fetch(ROOT + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal,
      keepalive,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new NetworkDown();
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (response.status === 401 && (!ownRefusal || problem.code !== ownRefusal)) document.dispatchEvent(new CustomEvent("bitvault:session-ended"));
    throw problem;
  }
  return response.status === 204 ? null : response.json();
}

/** @param {string} path @param {{signal?: AbortSignal}} [options] */
export const get = (path, options) => call("GET", path, options);

/**
 * Read JSON that only pages ask for, beside the REST surface.
 *
 * @param {string} path of this origin
 * @returns {Promise<any>}
 * @throws {Problem | NetworkDown}
 */
export async function readJson(path) {
  const response = await fetch(path, { credentials: "same-origin", headers: { Accept: "application/json" } }).catch(() => {
    throw new NetworkDown();
  });
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

/**
 * @typedef {{id: string, kind: "folder" | "file", name: string, parent_id: string | null, revision: number,
 *   size_bytes: number | null, version_id: string | null, media_type: string | null, modified_at: string, created_by: string, trashed_at: string | null, capabilities: string[], name_problems: string[]}} Node
 */
