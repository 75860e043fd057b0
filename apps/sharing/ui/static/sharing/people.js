/** The field in which people and groups are found as one types, and chosen: a combobox of the ARIA practices, with chips for who is chosen. */

import { explain, get } from "../js/api.js";
import { showFieldError } from "../js/dialogs.js";
import { announce, icon, make, need, pageFact } from "../js/dom.js";
import { counted, fill, gettext } from "../js/i18n.js";

/** @typedef {{type: string, id: string | null, name: string, email?: string | null, is_guest?: boolean}} Principal */

/** A pause in typing, after which is asked. */
const PAUSE_MS = 150;

/** What is taken for an e-mail address; the server judges. */
const ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@]+$/u;

let nodeId = "";
/** Whether the reader may invite an address that is nobody's here. */
let mayInvite = false;
/** @type {Map<string, Principal>} */
const chosen = new Map();
/** Who has access by a share of the node itself already: they are changed in the list, not added. @type {Set<string>} */
let present = new Set();
/** @type {Principal[]} */
let found = [];
let at = -1;
let asked = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pause;
/** @type {() => void} */
let onChange = () => {};

const field = () => need("#share-who", HTMLInputElement);
const listbox = () => need("#share-found", HTMLElement);

/** @param {Principal} one */
export const keyOf = (one) => `${one.type}:${one.id ?? one.email ?? ""}`;

/** @param {string} name @returns {string} */
export function initials(name) {
  const words = name.split("@")[0].split(/[\s.]+/u).filter(Boolean);
  return [words[0], ...words.slice(1).slice(-1)].map((word) => [...(word ?? "?")][0]).join("");
}

/** @param {Principal} one @returns {HTMLElement} */
export function avatarOf(one) {
  if (one.type === "user" || one.type === "email") return make("span", { class: "avatar", "data-person": one.type === "user" ? (one.id ?? "") : "", "aria-hidden": "true" }, initials(one.name));
  return make("span", { class: "avatar avatar-square", "aria-hidden": "true" }, icon("users", "icon icon-s"));
}

/** @param {Principal} one @returns {string} */
export function nameOf(one) {
  if (one.type !== "everyone") return one.name;
  return fill(gettext("Everyone in %(vault)s"), { vault: need("#share-dialog", HTMLElement).dataset.vault ?? "" });
}

/** @returns {Principal[]} */
export const listChosen = () => [...chosen.values()];

/** @param {boolean} may whether the vault's rules let the reader invite guests */
export function allowInviting(may) {
  mayInvite = may;
}

/** Start again with nobody chosen. @param {string} id of the node @param {Iterable<string>} keys who has a share of it */
export function resetPeople(id, keys) {
  nodeId = id;
  present = new Set(keys);
  chosen.clear();
  field().value = "";
  close();
  showChips();
}

/** @param {Iterable<string>} keys who has a share of the node by now */
export function setPresent(keys) {
  present = new Set(keys);
}

function close() {
  clearTimeout(pause);
  asked += 1;
  found = [];
  at = -1;
  listbox().hidden = true;
  listbox().replaceChildren();
  field().setAttribute("aria-expanded", "false");
  field().removeAttribute("aria-activedescendant");
}

async function search() {
  asked += 1;
  const mine = asked;
  const text = field().value.trim();
  let items;
  try {
    items = (await get(`/nodes/${nodeId}/shares/candidates?q=${encodeURIComponent(text)}`)).items;
  } catch (error) {
    if (mine === asked) showFieldError(field(), explain(error));
    return;
  }
  if (mine !== asked || !field().matches(":focus")) return;
  /** @type {Principal} */
  const everyone = { type: "everyone", id: null, name: "" };
  const all = nameOf(everyone).toLowerCase().includes(text.toLowerCase()) ? [...items, everyone] : items;
  const address = text.toLowerCase();
  if (mayInvite && ADDRESS.test(address) && !items.some((/** @type {Principal} */ one) => one.email === address)) all.push({ type: "email", id: null, name: address, email: address, is_guest: true });
  found = all.filter((/** @type {Principal} */ one) => !chosen.has(keyOf(one)) && one.id !== pageFact("user"));
  show(text);
}

