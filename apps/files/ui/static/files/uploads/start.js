/** Takes in what people drop or choose, and ties the queue to the tray, the list and the window. */

import { call, explain } from "../../js/api.js";
import { announce, need } from "../../js/dom.js";
import { plural } from "../../js/format.js";
import { toast } from "../../js/toast.js";
import { mayWrite, place, placeNode } from "../list/rows.js";
import { chosen, dropped } from "./entries.js";
import { UploadQueue } from "./queue.js";
import { forget, listUnfinished } from "./store.js";
import { leftOut, Tray } from "./tray.js";

/** @typedef {import("./entries.js").Found} Found */
/** @typedef {import("./store.js").Unfinished} Unfinished */

/** @returns {{choose: (folder: boolean) => void}} */
export function startUploads() {
  const queue = new UploadQueue();
  const files = need("#choose-files", HTMLInputElement);
  const folder = need("#choose-folder", HTMLInputElement);
  /** @type {Unfinished[]} */
  let unfinished = [];
  let resuming = false;

  const choose = (/** @type {boolean} */ wholeFolder, resume = false) => {
    resuming = resume;
    const input = wholeFolder ? folder : files;
    input.value = "";
    input.click();
  };
  const tray = new Tray(queue, {
    choose: (wholeFolder) => choose(wholeFolder, true),
    discard: () => void discard(),
  });

  const showUnfinished = async () => {
    await queue.remembered();
    unfinished = await listUnfinished();
    tray.showUnfinished(unfinished);
  };

  const discard = async () => {
    for (const record of unfinished) {
      await forget(record.fingerprint);
      if (record.uploadId) dropAttempt(record.uploadId);
    }
    await showUnfinished();
  };

  /**
   * Say what was taken and what was left out in one breath: of two things said at once the first is lost.
   *
   * @param {string} taken
   * @param {string[]} litter
   */
  const tell = (taken, litter) => {
    if (litter.length) tray.showLeftOut(litter);
    const said = [taken, litter.length ? leftOut(litter) : ""].filter(Boolean).join(" ");
    if (said) announce(said);
  };

  /** @param {AsyncGenerator<Found>} found @param {{id: string, name: string}} target */
  const take = async (found, target) => {
    const batch = queue.batch(target);
    let count = 0;
    let unreadable = 0;
    /** @type {string[]} */
    const litter = [];
    try {
      for await (const thing of found) {
        if (thing.kind === "folder") queue.addFolder(batch, thing.dir);
        if (thing.kind === "unreadable") unreadable += 1;
        if (thing.kind === "litter") litter.push(thing.name);
        if (thing.kind !== "file") continue;
        queue.add(batch, thing.file, thing.dir);
        count += 1;
      }
    } catch (error) {
      console.warn("A folder could not be read.", error);
      unreadable += 1;
    }
    if (unreadable) toast(`${plural(unreadable, "item")} could not be read from your disk.`, { failed: true });
    tell(count ? `${plural(count, "file")} added to the uploads.` : "", litter);
    await showUnfinished();
  };

  /** Go on with what an earlier page had begun; everything else that was chosen stays alone. @param {AsyncGenerator<Found>} found */
  const takeUnfinished = async (found) => {
    /** @type {Map<string, ReturnType<UploadQueue["batch"]>>} */
    const batches = new Map();
    let others = 0;
    let resumed = 0;
    /** @type {string[]} */
    const litter = [];
    for await (const thing of found) {
      if (thing.kind === "litter") litter.push(thing.name);
      if (thing.kind !== "file") continue;
      const record = match(unfinished, thing.file, thing.dir);
      if (!record) {
        others += 1;
        continue;
      }
      const batch = batches.get(record.rootId) ?? queue.batch({ id: record.rootId, name: record.rootName });
      batches.set(record.rootId, batch);
      unfinished = unfinished.filter((other) => other !== record);
      queue.add(batch, thing.file, record.dir);
      resumed += 1;
    }
    if (!resumed) toast("None of these is one of the unfinished files. Choose the very same files, unchanged.", { failed: true });
    const alone = resumed && others ? `${plural(others, "other file")} left alone: not among the unfinished ones.` : "";
    if (alone) toast(alone);
    if (litter.length) tell(alone, litter);
    await showUnfinished();
  };

  for (const input of [files, folder]) {
    input.addEventListener("change", () => {
      if (!input.files?.length) return;
      // The list is copied: clearing the input for the next choice would empty it.
      const picked = /** @type {any} */ ([...input.files]);
      if (resuming) void takeUnfinished(chosen(picked));
      else void take(chosen(picked), here());
    });
  }

  queue.addEventListener("node", (event) => placeNode(/** @type {CustomEvent} */ (event).detail, { fresh: true }));
  queue.addEventListener("drop", (event) => dropAttempt(/** @type {CustomEvent} */ (event).detail));
  queue.addEventListener("folder-failed", (event) => {
    const { name, error } = /** @type {CustomEvent} */ (event).detail;
    toast(`Folder “${name}”: ${explain(error)}`, { failed: true });
  });
  addEventListener("online", () => queue.retryOffline());
  addEventListener("beforeunload", (event) => {
    if (queue.items.some((item) => item.active || item.state === "waiting")) event.preventDefault();
  });
  startDropping((transfer) => void take(dropped(transfer), here()));
  void showUnfinished();
  return { choose };
}

/** @returns {{id: string, name: string}} where uploads go */
function here() {
  const { folderId, folderName } = place();
  return { id: folderId, name: folderName };
}

/** Parts of an attempt that nobody wants any more: told to the server, which would find out by itself in three days. @param {string} id */
function dropAttempt(id) {
  call("DELETE", `/uploads/${id}`, { keepalive: true }).catch(() => {});
}

/**
 * @param {Unfinished[]} unfinished
 * @param {File} file
 * @param {string[]} dir as chosen now, which may begin higher or lower than at the drop
 * @returns {Unfinished | undefined}
 */
function match(unfinished, file, dir) {
  const same = unfinished.filter((record) => record.name === file.name && record.size === file.size && record.modified === file.lastModified);
  const path = dir.join("/");
  return same.find((record) => record.dir.join("/") === path) ?? same.find((record) => record.dir.join("/").endsWith(path)) ?? same[0];
}

/** @param {(transfer: DataTransfer) => void} onDrop */
function startDropping(onDrop) {
  const veil = need("#drop-veil", HTMLElement);
  const isFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  const may = () => place().page === "folder" && mayWrite();
  let depth = 0;
  const lift = () => {
    depth = 0;
    veil.removeAttribute("data-on");
  };
  document.addEventListener("dragenter", (event) => {
    if (!isFiles(event)) return;
    depth += 1;
    if (!may()) return;
    need("#drop-veil-name", HTMLElement).textContent = place().folderName;
    veil.setAttribute("data-on", "");
  });
  document.addEventListener("dragleave", (event) => {
    if (isFiles(event) && (depth -= 1) <= 0) lift();
  });
  document.addEventListener("dragover", (event) => {
    if (!isFiles(event)) return;
    // Also where nothing may be dropped: the browser would open the file in place of the page.
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = may() ? "copy" : "none";
  });
  document.addEventListener("drop", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    lift();
    if (event.dataTransfer && may()) onDrop(event.dataTransfer);
  });
}
