/**
 * What is to be uploaded, in which order, and how far it has come. Small files go many at once (there the round trips cost, so they are
 * asked for together), large ones two at once (there the line is the limit, and `transfer` sends four parts side by side).
 */

import { explain, NetworkDown, Problem } from "../../js/api.js";
import { Conflicts } from "./conflicts.js";
import { members } from "./desk.js";
import { Unreadable } from "./hashing.js";
import { Refused } from "./put.js";
import { Rate } from "./rate.js";
import { claim, claimRecord, fingerprintOf, forget, newRecordId, remember } from "./store.js";
import { Attempt, Transfer } from "./transfer.js";
import { gettext } from "../../js/i18n.js";

/** Files of at most this size are asked for together, fifty in a request. */
const TINY_BYTES = 1024 * 1024;
/** One part: a file of at most this size is one PUT. */
const SMALL_BYTES = 8 * 1024 * 1024;
/** Files on their way at once. */
const LANES = { tiny: 256, small: 6, large: 2 };
/** What has arrived of a canceled upload is kept while it can be taken back, if it is at least this much. */
const WORTH_KEEPING_BYTES = 16 * 1024 * 1024;

/** @typedef {"waiting" | "sending" | "retrying" | "asking" | "paused" | "failed" | "done" | "skipped" | "canceled"} State */

/** One file on its way. */
export class Item {
  /** @type {State} */
  state = "waiting";
  sent = 0;
  /** Bytes that have travelled since this page was opened; what the server had already does not count as speed. */
  moved = 0;
  /** Why it failed or waits, in plain words. */
  note = "";
  attempt = new Attempt();
  rate = new Rate();
  /** @type {AbortController | null} */
  controller = null;
  /** @type {import("./transfer.js").Destination["mode"]} */
  mode = "add";
  autorename = false;
  offline = false;
  /** Whether the file turned out to be another one than what had been sent of it. */
  changed = false;
  /** Whether the server had the same file at its place, so that nothing was made. */
  identical = false;
  /** Whether the server refused the name, so that another one may help. */
  badName = false;
  /** What this page remembers the upload by, beyond a reload. */
  recordId = newRecordId();
  /** @type {Promise<unknown>} whether something of it was left by an earlier page is known then */
  claiming = Promise.resolve();

  /** @param {number} id @param {File} file @param {Batch} batch @param {string[]} dir */
  constructor(id, file, batch, dir) {
    this.id = id;
    this.file = file;
    this.batch = batch;
    this.dir = dir;
    this.name = file.name;
    this.size = file.size;
    this.fingerprint = fingerprintOf(batch.rootId, dir, file);
  }

  get lane() {
    if (this.size <= TINY_BYTES) return "tiny";
    return this.size <= SMALL_BYTES ? "small" : "large";
  }

  get active() {
    return this.state === "sending" || this.state === "retrying" || this.state === "asking";
  }

  get unfinished() {
    return this.active || this.state === "waiting" || this.state === "paused";
  }
}

/** Files that came together: one place, one tree of folders, one "the same for all". */
class Batch {
  conflicts = new Conflicts();

  /** @param {string} rootId @param {string} rootName @param {ReturnType<import("./desk.js").Desk["makeTree"]>} tree */
  constructor(rootId, rootName, tree) {
    this.rootId = rootId;
    this.rootName = rootName;
    this.tree = tree;
  }
}

export class UploadQueue extends EventTarget {
  /** @type {Item[]} */
  items = [];
  #next = 1;
  /** @type {Set<Promise<void>>} */
  #writing = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #soon;

  /** @param {import("./desk.js").Desk} [desk] */
  constructor(desk = members) {
    super();
    this.desk = desk;
  }

