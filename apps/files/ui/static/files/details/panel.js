/**
 * The details panel: at the side of the list, on a phone a sheet over it. It tells of what was chosen, of several together, and of the
 * folder while nothing is chosen. Whether it is open, and at which tab, is remembered in this browser.
 */

import { announce, closest, icon, make, need, setIcon } from "../../js/dom.js";
import { gettext, counted } from "../../js/i18n.js";
import { countSelected } from "../list/chosen.js";
import { countRows, place } from "../list/rows.js";
import { selected } from "../list/selection.js";
import { typeOf } from "../types.js";
import { reload, showSections } from "./sections.js";

/** @typedef {import("./sections.js").Subject} Subject */

/** Somebody who walks through the list with the arrow keys wants nothing of what lies between. */
const SETTLE_MS = 160;
/** Between two quiet readings of what is shown, while others change things. */
const REST_MS = 3000;
const KEPT = "bitvault.details";
const PHONE = matchMedia("(max-width: 759px)");

/** @type {(command: string, subjects: any[]) => void} */
let carryOut = () => {};
/** What a menu or another page has chosen; empty: what the list has selected, or its folder. @type {Subject[]} */
let chosen = [];
let selectedBefore = "";
let open = false;
let settling = 0;
let resting = 0;
/** @type {HTMLElement | null} gets the focus back from the sheet */
let opener = null;

const panel = () => need("#details", HTMLElement);
const tabs = () => /** @type {HTMLElement[]} */ ([...panel().querySelectorAll("[data-details-tab]")]);

/** @param {string} name @param {string} value */
function keep(name, value) {
  try {
    localStorage.setItem(`${KEPT}.${name}`, value);
  } catch {
    // Without storage nothing is remembered.
  }
}

/** @param {string} name @returns {string} */
function kept(name) {
  try {
    return localStorage.getItem(`${KEPT}.${name}`) ?? "";
  } catch {
    return "";
  }
}

/** @returns {Subject[]} what the panel is about now */
export function subjects() {
  if (chosen.length) return chosen;
  const { page, folderId, folderName } = place();
  if (page !== "folder") return [];
  const some = selected();
  return some.length ? some : [{ id: folderId, kind: "folder", name: folderName, revision: 0 }];
}

/** @param {Subject[]} about */
function showHead(about) {
  const many = chosen.length || about.length < 2 ? about.length : countSelected(countRows());
  const name = about.length === 1 ? about[0].name : counted("%(count)s item selected", "%(count)s items selected", many);
  need("#details-name", HTMLElement).textContent = name;
  need("#details-title", HTMLElement).title = name;
  const type = about.length === 1 ? typeOf(about[0].name, about[0].kind) : "file";
  const svg = need("#details-type", SVGElement);
  svg.dataset.type = type;
  setIcon(need("use", SVGElement, svg), `type-${type}`);
}

/** @returns {HTMLElement} the tab that is shown */
const current = () => tabs().find((tab) => tab.getAttribute("aria-selected") === "true") ?? tabs()[0];

/** @param {HTMLElement} tab */
function markTab(tab) {
  for (const other of tabs()) {
    const on = other === tab;
    other.setAttribute("aria-selected", String(on));
    other.tabIndex = on ? 0 : -1;
    need(`[data-details-panel="${other.dataset.detailsTab}"]`, HTMLElement, panel()).hidden = !on;
  }
}

/** @param {{again?: boolean}} [options] */
function show(options) {
  const about = subjects();
  const visible = open && about.length > 0;
  const frame = panel();
  const phone = PHONE.matches;
  frame.hidden = !visible;
  document.documentElement.toggleAttribute("data-details", visible);
  need("#details-veil", HTMLElement).hidden = !visible || !phone;
  need(".shell", HTMLElement).inert = visible && phone;
  if (phone) for (const [name, value] of Object.entries({ role: "dialog", "aria-modal": "true" })) frame.setAttribute(name, value);
  else for (const name of ["role", "aria-modal"]) frame.removeAttribute(name);
  for (const button of document.querySelectorAll("[data-details-toggle]")) button.setAttribute("aria-expanded", String(visible));
  if (!visible) return;
  showHead(about);
  showSections(need(`[data-details-panel="${current().dataset.detailsTab}"]`, HTMLElement, frame), about, options);
}

function soon() {
  if (!open) return;
  clearTimeout(settling);
  settling = window.setTimeout(show, SETTLE_MS);
}

