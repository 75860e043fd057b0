/** What rows show of annotations: the star of a favourite, tags, and how many comments are open. Asked for together, and remembered while the page is open. */

import { call, explain, get } from "../js/api.js";
import { announce, closest, icon, make } from "../js/dom.js";
import { counted, fill, gettext } from "../js/i18n.js";
import { isInSight, onSight } from "../js/sight.js";
import { toast } from "../js/toast.js";

/** Ids that are asked for together; the server's own limit. */
const TOGETHER = 100;
/** After a change somewhere in the vault all marks are doubtful; a busy team must not bring everybody in the same moment. */
const REST_MS = 3000;

/** @typedef {{id: string, name: string, colour: string}} Tag */
/** @typedef {{favourite: boolean, tags: Tag[], open_thread_count: number}} Mark */
/** @typedef {{id: string, name: string}} Entry */

/** @type {Mark} */
const NONE = { favourite: false, tags: [], open_thread_count: 0 };
/** Tags of one row; the panel has all. */
const TAGS_SHOWN = 2;

/** @type {Map<string, Mark>} */
const known = new Map();
let resting = 0;
let asking = false;
/** Counts what was changed here, so that an answer from before does not take it back. */
let changes = 0;

/** @returns {HTMLElement[]} the places for marks: in the rows of a list, or wherever a page names a node */
const slots = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll('#main [data-slot="notes"]')]);

/** @param {HTMLElement} slot @returns {string} */
const nodeOf = (slot) => slot.dataset.node ?? closest(slot, ".row")?.dataset.id ?? "";

/** @param {HTMLElement} slot @returns {string} */
const nameOf = (slot) => closest(slot, "[data-name]")?.dataset.name ?? "";

/** @param {string} id @returns {Mark} */
export const markOf = (id) => known.get(id) ?? NONE;

/** @param {HTMLElement} slot @param {Mark} mark */
function star(slot, mark) {
  const label = fill(mark.favourite ? gettext("Remove %(name)s from favourites") : gettext("Add %(name)s to favourites"), { name: nameOf(slot) });
  const title = mark.favourite ? gettext("Remove from favourites") : gettext("Add to favourites");
  return make("button", { class: "row-star", type: "button", tabindex: "-1", title, "aria-label": label, "aria-pressed": String(mark.favourite), "data-star": "" }, icon(mark.favourite ? "star-filled" : "star", "icon icon-s"));
}

/** @param {Mark} mark @returns {HTMLElement[]} the first tags, and how many there are besides */
function chips({ tags }) {
  if (!tags.length) return [];
  const shown = tags.slice(0, TAGS_SHOWN).map((tag) => make("a", { class: "tag-chip", href: `/tags/${tag.id}/`, tabindex: "-1", title: tag.name, draggable: "false", "data-colour": tag.colour }, make("bdi", {}, tag.name)));
  const left = tags.slice(TAGS_SHOWN);
  if (left.length) shown.push(make("a", { class: "tag-more number", href: `/tags/${left[0].id}/`, tabindex: "-1", title: left.map(({ name }) => name).join(", ") }, `+${left.length}`));
  return shown;
}

/** @param {HTMLElement} slot @param {Mark} mark @returns {HTMLElement[]} the way to the comments, where some are open */
function talk(slot, { open_thread_count: count }) {
  if (!count) return [];
  const label = counted("%(count)s open comment", "%(count)s open comments", count);
  return [make("button", { class: "row-talk number", type: "button", tabindex: "-1", title: label, "aria-label": `${label}: ${nameOf(slot)}`, "data-comments-open": nodeOf(slot) }, icon("comment", "icon icon-s"), String(count))];
}

/** @param {HTMLElement} slot */
function show(slot) {
  const id = nodeOf(slot);
  if (!id || !known.has(id)) return slot.replaceChildren();
  const mark = markOf(id);
  const words = `${id} ${nameOf(slot)} ${JSON.stringify(mark)}`;
  if (slot.getAttribute("data-words") === words) return;
  const focused = slot.contains(document.activeElement);
  slot.setAttribute("data-words", words);
  slot.replaceChildren(...chips(mark), ...talk(slot, mark), star(slot, mark));
  for (const link of slot.querySelectorAll("a")) /** @type {any} */ (window).htmx?.process(link);
  if (focused) /** @type {HTMLElement | null} */ (slot.querySelector(".row-star"))?.focus({ preventScroll: true });
}

/** Show what is known. @param {HTMLElement[]} [some] places; all of the page by default */
function look(some = slots()) {
  for (const slot of some) show(slot);
}

