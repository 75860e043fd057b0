/** Takes in what people drop or choose, and ties the queue to the tray, the list and the window. */

import { call, explain, Problem } from "../../js/api.js";
import { announce, closest, need } from "../../js/dom.js";
import { toast } from "../../js/toast.js";
import { mayWrite, place, placeNode } from "../list/rows.js";
import { chosen, dropped } from "./entries.js";
import { UploadQueue } from "./queue.js";
import { claimRecord, forget, listUnfinished } from "./store.js";
import { findRecord } from "./unfinished.js";
import { leftOut, Tray } from "./tray.js";
import { counted, fill, gettext } from "../../js/i18n.js";

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
    // Who goes on with an upload chooses the file that it was.
    files.accept = resume ? "" : place().accept;
    input.click();
  };
  const tray = new Tray(queue, {
    choose: (wholeFolder) => choose(wholeFolder, true),
    discard: () => discard(),
  });

  const showUnfinished = async () => {
    await queue.remembered();
    unfinished = (await listUnfinished()).filter(({ id }) => !discarded.has(id));
    tray.showUnfinished(unfinished);
  };

  /** Records that a person has discarded and may still take back. */
  const discarded = new Set();

  const discard = () => {
    const gone = unfinished;
    for (const { id } of gone) discarded.add(id);
    void showUnfinished();
    const what = gone.length === 1 ? `“${gone[0].name}”` : counted("%(count)s unfinished upload", "%(count)s unfinished uploads", gone.length);
    toast(fill(gettext("%(what)s discarded. What has arrived is deleted."), { what }), {
      action: gettext("Undo"),
      undo: true,
      run: () => {
        for (const { id } of gone) discarded.delete(id);
        void showUnfinished();
      },
      onGone: () => void letGo(gone),
    });
  };

  /** @param {Unfinished[]} records that nobody wants any more */
  const letGo = async (records) => {
    for (const record of records) {
      // Another tab may have taken it up meanwhile.
      if (!(await claimRecord(record.id))) continue;
      await forget(record.id);
      if (record.uploadId) dropAttempt(record.uploadId);
    }
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
    if (unreadable) toast(fill(gettext("%(items)s could not be read from your disk."), { items: counted("%(count)s item", "%(count)s items", unreadable) }), { failed: true });
    tell(count ? fill(gettext("%(items)s added to the uploads."), { items: counted("%(count)s file", "%(count)s files", count) }) : "", litter);
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
      const record = await findRecord(unfinished, thing.file, thing.dir);
      if (!record) {
        others += 1;
        continue;
      }
      const batch = batches.get(record.rootId) ?? queue.batch({ id: record.rootId, name: record.rootName });
      batches.set(record.rootId, batch);
      unfinished = unfinished.filter((other) => other !== record);
      queue.add(batch, thing.file, record.dir, record);
      resumed += 1;
    }
    if (!resumed) toast(gettext("None of these is one of the unfinished files. Choose the same files again."), { failed: true });
    const alone = resumed && others ? fill(gettext("%(items)s left alone: not among the unfinished ones."), { items: counted("%(count)s other file", "%(count)s other files", others) }) : "";
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
  queue.addEventListener("changed", (event) => toast(fill(gettext("“%(name)s”: The file has changed; starting over."), { name: /** @type {CustomEvent} */ (event).detail.name })));
  queue.addEventListener("folder-failed", (event) => {
    const { name, error } = /** @type {CustomEvent} */ (event).detail;
    toast(fill(gettext("Folder “%(name)s”: %(reason)s"), { name, reason: explain(error) }), { failed: true });
  });
  addEventListener("online", () => queue.retryOffline());
  addEventListener("beforeunload", (event) => {
    if (queue.items.some((item) => item.active || item.state === "waiting")) event.preventDefault();
  });
  startDropping((transfer, target) => void take(dropped(transfer), target));
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
  call("DELETE", `/uploads/${id}`, { keepalive: true }).catch((error) => {
    // Its commit was under way. Whatever else fails here is swept by the server.
    if (error instanceof Problem && error.code === "storage.upload_complete") toast(gettext("The file had already arrived; it is in its folder."));
  });
}

/** @param {EventTarget | null} where @returns {HTMLElement | null} the folder's row, or the step of the path, that files are dropped on */
const folderAt = (where) => closest(where, '#rows > .row[data-kind="folder"], #main [data-drop-folder]');

/** @param {HTMLElement | null} target @returns {{id: string, name: string}} */
function folderOf(target) {
  if (!target) return here();
  const { dropFolder, dropName, id, name } = target.dataset;
  return { id: dropFolder ?? id ?? "", name: dropName ?? name ?? "" };
}

/** @param {(transfer: DataTransfer, target: {id: string, name: string}) => void} onDrop */
function startDropping(onDrop) {
  const veil = need("#drop-veil", HTMLElement);
  const isFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  const may = () => place().page === "folder" && mayWrite();
  let depth = 0;
  /** @type {HTMLElement | null} */
  let aimed = null;
  const aim = (/** @type {HTMLElement | null} */ target) => {
    need("#drop-veil-name", HTMLElement).textContent = folderOf(target).name;
    if (aimed === target) return;
    aimed?.removeAttribute("data-drop");
    aimed = target;
    aimed?.setAttribute("data-drop", "");
  };
  const lift = () => {
    depth = 0;
    aim(null);
    veil.removeAttribute("data-on");
  };
  document.addEventListener("dragenter", (event) => {
    if (!isFiles(event)) return;
    depth += 1;
    if (!may()) return;
    aim(folderAt(event.target));
    veil.setAttribute("data-on", "");
  });
  document.addEventListener("dragleave", (event) => {
    if (isFiles(event) && (depth -= 1) <= 0) lift();
  });
  document.addEventListener("dragover", (event) => {
    if (!isFiles(event)) return;
    // Also where nothing may be dropped: the browser would open the file in place of the page.
    event.preventDefault();
    if (may()) aim(folderAt(event.target));
    if (event.dataTransfer) event.dataTransfer.dropEffect = may() ? "copy" : "none";
  });
  document.addEventListener("drop", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    lift();
    if (event.dataTransfer && may()) onDrop(event.dataTransfer, folderOf(folderAt(event.target)));
  });
}
