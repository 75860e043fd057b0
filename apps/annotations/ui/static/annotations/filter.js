/** "Filter by tag": a menu of all tags beside a folder's commands; each leads to what has it in this folder and below. */

import { explain, get } from "../js/api.js";
import { whileBusy } from "../js/busy.js";
import { closest, make } from "../js/dom.js";
import { gettext } from "../js/i18n.js";
import { openAt } from "../js/menus.js";
import { toast } from "../js/toast.js";

/** @typedef {import("./marks.js").Tag} Tag */

/** Between the button and its menu. */
const GAP = 6;

/** @param {Tag} tag @param {string} folderId @returns {HTMLElement} */
const item = (tag, folderId) => make("a", { class: "menu-item", role: "menuitem", href: `/search/?tag=${tag.id}&in=${folderId}` }, make("span", { class: "tag-dot", "data-colour": tag.colour }), make("bdi", {}, tag.name));

/** @param {HTMLElement} button */
async function open(button) {
  const menu = document.getElementById("tag-filter-menu");
  const { folderId = "" } = document.getElementById("main")?.dataset ?? {};
  if (!menu) return;
  try {
    const { items } = await get("/tags");
    const none = make("a", { class: "menu-item", role: "menuitem", href: "/tags/" }, gettext("There are no tags yet"));
    menu.replaceChildren(...(items.length ? items.map((/** @type {Tag} */ tag) => item(tag, folderId)) : [none]));
    /** @type {any} */ (window).htmx?.process(menu);
    const { left, bottom } = button.getBoundingClientRect();
    openAt(menu, left, bottom + GAP, button);
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

/** Listen from now on. */
export function startFilter() {
  document.addEventListener("click", (event) => {
    const button = closest(event.target, "[data-tag-filter]");
    if (button) void whileBusy(button, () => open(button));
  });
}