/** @param {string[]} ids @returns {Promise<boolean>} whether they were told */
async function read(ids) {
  const before = changes;
  try {
    const { items } = await get(`/marks?node_ids=${ids.join(",")}`);
    if (before !== changes) return true;
    const told = new Map(items.map((/** @type {any} */ item) => [item.node_id, item]));
    for (const id of ids) known.set(id, told.get(id) ?? NONE);
    return true;
  } catch {
    // There are no marks then; the next look asks again.
    return false;
  }
}

/** Ask for what is seen and not known. */
async function ask() {
  if (asking) return;
  const wanted = slots().filter((slot) => nodeOf(slot) && !known.has(nodeOf(slot)) && isInSight(slot));
  const ids = [...new Set(wanted.map(nodeOf))].slice(0, TOGETHER);
  if (!ids.length) return;
  asking = true;
  const told = await read(ids);
  asking = false;
  if (!told) return;
  look();
  void ask();
}

/** Ask again for what is shown, but show what was known until the answer is there. */
async function renew() {
  const listed = new Set(slots().map(nodeOf));
  for (const id of [...known.keys()]) if (!listed.has(id)) known.delete(id);
  const ids = [...known.keys()];
  for (let at = 0; at < ids.length; at += TOGETHER) if (!(await read(ids.slice(at, at + TOGETHER)))) return;
  look();
}

/** @param {Entry[]} entries @param {boolean} on */
function remember(entries, on) {
  changes += 1;
  for (const { id } of entries) known.set(id, { ...markOf(id), favourite: on });
  look();
}

/**
 * Make nodes favourites, or none any more: shown at once, taken back where it was refused.
 *
 * @param {Entry[]} entries
 * @param {boolean} on
 * @param {{quiet?: boolean}} [options] `quiet`: it takes something back, which is not offered again
 */
async function setFavourite(entries, on, { quiet = false } = {}) {
  remember(entries, on);
  /** @type {Entry[]} */
  const done = [];
  try {
    for (const entry of entries) {
      await call(on ? "PUT" : "DELETE", `/nodes/${entry.id}/favourite`);
      done.push(entry);
    }
  } catch (error) {
    remember(entries.slice(done.length), !on);
    toast(explain(error), { failed: true });
  }
  if (!done.length) return;
  const what = done.length === 1 ? `“${done[0].name}”` : counted("%(count)s item", "%(count)s items", done.length);
  const text = fill(on ? gettext("%(what)s added to favourites.") : gettext("%(what)s removed from favourites."), { what });
  if (quiet) announce(text);
  else toast(text, { action: gettext("Undo"), undo: true, run: () => void setFavourite(done, !on, { quiet: true }) });
}

/** Show these tags of a node from now on. @param {string} id @param {Tag[]} tags */
export function showTags(id, tags) {
  changes += 1;
  known.set(id, { ...markOf(id), tags });
  look();
}

/** Listen from now on. */
export function startMarks() {
  for (const name of ["bitvault:page", "bitvault:rows-changed", "htmx:load"]) document.addEventListener(name, () => look());
  document.addEventListener("bitvault:rows-shown", (event) => {
    const made = /** @type {CustomEvent<HTMLElement[]>} */ (event).detail;
    look(made.flatMap((row) => /** @type {HTMLElement[]} */ ([...row.querySelectorAll('[data-slot="notes"]')])));
  });
  document.addEventListener("bitvault:marks-changed", () => void renew());
  document.addEventListener("bitvault:head", () => {
    if (resting) return;
    resting = window.setTimeout(() => {
      resting = 0;
      if (!document.hidden) void renew();
    }, REST_MS);
  });
  document.addEventListener("click", (event) => {
    const slot = closest(event.target, "[data-star]") && closest(event.target, '[data-slot="notes"]');
    if (slot) void setFavourite([{ id: nodeOf(slot), name: nameOf(slot) }], !markOf(nodeOf(slot)).favourite);
  });
  document.addEventListener("bitvault:menu", (event) => {
    const { menu, entries } = /** @type {CustomEvent} */ (event).detail;
    const all = entries.every((/** @type {Entry} */ { id }) => markOf(id).favourite);
    for (const [command, hidden] of [["favourite", all], ["unfavourite", !all]]) {
      const item = menu.querySelector(`[data-command="${command}"]`);
      if (item instanceof HTMLElement) item.hidden = Boolean(hidden);
    }
  });
  document.addEventListener("bitvault:command", (event) => {
    const { command, entries } = /** @type {CustomEvent} */ (event).detail;
    if (command === "favourite" || command === "unfavourite") void setFavourite(entries, command === "favourite");
  });
  look();
  onSight(() => void ask());
}