  /** @param {string} name @param {unknown} [detail] */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /**
   * @param {{id: string, name: string}} folder
   * @returns {Batch}
   */
  batch(folder) {
    return new Batch(folder.id, folder.name, this.desk.makeTree(folder.id, (node) => this.#tell("node", node)));
  }

  /**
   * @param {Batch} batch
   * @param {File} file
   * @param {string[]} dir
   * @param {import("./store.js").Unfinished} [left] what an earlier page had sent of it; without it, that is looked for
   * @returns {Item}
   */
  add(batch, file, dir, left) {
    const item = new Item(this.#next, file, batch, dir);
    this.#next += 1;
    this.items.push(item);
    item.claiming = this.#claim(item, left);
    const writing = item.claiming.then(() => this.#remember(item));
    this.#writing.add(writing);
    void writing.finally(() => this.#writing.delete(writing));
    this.#tell("change");
    this.#pumpSoon();
    return item;
  }

  /** Wait until all that was added is remembered. */
  async remembered() {
    await Promise.all(this.#writing);
  }

  /** @param {Batch} batch @param {string[]} dir a folder that may stay empty */
  addFolder(batch, dir) {
    batch.tree.ensure(dir).catch((error) => this.#tell("folder-failed", { name: dir.join("/"), error }));
  }

  /** Go on with what an earlier page has left of this file, unless another item does. @param {Item} item @param {import("./store.js").Unfinished} [wanted] */
  async #claim(item, wanted) {
    const left = await (wanted ? claimRecord(wanted.id) : claim(item.fingerprint));
    if (!left) return;
    if (item.state === "canceled" || item.attempt.uploadId) return void forget(left.id);
    item.recordId = left.id;
    item.attempt.uploadId = left.uploadId;
  }

  /** @param {Item} item */
  async #remember(item) {
    if (!item.unfinished) return;
    const { recordId: id, fingerprint, dir, file, size, batch, attempt } = item;
    const { rootId, rootName } = batch;
    await remember({ id, fingerprint, rootId, rootName, dir, name: file.name, size, modified: file.lastModified, uploadId: attempt.uploadId });
  }

  /** Once for all that come, or end, in one go: a thousand files would look through the queue a thousand times. */
  #pumpSoon() {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#pump();
    });
  }

  /** Start what may start. */
  #pump() {
    for (const lane of /** @type {("tiny" | "small" | "large")[]} */ (["tiny", "small", "large"])) {
      let free = LANES[lane] - this.items.filter((item) => item.lane === lane && item.active && item.state !== "asking").length;
      for (const item of this.items) {
        if (free <= 0) break;
        if (item.state !== "waiting" || item.lane !== lane || item.controller) continue;
        free -= 1;
        void this.#carry(item);
      }
    }
  }

  /** @param {Item} item */
  async #carry(item) {
    const controller = new AbortController();
    item.controller = controller;
    this.#set(item, "sending");
    try {
      await item.claiming;
      controller.signal.throwIfAborted();
      const parentId = await item.batch.tree.ensure(item.dir);
      controller.signal.throwIfAborted();
      const node = await this.#transfer(item, parentId, controller.signal).run();
      item.sent = item.size;
      item.name = node.name;
      // Ids are made in the order of time: a version that is older than the upload was not made by it.
      item.identical = Boolean(node.version_id && node.version_id < item.attempt.uploadId);
      void forget(item.recordId);
      this.#set(item, "done");
      this.#tell("node", node);
    } catch (error) {
      if (!controller.signal.aborted) await this.#fail(item, error);
    } finally {
      if (item.controller === controller) item.controller = null;
      this.#pumpSoon();
    }
  }