/** @param {boolean} wanted @param {{focus?: boolean}} [options] */
function setOpen(wanted, { focus = false } = {}) {
  const active = document.activeElement;
  if (wanted && !open) opener = active instanceof HTMLElement && active !== document.body ? active : null;
  open = wanted;
  if (!PHONE.matches) keep("open", wanted ? "yes" : "");
  show();
  if (wanted && (focus || PHONE.matches)) panel().focus({ preventScroll: true });
  if (!wanted && active instanceof HTMLElement && panel().contains(active)) (opener?.isConnected ? opener : document.getElementById("main"))?.focus({ preventScroll: true });
  announce(wanted ? gettext("Details shown") : gettext("Details hidden"));
}

/** Show the details of these nodes. @param {Subject[]} about @param {string} [tab] */
export function showDetails(about, tab = "") {
  chosen = about;
  const wanted = tabs().find((one) => one.dataset.detailsTab === tab);
  if (wanted) markTab(wanted);
  setOpen(true, { focus: true });
}

/** @param {string} command of a button in a section */
function runHere(command) {
  const about = /** @type {any[]} */ (subjects().map((one) => ({ row: null, ...one })));
  // The viewer goes along the rows of a list; without one the file itself is what there is to see.
  carryOut(command === "preview" && !about[0]?.row ? "download" : command, about);
}

/** @param {HTMLElement} tab */
function choose(tab) {
  markTab(tab);
  keep("tab", tab.dataset.detailsTab ?? "");
  show();
}

/** @param {KeyboardEvent} event */
function onTabKey(event) {
  const all = tabs();
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 };
  if (at < 0 || !(event.key in steps)) return;
  const next = all[(steps[/** @type {keyof typeof steps} */ (event.key)] + all.length) % all.length];
  next.focus();
  choose(next);
  event.preventDefault();
}

/** @param {HTMLElement} button */
async function copy(button) {
  const text = button.dataset.copy ?? "";
  try {
    await navigator.clipboard.writeText(text);
    announce(gettext("Copied"));
    button.replaceChildren(icon("check", "icon icon-s"), make("span", { class: "sr-only" }, gettext("Copied")));
  } catch {
    // No clipboard on plain http: the text is selected instead, for Ctrl+C.
    const shown = button.previousElementSibling;
    if (shown) getSelection()?.selectAllChildren(shown);
  }
}

/**
 * Listen from now on.
 *
 * @param {(command: string, subjects: any[]) => void} run carries out a command on nodes
 */
export function startDetails(run) {
  carryOut = run;
  markTab(tabs().find((tab) => tab.dataset.detailsTab === kept("tab")) ?? tabs()[0]);
  open = kept("open") === "yes" && !PHONE.matches;

  document.addEventListener("click", (event) => {
    const tab = closest(event.target, "[data-details-tab]");
    const command = closest(event.target, "[data-details-command]");
    const text = closest(event.target, "#details [data-copy]");
    if (closest(event.target, "[data-details-toggle]")) {
      chosen = [];
      setOpen(!open);
    } else if (closest(event.target, "[data-details-close], #details-veil")) setOpen(false);
    else if (tab) choose(tab);
    else if (command) runHere(command.dataset.detailsCommand ?? "");
    else if (text) void copy(text);
    // A link leads to another page: on a phone the sheet would lie over it.
    else if (PHONE.matches && closest(event.target, "#details a[href]")) setOpen(false);
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "i") {
      if (document.querySelector("dialog[open]") || (!open && !subjects().length)) return;
      setOpen(!open, { focus: true });
      event.preventDefault();
    } else if (closest(event.target, "[role='tablist'].details-tabs")) onTabKey(event);
    else if (event.key === "Escape" && closest(event.target, "#details") && !event.defaultPrevented) {
      setOpen(false);
      event.preventDefault();
    }
  });
  document.addEventListener("bitvault:command", (event) => {
    const { command, entries, tab } = /** @type {CustomEvent} */ (event).detail;
    if (command === "details") showDetails(entries, tab);
  });
  document.addEventListener("bitvault:selection", () => {
    // The list tells of its selection also when rows come in: what another page or a link has chosen stays then.
    const now = selected().map(({ id }) => id).join(",");
    if (now !== selectedBefore || now) chosen = [];
    selectedBefore = now;
    soon();
  });
  document.addEventListener("bitvault:page", (event) => {
    if (/** @type {CustomEvent} */ (event).detail?.renewed) return show({ again: true });
    chosen = [];
    if (PHONE.matches) open = false;
    show();
  });
  document.addEventListener("bitvault:head", () => {
    if (!open || resting) return;
    resting = window.setTimeout(() => {
      resting = 0;
      if (open && !document.hidden) show({ again: true });
    }, REST_MS);
  });
  document.addEventListener("bitvault:details-changed", (event) => {
    if (open) reload(/** @type {CustomEvent} */ (event).detail.section, subjects());
  });
  PHONE.addEventListener("change", () => show());
  show();
}
