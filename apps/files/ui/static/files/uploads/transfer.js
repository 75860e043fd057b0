/**
 * Brings one file: start, hash, sign, send, commit. Knows nothing of lists and trays; tells its way by callbacks, and can be
 * stopped at any point and run again: it asks the server which parts are there, compares their digests with those of the file as it
 * is now, and goes on from that. What differs is another file: the attempt is given up and the file starts over.
 */

import { NetworkDown, Problem, randomKey } from "../../js/api.js";
import { isPassing, pause, persist, waitFor } from "../../js/backoff.js";
import { members } from "./desk.js";
import { Gate } from "./gate.js";
import { hashOf, Unreadable } from "./hashing.js";
import { put, Refused } from "./put.js";

/** The part size of the API for files up to 80 GiB. */
const PART_BYTES = 8 * 1024 * 1024;
/** Files of up to so many parts are hashed before they start, so that the answer to the start holds every URL. */
const HASH_FIRST_PARTS = 8;
/** Parts of all large files on the way at once: enough to fill the line, few enough that a pause loses little. */
const SENDERS = 4;
/** Files of one part on the way at once: as many connections as a browser opens to the store. */
const SMALL_SENDERS = 6;
/** Parts hashed and signed in one go while others are on the way. */
const SIGN_AT_ONCE = 4;
/** A URL this close to its end is renewed instead of used. */
const NEARLY_EXPIRED_MS = 20_000;
/** Tries for a part: as `persist` does for calls. */
const PART_TRIES = 9;
/** Between two questions whether the store has put a file together; what the server says in Retry-After. */
const COMPLETING_MS = 1000;
/** A file that was sent anew this often and still differs is being written to by somebody. */
const ROUNDS = 3;

/** What the API takes: a type without parameters. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/u;

const gate = new Gate(SENDERS);
const smallGate = new Gate(SMALL_SENDERS);

/**
 * @typedef {{parentId: any, name: string, mode: "add" | "overwrite", autorename?: boolean}} Destination
 * @typedef {{number: number, state: string, method?: string, url?: string, headers?: Record<string, string>, sha256?: string, expires_at?: string}} Part
 * @typedef {{onStart: (uploadId: string, key: string) => void, onProgress: (sent: number, moved: number) => void,
 *   onWait: (error: unknown) => void, onGo: () => void, onCommit: () => void, onChanged: () => void, signal: AbortSignal}} Watch
 *   `moved`: bytes that have travelled in this run; `onChanged`: the file is another one than what had been sent of it
 */

/** @param {File} file @param {number} partBytes @returns {number} */
const partCount = (file, partBytes) => Math.max(1, Math.ceil(file.size / partBytes));

/** What the server knows one file by: the key that starts it, and its id once the server has told. Outlives pauses and failures. */
export class Attempt {
  key = randomKey();
  uploadId = "";

  /** Be another one, of which the server knows nothing. */
  renew() {
    this.key = randomKey();
    this.uploadId = "";
  }
}

export class Transfer {
  /** @type {Map<number, Part>} signed parts */
  #signed = new Map();
  /** @type {Map<number, number>} bytes on the way per part */
  #live = new Map();
  /** @type {Set<number>} parts that need nothing any more */
  #there = new Set();
  #thereBytes = 0;
  /** Bytes that this run has sent itself. */
  #movedBytes = 0;
  /** @type {Map<number, Promise<string>>} digests of the parts, as they were read in this run */
  #digests = new Map();
  /** Whether this run has waited: while it did, the file may have been rewritten. */
  #rested = false;
  #partBytes = PART_BYTES;
  #count = 1;

  /**
   * @param {File} file
   * @param {Destination} destination
   * @param {Watch} watch
   * @param {Attempt} attempt that may have been begun earlier
   * @param {import("./desk.js").Desk} [desk]
   */
  constructor(file, destination, watch, attempt, desk = members) {
    this.desk = desk;
    this.file = file;
    this.destination = destination;
    this.watch = watch;
    this.attempt = attempt;
  }