  /** @param {Item} item @param {any} parentId @param {AbortSignal} signal */
  #transfer(item, parentId, signal) {
    const { name, mode, autorename, moved: before } = item;
    const watch = {
      signal,
      onStart: (/** @type {string} */ uploadId, /** @type {string} */ key) => {
        // Let go of before its answer came.
        if (key !== item.attempt.key) return this.#tell("drop", uploadId);
        item.attempt.uploadId = uploadId;
        void this.#remember(item);
      },
      onProgress: (/** @type {number} */ sent, /** @type {number} */ moved) => {
        item.sent = sent;
        item.moved = before + moved;
        item.rate.sample(item.moved);
        this.#tell("progress");
      },
      onWait: (/** @type {unknown} */ error) => {
        item.note = error instanceof NetworkDown ? gettext("Connection lost. Trying again…") : gettext("The server is busy. Trying again…");
        this.#set(item, "retrying");
      },
      onGo: () => this.#set(item, "sending"),
      onCommit: () => this.#tell("change"),
      onChanged: () => {
        item.changed = true;
        item.sent = 0;
        void this.#remember(item);
        this.#tell("changed", item);
        this.#tell("change");
      },
    };
    return new Transfer(item.file, { parentId, name, mode, autorename }, watch, item.attempt, this.desk);
  }

  /** @param {Item} item @param {unknown} error */
  async #fail(item, error) {
    if (error instanceof Problem && error.code === "files.name_taken") return this.#askAbout(item, error);
    item.offline = error instanceof NetworkDown;
    item.badName = error instanceof Problem && error.code === "files.invalid_name";
    item.note = error instanceof Unreadable || error instanceof Refused ? error.message : explain(error);
    if (error instanceof Problem && error.status === 401) {
      this.pauseAll();
      this.#set(item, "paused");
      return;
    }
    // What the server refused for good is not offered again after a reload; what only the line broke is.
    if (!item.offline && !(error instanceof Refused)) void forget(item.recordId);
    this.#set(item, "failed");
  }

  /** @param {Item} item @param {Problem} problem */
  async #askAbout(item, problem) {
    this.#set(item, "asking");
    this.#pump();
    const { batch } = item;
    const more = this.items.some((other) => other !== item && other.batch === batch && other.unfinished);
    const folderName = item.dir.at(-1) ?? batch.rootName;
    const choice = await batch.conflicts.ask({ name: item.name, folderName, takenBy: problem.facts.kind ?? "file", more });
    if (item.state !== "asking") return;
    if (choice === "cancel") {
      for (const other of this.items) if (other.batch === batch && other.unfinished) this.cancel(other);
      return;
    }
    if (choice === "skip") {
      void forget(item.recordId);
      this.#drop(item);
      this.#set(item, "skipped");
      return;
    }
    item.mode = choice === "replace" ? "overwrite" : "add";
    item.autorename = choice === "keep";
    this.#drop(item);
    this.#set(item, "waiting");
  }

  /** Let go of the attempt on the server: now, or as soon as its start is answered. @param {Item} item */
  #drop(item) {
    if (item.attempt.uploadId) this.#tell("drop", item.attempt.uploadId);
    item.attempt.renew();
  }

  /** @param {Item} item @param {State} state */
  #set(item, state) {
    item.state = state;
    if (state === "sending" || state === "waiting" || state === "done") item.note = "";
    if (state !== "sending") item.rate.reset();
    this.#tell("change");
  }

  /** @param {Item} item */
  pause(item) {
    if (!item.unfinished || item.state === "paused" || item.state === "asking") return;
    item.controller?.abort();
    item.controller = null;
    this.#set(item, "paused");
    this.#pump();
  }

  /** @param {Item} item that is paused or has failed */
  resume(item) {
    if (item.state !== "paused" && item.state !== "failed") return;
    this.#set(item, "waiting");
    void this.#remember(item);
    this.#pump();
  }

  /**
   * Stop an upload for good, or until the person takes that back.
   *
   * @param {Item} item
   * @returns {{takeBack: () => void, settle: () => void}} `settle` gives up what has arrived, once nobody can take it back any more
   */
  cancel(item) {
    item.controller?.abort();
    item.controller = null;
    void forget(item.recordId);
    const kept = item.sent >= WORTH_KEEPING_BYTES;
    if (!kept) this.#drop(item);
    this.#set(item, "canceled");
    this.#pump();
    return {
      takeBack: () => {
        if (item.state !== "canceled") return;
        if (!this.items.includes(item)) this.items.push(item);
        this.#set(item, "waiting");
        void this.#remember(item);
        this.#pump();
      },
      settle: () => {
        if (kept && item.state === "canceled") this.#drop(item);
      },
    };
  }

  /** Try a file again under another name. @param {Item} item @param {string} name */
  rename(item, name) {
    item.name = name;
    this.resume(item);
  }

  pauseAll() {
    for (const item of this.items) this.pause(item);
  }

  resumeAll() {
    for (const item of this.items) if (item.state === "paused") this.resume(item);
  }

  /** Try again what only a broken line had stopped. */
  retryOffline() {
    for (const item of this.items) if (item.state === "failed" && item.offline) this.resume(item);
  }

  /** Forget everything that has come to its end. @returns {() => void} brings it back to the list */
  clearFinished() {
    const gone = this.items.filter((item) => !item.unfinished && item.state !== "canceled");
    this.items = this.items.filter((item) => item.unfinished);
    this.#tell("change");
    return () => {
      this.items = [...gone, ...this.items];
      this.#tell("change");
    };
  }
}
