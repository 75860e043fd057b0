/** Locks of files: what rows tell of them, the dialog that takes one, and the entries of the menu. */

import { call, explain, explainCode, get } from "../../js/api.js";
import { confirmAction, openForm, Refusal } from "../../js/dialogs.js";
import { announce, need } from "../../js/dom.js";
import { whenUntil } from "../../js/format.js";
import { fill, gettext } from "../../js/i18n.js";
import { toast } from "../../js/toast.js";
import { describe, isOwn, keepLock, lockOf, showLock } from "./lock.js";
import { mayWrite, placeNode, rowOf } from "./rows.js";

/** @typedef {import("./rows.js").Entry} Entry */
/** @typedef {import("./lock.js").Lock} Lock */

/** How often rows are looked at for locks whose time is over. */
const LOOK_MS = 15_000;
const HOUR_MS = 3_600_000;

/** @param {HTMLElement[]} [rows] all of the list by default */
function look(rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#rows > .row, #main [data-viewable]")])) {
  for (const row of rows) showLock(row);
}

const mayManage = () => (document.getElementById("main")?.dataset.capabilities ?? "").split(" ").includes("manage");

/** Show what can be done about the lock of the one file that a menu is about. @param {HTMLElement} menu @param {Entry[]} entries */
function arrange(menu, entries) {
  const one = entries.length === 1 && entries[0].kind === "file" && mayWrite();
  const lock = one ? lockOf(entries[0].row) : null;
  const offered = { lock: one && !lock, relock: Boolean(lock && isOwn(lock)), unlock: Boolean(lock && isOwn(lock)), "force-unlock": Boolean(lock && !isOwn(lock) && mayManage()) };
  for (const [command, shown] of Object.entries(offered)) {
    const item = menu.querySelector(`[data-command="${command}"]`);
    if (item instanceof HTMLElement) item.hidden = !shown;
  }
  // Whoever types a page of text should not learn at the end that it cannot be saved.
  const edit = menu.querySelector('[data-command="edit"]');
  if (lock && !isOwn(lock) && edit instanceof HTMLElement) edit.hidden = true;
}

/** Show a file as it is now, here and in the details. @param {import("./rows.js").Node} node */
function show(node) {
  placeNode(node);
  document.dispatchEvent(new CustomEvent("bitvault:details-changed", { detail: { section: "files.properties" } }));
}

/** Ask until when and why, and lock the file. @param {Entry} entry @param {Lock | null} before the lock that is changed */
function lockByDialog(entry, before) {
  const dialog = need("#lock-dialog", HTMLDialogElement);
  need("#lock-title", HTMLElement).textContent = before ? gettext("Change lock") : gettext("Lock file");
  need("#lock-text", HTMLElement).textContent = fill(gettext("While it is locked, nobody else can change, rename, move or delete “%(name)s”. Everybody can still read it."), { name: entry.name });
  need('[data-role="accept"]', HTMLButtonElement, dialog).textContent = before ? gettext("Save") : gettext("Lock");
  const reason = need("#lock-reason", HTMLInputElement);
  const hours = need("#lock-hours", HTMLSelectElement);
  const stays = need('option[value=""]', HTMLOptionElement, hours);
  openForm("#lock-dialog", async () => {
    const body = { reason: reason.value.trim(), ...(hours.value ? { expires_at: new Date(Date.now() + Number(hours.value) * HOUR_MS).toISOString() } : {}) };
    let node;
    try {
      node = await call("PUT", `/nodes/${entry.id}/lock`, { body });
    } catch (error) {
      throw new Refusal(reason, explain(error));
    }
    show(node);
    const text = fill(gettext("“%(name)s” is locked until %(moment)s."), { name: node.name, moment: whenUntil(new Date(node.lock.expires_at)) });
    if (before) announce(text);
    else toast(text, { action: gettext("Undo"), undo: true, run: () => void unlock(entry, { quiet: true }) });
  });
  stays.hidden = !before;
  stays.disabled = !before;
  stays.textContent = before ? fill(gettext("As it is: until %(moment)s"), { moment: whenUntil(new Date(before.expires_at)) }) : "";
  hours.value = before ? "" : "8";
  reason.value = before?.reason ?? "";
}

/** @param {Entry} entry @param {{quiet?: boolean, force?: boolean}} [options] `quiet`: it takes something back, which is not offered again */
async function unlock(entry, { quiet = false, force = false } = {}) {
  const before = lockOf(entry.row);
  try {
    await call("DELETE", `/nodes/${entry.id}/lock${force ? "?force=true" : ""}`);
    show(await get(`/nodes/${entry.id}`));
  } catch (error) {
    return toast(explain(error), { failed: true });
  }
  const text = fill(gettext("“%(name)s” is unlocked."), { name: entry.name });
  if (quiet) announce(text);
  else if (force || !before) toast(text);
  else toast(text, { action: gettext("Undo"), undo: true, run: () => void lockAgain(entry, before) });
}

/** @param {Entry} entry @param {Lock} before */
async function lockAgain(entry, before) {
  try {
    show(await call("PUT", `/nodes/${entry.id}/lock`, { body: { reason: before.reason, expires_at: before.expires_at } }));
    announce(fill(gettext("%(name)s is locked again"), { name: entry.name }));
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

/** End somebody else's lock, once it is clear what that means. @param {Entry} entry */
async function forceUnlock(entry) {
  const lock = lockOf(entry.row);
  const sure = await confirmAction({
    title: gettext("End this lock?"),
    text: fill(gettext("%(name)s may be working on “%(file)s” now, and will be told that you have ended the lock."), { name: lock?.holder_name || gettext("The person who has locked it"), file: entry.name }),
    accept: gettext("End lock"),
    danger: true,
  });
  if (sure) await unlock(entry, { force: true });
}

/** Listen from now on. */
export function startLocks() {
  explainCode("files.locked", ({ name, node_id: id, lock }) => {
    const row = rowOf(String(id));
    if (row) keepLock(row, lock);
    return fill(gettext("“%(file)s” cannot be changed: %(lock)s"), { file: name, lock: describe(lock) });
  });
  for (const name of ["bitvault:page", "bitvault:rows-changed", "htmx:load"]) document.addEventListener(name, () => look());
  document.addEventListener("bitvault:rows-shown", (event) => look(/** @type {CustomEvent<HTMLElement[]>} */ (event).detail));
  document.addEventListener("bitvault:menu", (event) => {
    const { menu, entries } = /** @type {CustomEvent} */ (event).detail;
    arrange(menu, entries);
  });
  document.addEventListener("bitvault:command", (event) => {
    const { command, entries } = /** @type {CustomEvent<{command: string, entries: Entry[]}>} */ (event).detail;
    const [entry] = entries;
    if (!mayWrite() || entries.length !== 1) return;
    if (command === "lock") lockByDialog(entry, null);
    if (command === "relock") lockByDialog(entry, lockOf(entry.row));
    if (command === "unlock") void unlock(entry);
    if (command === "force-unlock") void forceUnlock(entry);
  });
  setInterval(() => look(), LOOK_MS);
  look();
}