/** @param {string} text what was looked for */
function show(text) {
  const lines = found.map((one, index) =>
    make(
      "li",
      { class: "share-option", role: "option", id: `share-option-${index}`, "aria-selected": "false", "data-index": String(index) },
      avatarOf(one),
      make("span", { class: "share-lines" }, make("b", {}, make("bdi", {}, nameOf(one))), make("small", {}, describe(one))),
    ),
  );
  const vault = need("#share-dialog", HTMLElement).dataset.vault ?? "";
  const none = ADDRESS.test(text) ? gettext("Nobody in %(vault)s has this address. By the rules of this vault, you cannot invite guests.") : gettext("Nobody in %(vault)s is called so.");
  const nobody = make("li", { class: "share-none", role: "option", "aria-disabled": "true", "aria-selected": "false" }, fill(none, { vault }));
  listbox().replaceChildren(...(lines.length ? lines : [nobody]));
  listbox().hidden = false;
  field().setAttribute("aria-expanded", "true");
  mark(found.length && text ? 0 : -1);
  announce(found.length ? counted("%(count)s result", "%(count)s results", found.length) : gettext("No results"));
}

/** @param {Principal} one */
function describe(one) {
  if (present.has(keyOf(one))) return gettext("Has access already");
  if (one.type === "group") return gettext("Group");
  if (one.type === "email") return gettext("Invite as a guest");
  if (one.is_guest) return one.email === one.name ? gettext("Guest") : `${gettext("Guest")} · ${one.email}`;
  return one.type === "everyone" ? gettext("All members, also those who come later") : one.email === one.name ? "" : (one.email ?? "");
}

/** @param {number} index */
function mark(index) {
  at = index;
  for (const line of listbox().children) line.setAttribute("aria-selected", String(line.getAttribute("data-index") === String(at)));
  const line = at < 0 ? null : listbox().children[at];
  if (line) {
    field().setAttribute("aria-activedescendant", line.id);
    line.scrollIntoView({ block: "nearest" });
  } else field().removeAttribute("aria-activedescendant");
}

/** @param {number} index */
function choose(index) {
  const one = found[index];
  if (!one) return;
  chosen.set(keyOf(one), one);
  field().value = "";
  showFieldError(field(), "");
  close();
  showChips();
  field().focus();
  announce(fill(gettext("%(name)s chosen"), { name: nameOf(one) }));
}

/** @param {string} key */
function drop(key) {
  const one = chosen.get(key);
  if (!one) return;
  chosen.delete(key);
  showChips();
  field().focus();
  announce(fill(gettext("%(name)s removed"), { name: nameOf(one) }));
}

function showChips() {
  const chips = need("#share-chips", HTMLElement);
  chips.replaceChildren(
    ...listChosen().map((one) => {
      const remove = make("button", { class: "share-chip-x", type: "button", "aria-label": fill(gettext("Remove %(name)s"), { name: nameOf(one) }) }, icon("x", "icon icon-s"));
      remove.addEventListener("click", () => drop(keyOf(one)));
      return make("li", { class: "share-chip" }, make("bdi", {}, nameOf(one)), remove);
    }),
  );
  chips.hidden = !chosen.size;
  onChange();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const isOpen = !listbox().hidden;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (!isOpen) return void search();
    const step = event.key === "ArrowDown" ? 1 : -1;
    mark(found.length ? (at + step + found.length) % found.length : -1);
  } else if (event.key === "Enter" && isOpen && at >= 0) {
    event.preventDefault();
    choose(at);
  } else if (event.key === "Escape" && isOpen) {
    // The dialog stays open: this closes the list alone.
    event.preventDefault();
    event.stopPropagation();
    close();
  } else if (event.key === "Backspace" && !field().value && chosen.size) {
    drop([...chosen.keys()][chosen.size - 1]);
  }
}

/** Listen from now on. @param {() => void} changed told whenever somebody is chosen or not any more */
export function startPeople(changed) {
  onChange = changed;
  field().addEventListener("keydown", onKey);
  field().addEventListener("input", () => {
    showFieldError(field(), "");
    clearTimeout(pause);
    pause = setTimeout(() => void search(), PAUSE_MS);
  });
  field().addEventListener("focus", () => {
    // At the first sight of the dialog the list would hide who has access already.
    if (field().value.trim() && listbox().hidden) void search();
  });
  field().addEventListener("click", () => listbox().hidden && void search());
  field().addEventListener("blur", () => setTimeout(() => !field().matches(":focus") && close()));
  listbox().addEventListener("pointerdown", (event) => event.preventDefault());
  listbox().addEventListener("click", (event) => {
    const line = event.target instanceof Element ? event.target.closest("[data-index]") : null;
    if (line) choose(Number(line.getAttribute("data-index")));
  });
}