  /**
   * @returns {Promise<import("../../js/api.js").Node>}
   * @throws {Problem | NetworkDown | Unreadable | Refused | DOMException}
   */
  async run() {
    for (let round = 1; ; round += 1) {
      if (!this.attempt.uploadId || !(await this.#resume())) await this.#start();
      await this.#sendAll();
      this.watch.onCommit();
      if (this.#rested && (await this.#hasChanged())) {
        if (round >= ROUNDS) throw new Unreadable();
        await this.#startOver();
        continue;
      }
      try {
        return await this.#commit();
      } catch (error) {
        if (round >= ROUNDS || !(error instanceof Problem)) throw error;
        if (error.status === 422) await this.#startOver();
        else if (error.status === 404 || error.status === 410) this.#forget();
        else if (!Array.isArray(error.facts.missing_parts)) throw error;
      }
    }
  }

  /** @template T @param {() => Promise<T>} act @returns {Promise<T>} */
  #persist(act) {
    return persist(act, { signal: this.watch.signal, onWait: this.#onWait, onGo: this.watch.onGo });
  }

  #onWait = (/** @type {unknown} */ error) => {
    this.#rested = true;
    this.watch.onWait(error);
  };

  /** @returns {Promise<import("../../js/api.js").Node>} */
  async #commit() {
    const hashes = await this.#hashAll();
    for (;;) {
      const { uploadId } = this.attempt;
      const answer = await this.#persist(() => this.#unlessStopped(this.desk.commit({ id: uploadId, part_hashes: hashes }, this.#count === 1)));
      if (answer.state !== "completing") return answer;
      await pause(COMPLETING_MS, this.watch.signal);
    }
  }

  /** Stop waiting when the run is stopped; what was asked for goes on. @template T @param {Promise<T>} asked @returns {Promise<T>} */
  #unlessStopped(asked) {
    const { signal } = this.watch;
    return new Promise((resolve, reject) => {
      const stop = () => reject(new DOMException("Stopped", "AbortError"));
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop);
      asked.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
    });
  }

  /** Begin from nothing: a new attempt, no part sent. */
  #forget() {
    this.attempt.renew();
    this.#clear();
  }

  /** The file is another one than what was sent of it: let go of that, and of its room, before it is started anew. */
  async #startOver() {
    const { uploadId } = this.attempt;
    this.#digests.clear();
    this.#rested = false;
    this.#forget();
    this.watch.onChanged();
    try {
      await this.desk.call("DELETE", `/${uploadId}`);
    } catch (error) {
      // It expires by itself.
      if (!(error instanceof Problem) && !(error instanceof NetworkDown)) throw error;
    }
    this.watch.signal.throwIfAborted();
  }

  /** @returns {Promise<boolean>} whether the file reads differently from when its parts were hashed */
  async #hasChanged() {
    for (const [number, digest] of this.#digests) {
      if ((await hashOf(this.#slice(number))) !== (await digest)) return true;
      this.watch.signal.throwIfAborted();
    }
    return false;
  }

  /** Know nothing about parts. */
  #clear() {
    this.#signed.clear();
    this.#there.clear();
    this.#thereBytes = 0;
    this.#live.clear();
  }

  async #start() {
    const { file, destination } = this;
    this.#layOut(PART_BYTES, partCount(file, PART_BYTES));
    const hashes = this.#count <= HASH_FIRST_PARTS ? await this.#hashAll() : undefined;
    /** @type {Record<string, unknown>} */
    const body = { ...this.desk.describe(destination), size_bytes: file.size };
    if (MEDIA_TYPE.test(file.type)) body.media_type = file.type;
    if (file.lastModified) body.client_modified_at = new Date(file.lastModified).toISOString();
    if (hashes) body.part_hashes = hashes;
    this.#take(await this.#persist(() => this.#ask(body)));
  }

  /**
   * A start is not taken back when the rest is stopped: its answer alone tells which attempt is to be gone on with, or let go of.
   *
   * @param {Record<string, unknown>} body
   * @returns {Promise<any>}
   */
  #ask(body) {
    const { key } = this.attempt;
    const told = this.desk.start(body, key, this.#count === 1).then((upload) => {
      this.watch.onStart(upload.id, key);
      return upload;
    });
    return this.#unlessStopped(told);
  }

  /** @returns {Promise<boolean>} whether the attempt is still open and holds nothing but parts of this file */
  async #resume() {
    try {
      const upload = await this.#persist(() => this.desk.call("GET", `/${this.attempt.uploadId}`, { signal: this.watch.signal }));
      if (upload.state === "aborted" || upload.state === "expired" || upload.size_bytes !== this.file.size) {
        this.#forget();
        return false;
      }
      this.#clear();
      if (!(await this.#isOfThisFile(upload))) {
        await this.#startOver();
        return false;
      }
      this.#take(upload);
      return true;
    } catch (error) {
      if (!(error instanceof Problem) || (error.status !== 404 && error.status !== 410)) throw error;
      this.#forget();
      return false;
    }
  }

  /**
   * Compare what the server holds with the file, part by part.
   *
   * @param {any} upload
   * @returns {Promise<boolean>}
   */
  async #isOfThisFile(upload) {
    this.#layOut(upload.part_size_bytes, upload.part_count);
    /** @type {Part[]} */
    const held = [...(upload.parts ?? [])];
    let same = true;
    const lane = async () => {
      for (let part = held.shift(); part && same; part = held.shift()) {
        this.watch.signal.throwIfAborted();
        if ((await this.#digest(part.number)) !== part.sha256) same = false;
        else this.#keep(part);
        this.#report();
      }
    };
    await Promise.all([lane(), lane()]);
    return same;
  }

  /** @param {number} partBytes @param {number} count */
  #layOut(partBytes, count) {
    if (partBytes !== this.#partBytes) this.#digests.clear();
    this.#partBytes = partBytes;
    this.#count = count;
  }

  /** @param {any} upload an answer about the attempt */
  #take(upload) {
    this.attempt.uploadId = upload.id;
    this.#layOut(upload.part_size_bytes, upload.part_count);
    if (upload.state === "committed" || upload.state === "completing") for (let n = 1; n <= this.#count; n += 1) this.#tick(n);
    for (const part of upload.parts ?? []) this.#keep(part);
    this.#report();
  }

  /** @param {Part} part */
  #keep(part) {
    if (part.state === "present" || part.state === "stored") this.#tick(part.number);
    else if (part.url) this.#signed.set(part.number, part);
  }

  /** @param {number} number of a part that needs nothing any more */
  #tick(number) {
    if (this.#there.has(number)) return;
    this.#there.add(number);
    this.#thereBytes += this.#slice(number).size;
  }

  /** @param {number} number @returns {Blob} */
  #slice(number) {
    return this.file.slice((number - 1) * this.#partBytes, number * this.#partBytes);
  }

  /** @param {number} number @returns {Promise<string>} read once in a run */
  #digest(number) {
    let digest = this.#digests.get(number);
    if (!digest) {
      digest = hashOf(this.#slice(number));
      this.#digests.set(number, digest);
      digest.catch(() => this.#digests.delete(number));
    }
    return digest;
  }

  /** @returns {Promise<string[]>} the digests of all parts */
  async #hashAll() {
    const hashes = [];
    for (let number = 1; number <= this.#count; number += 1) {
      hashes.push(await this.#digest(number));
      this.watch.signal.throwIfAborted();
    }
    return hashes;
  }

  async #sendAll() {
    /** @type {number[]} */
    const todo = [];
    for (let number = 1; number <= this.#count; number += 1) if (!this.#there.has(number)) todo.push(number);
    // One part's failure ends its brothers too: nobody would wait for them.
    const brothers = new AbortController();
    const signal = AbortSignal.any([this.watch.signal, brothers.signal]);
    const lane = async () => {
      for (let number = todo.shift(); number !== undefined; number = todo.shift()) {
        const wanted = number;
        if (this.#count === 1) await smallGate.pass(() => this.#send(wanted, signal));
        else await gate.pass(() => this.#sendSigned(wanted, todo, signal));
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(SENDERS, todo.length) }, lane));
    } catch (error) {
      brothers.abort();
      this.#live.clear();
      throw error;
    }
  }

  /** @param {number} number @param {number[]} ready parts after this one @param {AbortSignal} signal */
  async #sendSigned(number, ready, signal) {
    if (!this.#fresh(number)) {
      const ahead = ready.filter((other) => !this.#fresh(other)).slice(0, SIGN_AT_ONCE - 1);
      await this.#sign([number, ...ahead]);
    }
    await this.#send(number, signal);
  }

  /** @param {number} number @returns {boolean} whether its URL can still be used */
  #fresh(number) {
    const part = this.#signed.get(number);
    if (!part?.expires_at) return Boolean(part);
    return Date.parse(part.expires_at) - Date.now() > NEARLY_EXPIRED_MS;
  }

  /** @type {Promise<void>} signing calls take turns, so two lanes never ask for the same parts */
  #signing = Promise.resolve();

  /** @param {number[]} numbers @param {boolean} [anew] */
  #sign(numbers, anew = false) {
    const turn = this.#signing.then(async () => {
      const wanted = numbers.filter((number) => !this.#there.has(number) && (anew || !this.#fresh(number)));
      if (!wanted.length) return;
      const parts = await Promise.all(wanted.map(async (number) => ({ number, sha256: await this.#digest(number) })));
      const answer = await this.#persist(() => this.desk.call("POST", `/${this.attempt.uploadId}/parts`, { body: { parts }, signal: this.watch.signal }));
      for (const part of answer.items) this.#keep(part);
    });
    this.#signing = turn.catch(() => {});
    return turn;
  }

  /** @param {number} number @param {AbortSignal} signal */
  async #send(number, signal) {
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted();
      if (!this.#fresh(number)) await this.#sign([number], true);
      if (this.#there.has(number)) return this.#report();
      try {
        const part = /** @type {any} */ (this.#signed.get(number));
        await put(part, this.#slice(number), {
          signal,
          onProgress: (sent) => {
            this.#live.set(number, sent);
            this.#report();
          },
        });
        if (attempt > 0) this.watch.onGo();
        this.#live.delete(number);
        this.#movedBytes += this.#slice(number).size;
        this.#tick(number);
        return this.#report();
      } catch (error) {
        this.#live.delete(number);
        this.#report();
        if (error instanceof Refused && error.badDigest) throw new Unreadable();
        const passing = isPassing(error) || (error instanceof Refused && !error.final);
        if (!passing || attempt + 1 >= PART_TRIES) throw error;
        // Too old a URL and a refused one look alike, and an answer without CORS headers looks like no answer: sign again.
        if (!(error instanceof Refused && error.passing)) this.#signed.delete(number);
        if (error instanceof Refused && !error.passing && attempt < 1) continue;
        this.#onWait(error);
        await pause(waitFor(attempt, error), signal);
      }
    }
  }

  #report() {
    let live = 0;
    for (const bytes of this.#live.values()) live += bytes;
    this.watch.onProgress(Math.min(this.#thereBytes + live, this.file.size), this.#movedBytes + live);
  }
}
