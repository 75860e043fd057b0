/** What rows show of annotations: the star of a favourite, tags, and how many comments are open. Asked for together, and remembered while the page is open. */

import { call, explain, get } from "../js/api.js";
import { announce, closest, icon, make } from "../js/dom.js";
import { counted, fill, gettext } from "../js/i18n.js";
import { Marks } from "../js/marks.js";
import { toast } from "../js/toast.js";

/** @typedef {{id: string, name: string, colour: string}} Tag */
/** @typedef {{favourite: boolean, tags: Tag[], open_thread_count: number}} Mark */
/** @typedef {{id: string, name: string}} Entry */

/** @type {Mark} */
const NONE = { favourite: false, tags: [], open_thread_count: 0 };
/** Tags of one row; the panel has all. */
const TAGS_SHOWN = 2;

/** @param {HTMLElement} slot @returns {string} */
const nodeOf = (slot) => slot.dataset.node ?? closest(slot, ".row")?.dataset.id ?? "";

/** @param {HTMLElement} slot @returns {string} */
const nameOf = (slot) => closest(slot, "[data-name]")?.dataset.name ?? "";

/** @param {string} id @returns {Mark} */
export const markOf = (id) => marks.get(id) ?? NONE;

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

/** @param {HTMLElement} slot @param {Mark | undefined} mark */
function show(slot, mark) {
  const id = nodeOf(slot);
  if (!id || !mark) return slot.replaceChildren();
  const words = `${id} ${nameOf(slot)} ${JSON.stringify(mark)}`;
  if (slot.getAttribute("data-words") === words) return;
  const focused = slot.contains(document.activeElement);
  slot.setAttribute("data-words", words);
  slot.replaceChildren(...chips(mark), ...talk(slot, mark), star(slot, mark));
  for (const link of slot.querySelectorAll("a")) /** @type {any} */ (window).htmx?.process(link);
  if (focused) /** @type {HTMLElement | null} */ (slot.querySelector(".row-star"))?.focus({ preventScroll: true });
}

/** @type {Marks<Mark>} */
const marks = new Marks({
  places: '[data-slot="notes"]',
  keyOf: nodeOf,
  show,
  async read(ids) {
    const { items } = await get(`/marks?node_ids=${ids.join(",")}`);
    const told = new Map(items.map((/** @type {any} */ item) => [item.node_id, item]));
    return new Map(ids.map((id) => [id, told.get(id) ?? NONE]));
  },
});

/** @param {Entry[]} entries @param {boolean} on */
function remember(entries, on) {
  for (const { id } of entries) marks.set(id, { ...markOf(id), favourite: on });
  marks.look();
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
  marks.set(id, { ...markOf(id), tags });
  marks.look();
}

/** Listen from now on. */
export function startMarks() {
  marks.listen({ renewedBy: ["bitvault:marks-changed"] });
  marks.renewAfterChanges();
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
}
