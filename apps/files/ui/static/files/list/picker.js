/** Chooses a folder: one level at a time, loaded when it is opened. Above the roots stands the list of them. */

import { call, explain, get } from "../../js/api.js";
import { askName } from "../../js/dialogs.js";
import { announce, icon, make, need } from "../../js/dom.js";
import { suggestFor } from "./suggest.js";
import { counted, fill, gettext } from "../../js/i18n.js";

/** @typedef {{id: string, name: string}} Folder */

/** Folders come before files, so one page of this size shows the folders of nearly every place at once. */
const PAGE = 200;

/** What one's own root and the team folders hang from here; nothing can be put into it. */
const TOP = { id: "", name: gettext("All folders") };

/** @param {AbortSignal} signal @param {boolean} own @returns {Promise<Folder[]>} the roots into which the person may bring things, or their own alone */
async function readRoots(signal, own) {
  const me = await get("/me", { signal });
  if (own) return [{ id: me.root_id, name: gettext("My files") }];
  if (me.root_id === null) return readShared(signal);
  const teams = await get("/team-folders", { signal });
  const open = teams.items.filter((/** @type {{capabilities: string[]}} */ team) => team.capabilities.includes("add"));
  return [{ id: me.root_id, name: gettext("My files") }, ...open];
}

/** @param {AbortSignal} signal @returns {Promise<Folder[]>} where a guest may bring things: they have no root of their own */
async function readShared(signal) {
  const { items } = await get("/shared/with-me?limit=1000", { signal });
  const open = items.filter((/** @type {{node: {kind: string, capabilities: string[]}}} */ { node }) => node.kind === "folder" && node.capabilities.includes("add"));
  return open.map((/** @type {{node: Folder}} */ { node }) => ({ id: node.id, name: node.name }));
}

/**
 * @param {{entries: {id: string, name: string, kind: string}[], from: string, count?: number, isMoved?: (id: string) => boolean, copies?: boolean, shortcut?: {title: string, accept: string}}} question
 *   `shortcut`: how it is asked where something is put into one's own files alone, wherever it comes from; `copies`: what is chosen gets copies, which may also lie where it lies itself; `count` and `isMoved`, which is asked about what lies in `from`, where more is moved than the entries
 * @returns {Promise<Folder | null>}
 */
