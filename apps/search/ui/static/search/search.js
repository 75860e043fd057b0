/** The search box: "/" goes there, names and people are suggested while one types, and what was searched for lately, Enter searches. */

import { get } from "../js/api.js";
import { closest, icon, make, need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { findBy } from "../js/lookup.js";
import { travelTo } from "../js/travel.js";

/** After the last key: fast typists ask once. */
const SETTLE_MS = 120;

/** Searches that are remembered, by this browser and for this person alone, and how many of them are shown. */
const REMEMBERED = 20;
const RECENT_SHOWN = 5;

/** @typedef {{href: string, icon: string, name: string, place: string}} Offer */
/** @typedef {{id: string, name: string, filter: string}} SuggestedPerson */
/** @typedef {{id: string, kind: string, name: string, parent_id: string | null, parent_name: string}} Suggestion */

let settling = 0;
let asked = "";

const box = () => need("#search-input", HTMLInputElement);
const list = () => need("#search-suggestions", HTMLElement);
const options = () => /** @type {HTMLElement[]} */ ([...list().querySelectorAll("[role=option]")]);
const chosen = () => options().find((option) => option.getAttribute("aria-selected") === "true");

function close() {
  list().hidden = true;
  list().replaceChildren();
  box().setAttribute("aria-expanded", "false");
  box().removeAttribute("aria-activedescendant");
}

/**
 * Searches that make sense where one is: in this folder alone, in the trash.
 * @param {string} text
 */
function near(text) {
  const { page, folderId, folderName, rootId } = document.getElementById("main")?.dataset ?? {};
  const query = `/search/?q=${encodeURIComponent(text)}`;
  if (page === "trash") return [{ href: `${query}&trashed=1`, icon: "trash", name: gettext("Search the trash"), place: "" }];
  if (page !== "folder" || !folderId || folderId === rootId) return [];
  return [{ href: `${query}&in=${folderId}`, icon: "search", name: fill(gettext("Search in “%(name)s”"), { name: folderName ?? "" }), place: "" }];
}

const keptUnder = () => `searches:${box().dataset.person}`;

/** @returns {string[]} what was searched for lately, the last first */
function recall() {
  try {
    return JSON.parse(localStorage.getItem(keptUnder()) ?? "[]");
  } catch {
    return [];
  }
}

/** @param {string} text */
function remember(text) {
  if (text) localStorage.setItem(keptUnder(), JSON.stringify([text, ...recall().filter((one) => one !== text)].slice(0, REMEMBERED)));
}

/** @param {string} text what they begin with @returns {Offer[]} */
function recent(text) {
  const found = recall().filter((one) => one !== text && one.toLowerCase().startsWith(text.toLowerCase()));
  return found.slice(0, RECENT_SHOWN).map((one) => ({ href: `/search/?q=${encodeURIComponent(one)}`, icon: "restore", name: one, place: gettext("Recent search") }));
}

/**
 * @param {Suggestion[]} found
 * @param {SuggestedPerson[]} people
 * @param {string} text
 */
function show(found, people, text) {
  const names = found.map((one) => ({
    // A file is shown where it lies: who types looks for it, and may want what is beside it.
    href: one.kind === "folder" ? `/files/${one.id}/` : `/files/${one.parent_id ?? ""}/`,
    icon: one.kind === "folder" ? "folder" : "type-file",
    name: one.name,
    place: one.parent_name,
  }));
  const theirs = people.map((one) => ({ href: `/search/?q=${encodeURIComponent(one.filter)}`, icon: "user", name: one.name, place: gettext("Files of this person") }));
  offer([...recent(text), ...theirs, ...names, ...near(text)]);
}

/** @param {Offer[]} all */
function offer(all) {
  list().replaceChildren(
    ...all.map((one, index) =>
      make(
        "li",
        { class: "search-suggestion", role: "option", id: `search-option-${index}`, "aria-selected": "false", "data-href": one.href },
        icon(one.icon),
        make("bdi", {}, one.name),
        make("small", {}, one.place),
      ),
    ),
  );
  list().hidden = !all.length;
  box().setAttribute("aria-expanded", String(all.length > 0));
}

async function suggest() {
  const text = box().value.trim();
  asked = text;
  if (!text) return offer(recent(""));
  try {
    const page = await get(`/search/suggest?q=${encodeURIComponent(text)}`);
    if (asked === text && document.activeElement === box()) show(page.items, page.people, text);
  } catch {
    // A half-typed filter cannot be read yet; Enter says why.
    close();
  }
}

/** @param {number} step */
function move(step) {
  const all = options();
  if (!all.length) return;
  const at = all.indexOf(/** @type {HTMLElement} */ (chosen()));
  const next = at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length;
  for (const [index, option] of all.entries()) option.setAttribute("aria-selected", String(index === next));
  box().setAttribute("aria-activedescendant", all[next].id);
}

/** @param {string} href within the page, as a link in it would lead */
function go(href) {
  close();
  box().blur();
  travelTo(href);
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (closest(event.target, "input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  box().focus();
  box().select();
});
box().addEventListener("focus", () => {
  if (!box().value.trim()) offer(recent(""));
});
box().addEventListener("input", () => {
  clearTimeout(settling);
  settling = setTimeout(() => void suggest(), SETTLE_MS);
});
box().addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Escape") {
    close();
  } else if (event.key === "Enter") {
    const href = chosen()?.dataset.href;
    clearTimeout(settling);
    asked = "";
    if (href) {
      event.preventDefault();
      go(href);
    } else close();
  }
});
box().addEventListener("blur", () => setTimeout(close, 150));
list().addEventListener("pointerdown", (event) => {
  const href = closest(event.target, "[role=option]")?.dataset.href;
  if (!href) return;
  event.preventDefault();
  go(href);
});
/** The box tells what the page shows. */
function follow() {
  const query = document.getElementById("main")?.dataset.query;
  if (query) remember(query);
  if (query !== undefined && document.activeElement !== box()) box().value = query;
}
document.addEventListener("bitvault:page", follow);
follow();

findBy("folder", async (text, most) => {
  const found = await get(`/search?kind=folder&limit=${most}&q=${encodeURIComponent(text)}`);
  return found.items.map((/** @type {{node: {id: string, name: string}, path: {name: string}[]}} */ hit) => ({
    id: hit.node.id,
    label: [...hit.path.map((step) => step.name), hit.node.name].join(" / "),
  }));
});
