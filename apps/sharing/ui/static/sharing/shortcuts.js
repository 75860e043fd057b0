/** Shortcuts: put into one's own files from a row of others, shown above the list of their folder, renamed, moved, removed. */

import { call, explain, get } from "../js/api.js";
import { askName } from "../js/dialogs.js";
import { closest } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { closeAll, openAt } from "../js/menus.js";
import { toast } from "../js/toast.js";
import { chooseFolder } from "../files/list/picker.js";

/** @typedef {{id: string, folder_id: string, node_id: string, name: string}} Shortcut */

/** @type {HTMLElement | null} the shortcut that the menu is about */
let subject = null;

const shelf = () => /** @type {HTMLElement | null} */ (document.querySelector("#main #shortcuts-shelf"));

/** Where shortcuts of one's own lie is asked for so often at most, and after each change in this page. */
const KNOWN_MS = 60_000;
/** @type {Promise<Set<string>> | null} folders in which some lie */
let placed = null;
let askedAt = 0;

/** @returns {Promise<Set<string>>} */
function askWhere() {
  if (!placed || performance.now() - askedAt > KNOWN_MS) {
    askedAt = performance.now();
    placed = get("/shortcuts").then(({ items }) => new Set(items.map((/** @type {Shortcut} */ one) => one.folder_id)));
    placed.catch(() => (placed = null));
  }
  return placed;
}

/** Show the shortcuts of the folder as the server has them now. */
async function renew() {
  placed = null;
  const place = shelf();
  const folder = place?.dataset.folder;
  if (folder) await /** @type {any} */ (window).htmx.ajax("GET", `/shared/shortcuts?ids=${folder}`, { target: "#shortcuts-shelf", select: ".shortcuts", swap: "innerHTML" });
}

/** Another folder is shown: most have none, and ask for nothing. */
async function fillShelf() {
  const folder = shelf()?.dataset.folder;
  if (!folder) return;
  try {
    if ((await askWhere()).has(folder)) await renew();
  } catch {
    // There is no shelf then; the next page asks again.
  }
}

/** Carry something out, and show the shelf anew; a refusal is told. @template T @param {() => Promise<T>} act @returns {Promise<T | null>} */
async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    toast(explain(error), { failed: true });
    return null;
  } finally {
    await renew();
  }
}

/** @param {string} title @param {string} accept @returns {Promise<{id: string, name: string} | null>} a folder of one's own files */
async function chooseOwn(title, accept) {
  const { root_id: root } = await get("/me");
  return chooseFolder({ entries: [], from: shelf() && inOwnFiles() ? (shelf()?.dataset.folder ?? root) : root, shortcut: { title, accept } });
}

const inOwnFiles = () => Boolean(/** @type {HTMLElement | null} */ (document.querySelector("#main[data-root-id]"))?.dataset.rootId);

/** @param {string} nodeId @param {string} name */
async function add(nodeId, name) {
  const folder = await chooseOwn(fill(gettext("Add a shortcut to “%(name)s”"), { name }), gettext("Add here"));
  if (!folder) return;
  const made = await attempt(() => call("POST", `/nodes/${folder.id}/shortcuts`, { body: { node_id: nodeId } }));
  if (made) toast(fill(gettext("The shortcut is in “%(name)s”."), { name: folder.name }), { action: gettext("Undo"), undo: true, run: () => void attempt(() => call("DELETE", `/shortcuts/${made.id}`)) });
}

/** @param {HTMLElement} line */
async function rename(line) {
  await askName({
    title: gettext("Rename shortcut"),
    label: gettext("Name"),
    value: line.dataset.name ?? "",
    accept: gettext("Rename"),
    submit: (name) => call("PATCH", `/shortcuts/${line.dataset.shortcutId}`, { body: { name } }),
  });
  await renew();
}

/** @param {HTMLElement} line */
async function move(line) {
  const from = shelf()?.dataset.folder;
  const folder = await chooseOwn(fill(gettext("Move the shortcut “%(name)s”"), { name: line.dataset.name ?? "" }), gettext("Move here"));
  if (!folder || folder.id === from) return;
  const path = `/shortcuts/${line.dataset.shortcutId}`;
  const moved = await attempt(() => call("PATCH", path, { body: { folder_id: folder.id } }));
  if (moved) toast(fill(gettext("%(what)s moved to %(name)s."), { what: `“${moved.name}”`, name: folder.name }), { action: gettext("Undo"), undo: true, run: () => void attempt(() => call("PATCH", path, { body: { folder_id: from } })) });
}

/** @param {HTMLElement} line */
async function remove(line) {
  const { shortcutId, nodeId, name = "", broken } = line.dataset;
  const folder = shelf()?.dataset.folder;
  const done = await attempt(() => call("DELETE", `/shortcuts/${shortcutId}`).then(() => true));
  if (!done) return;
  const text = fill(gettext("Shortcut “%(name)s” removed."), { name });
  // What leads nowhere cannot be made again.
  if (broken !== undefined) return toast(text);
  toast(text, { action: gettext("Undo"), undo: true, run: () => void attempt(() => call("POST", `/nodes/${folder}/shortcuts`, { body: { node_id: nodeId, name } })) });
}

/** Listen from now on. */
export function startShortcuts() {
  document.addEventListener("click", (event) => {
    const adding = closest(event.target, "[data-shortcut-node]");
    if (adding) return void add(adding.dataset.shortcutNode ?? "", closest(adding, "[data-name]")?.dataset.name ?? "");
    const opener = closest(event.target, "[data-shortcut-menu]");
    const menu = document.querySelector("#shortcut-menu");
    if (opener && menu instanceof HTMLElement) {
      subject = closest(opener, "[data-shortcut-id]");
      const box = opener.getBoundingClientRect();
      return openAt(menu, box.right - 200, box.bottom + 4, opener);
    }
    const act = closest(event.target, "[data-shortcut-act]")?.dataset.shortcutAct;
    if (!act || !subject) return;
    closeAll(true);
    if (act === "rename") void rename(subject);
    if (act === "move") void move(subject);
    if (act === "remove") void remove(subject);
  });
  document.addEventListener("bitvault:command", (event) => {
    const { command, entries } = /** @type {CustomEvent<{command: string, entries: {id: string, name: string}[]}>} */ (event).detail;
    if (command === "shortcut" && entries.length === 1) void add(entries[0].id, entries[0].name);
  });
  // What lies in one's own files needs none.
  document.addEventListener("bitvault:menu", (event) => {
    const item = /** @type {CustomEvent<{menu: HTMLElement}>} */ (event).detail.menu.querySelector('[data-command="shortcut"]');
    if (item instanceof HTMLElement && inOwnFiles()) item.hidden = true;
  });
  document.addEventListener("bitvault:page", () => void fillShelf());
  void fillShelf();
}
