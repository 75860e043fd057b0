/** Marks on rows that are shared: how many have access by the row itself, asked for together and remembered while the page is open. */

import { readJson } from "../js/api.js";
import { closest, icon, make } from "../js/dom.js";
import { Marks } from "../js/marks.js";
import { openDialog } from "./dialog.js";

/** @typedef {{short: string, title: string}} Badge */

/** @param {HTMLElement} slot @returns {string} */
const nodeOf = (slot) => slot.dataset.node ?? closest(slot, ".row")?.dataset.id ?? "";

/** @param {HTMLElement} slot @param {Badge | null | undefined} badge */
function show(slot, badge) {
  const words = badge ? `${badge.short} ${badge.title}` : "";
  if (slot.getAttribute("data-words") === words) return;
  slot.setAttribute("data-words", words);
  if (!badge) return slot.replaceChildren();
  const button = make("button", { class: "row-mark", type: "button", tabindex: "-1", title: badge.title, "data-share-row": "" }, icon("users", "icon icon-s"), make("span", { class: "number", "aria-hidden": "true" }, badge.short), make("span", { class: "sr-only" }, badge.title));
  slot.replaceChildren(button);
}

/** @type {Marks<Badge | null>} */
const badges = new Marks({
  places: '[data-slot="marks"]',
  keyOf: nodeOf,
  show,
  async read(ids) {
    const told = await readJson(`/shared/badges?ids=${ids.join(",")}`);
    return new Map(ids.map((id) => [id, told[id] ?? null]));
  },
});

/** Listen from now on. */
export function startBadges() {
  badges.listen({ renewedBy: ["bitvault:shares-changed"] });
  badges.renewAfterChanges();
  document.addEventListener("click", (event) => {
    const slot = closest(event.target, "[data-share-row]") && closest(event.target, '[data-slot="marks"]');
    if (slot) void openDialog(nodeOf(slot));
  });
}