export function chooseFolder({ entries, from, count = entries.length, isMoved = () => false, copies = false, shortcut }) {
  const dialog = need("#move-dialog", HTMLDialogElement);
  const listing = need("#picker-list", HTMLElement);
  const path = need("#picker-path", HTMLElement);
  const error = need("#picker-error", HTMLElement);
  const accept = need('[data-role="accept"]', HTMLButtonElement, dialog);
  const controller = new AbortController();
  const { signal } = controller;
  const ids = new Set(entries.map((entry) => entry.id));
  const what = count === 1 && entries.length === 1 ? `“${entries[0].name}”` : counted("%(count)s item", "%(count)s items", count);
  need("#move-title", HTMLElement).textContent = shortcut?.title ?? fill(copies ? gettext("Copy %(what)s") : gettext("Move %(what)s"), { what });

  /** @type {Folder[]} */
  let trail = [];
  /** @type {AbortController} */
  let loading = new AbortController();

  const complain = (/** @type {string} */ text) => {
    error.textContent = text;
    error.hidden = !text;
  };

  const showTrail = () => {
    path.replaceChildren(
      ...trail.map((folder, index) => {
        const last = index === trail.length - 1;
        const button = make("button", { type: "button", ...(last ? { "aria-current": "location" } : {}) }, folder.name);
        button.addEventListener("click", () => void enter(folder));
        const item = make("li", {}, button);
        if (!last) item.append(icon("chevron-right", "icon icon-s"));
        return item;
      }),
    );
    const here = trail[trail.length - 1];
    const stays = here?.id === from && !copies && !shortcut;
    accept.disabled = !here?.id || stays;
    need('[data-role="new-folder"]', HTMLButtonElement, dialog).disabled = !here?.id;
    accept.textContent = stays ? gettext("It is here now") : shortcut ? shortcut.accept : copies ? gettext("Copy here") : gettext("Move here");
  };

  const choose = (/** @type {Folder} */ node) => {
    const off = ids.has(node.id) || (trail[trail.length - 1]?.id === from && isMoved(node.id));
    const option = make("div", { class: "picker-folder", role: "option", tabindex: "-1", "aria-selected": "false" });
    const symbol = icon("type-folder", "type");
    symbol.dataset.type = "folder";
    option.append(symbol, make("bdi", {}, node.name), icon("chevron-right", "icon icon-s"));
    if (off) option.setAttribute("aria-disabled", "true");
    else option.addEventListener("click", () => void enter(node));
    return option;
  };

  const fillList = async (/** @type {Folder} */ folder, /** @type {AbortSignal} */ stop) => {
    listing.replaceChildren(make("div", { class: "picker-note" }, gettext("Loading…")));
    if (!folder.id) {
      const roots = await readRoots(stop, Boolean(shortcut));
      listing.replaceChildren(...roots.map(choose));
      finish(folder, roots.length);
      return;
    }
    let cursor = "";
    let found = 0;
    do {
      const page = await get(`/nodes/${folder.id}/children?limit=${PAGE}&sort=name${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, { signal: stop });
      const folders = page.items.filter((/** @type {any} */ node) => node.kind === "folder");
      if (!found) listing.replaceChildren();
      listing.append(...folders.map(choose));
      found += folders.length;
      cursor = folders.length === page.items.length ? (page.next_cursor ?? "") : "";
    } while (cursor);
    if (!found) listing.replaceChildren(make("div", { class: "picker-note" }, gettext("No folders in here.")));
    finish(folder, found);
  };

  const finish = (/** @type {Folder} */ folder, /** @type {number} */ found) => {
    const first = listing.querySelector(".picker-folder");
    if (first instanceof HTMLElement) first.tabIndex = 0;
    announce(`${folder.name}: ${counted("%(count)s folder", "%(count)s folders", found)}`);
  };

  /** @param {Folder} folder */
  const enter = async (folder) => {
    loading.abort();
    loading = new AbortController();
    const stop = loading.signal;
    complain("");
    const at = trail.findIndex((step) => step.id === folder.id);
    trail = at >= 0 ? trail.slice(0, at + 1) : [...trail, { id: folder.id, name: folder.name }];
    showTrail();
    try {
      await fillList(folder, stop);
      const first = listing.querySelector(".picker-folder");
      if (dialog.open && first instanceof HTMLElement) first.focus();
      else listing.focus();
    } catch (failure) {
      if (stop.aborted) return;
      listing.replaceChildren();
      complain(explain(failure));
    }
  };

  const begin = async () => {
    listing.replaceChildren(make("div", { class: "picker-note" }, gettext("Loading…")));
    path.replaceChildren();
    accept.disabled = true;
    accept.textContent = shortcut?.accept ?? (copies ? gettext("Copy here") : gettext("Move here"));
    try {
      const { items, team_folder_id: team } = await get(`/nodes/${from}/path`, { signal });
      const named = items.map((/** @type {Folder & {parent_id: string | null}} */ node) => ({ id: node.id, name: node.parent_id || team ? node.name : gettext("My files") }));
      trail = [TOP, ...named.slice(0, -1)];
      await enter(named[named.length - 1]);
    } catch (failure) {
      if (!signal.aborted) complain(explain(failure));
    }
  };

  const makeFolder = async () => {
    const here = trail[trail.length - 1];
    if (!here) return;
    const node = await askName({
      title: fill(gettext("New folder in %(name)s"), { name: here.name }),
      label: gettext("Name"),
      accept: gettext("Create"),
      submit: (name) => call("POST", "/folders", { body: { parent_id: here.id, name } }),
      suggest: suggestFor("folder"),
    });
    if (!node) return;
    document.dispatchEvent(new CustomEvent("bitvault:node", { detail: node }));
    await enter(node);
  };

  dialog.showModal();
  void begin();
  return new Promise((resolve) => {
    /** @type {Folder | null} */
    let result = null;
    dialog.addEventListener(
      "click",
      (event) => {
        const role = event.target instanceof Element ? event.target.closest("[data-role]")?.getAttribute("data-role") : null;
        if (role === "cancel") dialog.close();
        if (role === "new-folder") void makeFolder();
        if (role === "accept") {
          result = trail[trail.length - 1] ?? null;
          dialog.close();
        }
      },
      { signal },
    );
    listing.addEventListener("keydown", (event) => onListKey(event, listing, () => trail.length > 1 && void enter(trail[trail.length - 2])), { signal });
    dialog.addEventListener(
      "close",
      () => {
        controller.abort();
        loading.abort();
        resolve(result);
      },
      { once: true },
    );
  });
}

/** @param {KeyboardEvent} event @param {HTMLElement} listing @param {() => void} goUp */
function onListKey(event, listing, goUp) {
  const options = /** @type {HTMLElement[]} */ ([...listing.querySelectorAll(".picker-folder")]);
  const at = options.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const go = (/** @type {number} */ index) => {
    const next = options[Math.max(0, Math.min(options.length - 1, index))];
    for (const option of options) option.tabIndex = option === next ? 0 : -1;
    next?.focus();
  };
  if (event.key === "ArrowDown") go(at + 1);
  else if (event.key === "ArrowUp") go(at - 1);
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(options.length - 1);
  else if (event.key === "Enter" || event.key === "ArrowRight" || event.key === " ") options[at]?.click();
  else if (event.key === "ArrowLeft" || event.key === "Backspace") goUp();
  else return;
  event.preventDefault();
}
