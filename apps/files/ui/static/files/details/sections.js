/** The sections of the details panel: each is a fragment that its module answers with, fetched when its tab is looked at. */

import { explain, NetworkDown, Problem } from "../../js/api.js";
import { icon, make, need } from "../../js/dom.js";
import { fillTimes } from "../../js/format.js";
import { gettext } from "../../js/i18n.js";

/** @typedef {{id: string, kind: string, name: string, revision: number}} Subject */

/** After which time lines stand for what is still to come: what comes sooner is shown at once. */
const SLOW_MS = 250;
/** How often a fragment is asked for again whose content is being made. */
const TRIES = 20;
/** Nodes that one question names; the server's own limit. */
export const TOGETHER = 100;

let leaving = new AbortController();

/** @param {HTMLElement} panel @returns {HTMLElement[]} */
const sectionsOf = (panel) => /** @type {HTMLElement[]} */ ([...panel.querySelectorAll("[data-details-section]")]);

/** @param {HTMLElement} section @returns {HTMLElement} */
const contentOf = (section) => need("[data-details-content]", HTMLElement, section);

/** @param {HTMLElement} section @param {Subject[]} subjects @returns {boolean} whether it has something to say of these */
function tells(section, subjects) {
  if (!subjects.length || subjects.length > TOGETHER) return false;
  if (subjects.length > 1) return section.dataset.many !== undefined;
  return (section.dataset.kinds ?? "").split(" ").includes(subjects[0].kind);
}

/** @param {Subject[]} subjects @returns {string} changes when something else is to be shown */
const keyOf = (subjects) => subjects.map(({ id, revision }) => `${id}:${revision}`).join(",");

/** @param {Subject[]} subjects @returns {string} whom it is about, whatever happened to them */
const whoOf = (subjects) => subjects.map(({ id }) => id).join(",");

/** @param {HTMLElement} content @returns {boolean} whether somebody is writing there */
export const isWrittenIn = (content) =>
  content.querySelector("[data-dirty]") !== null || (document.activeElement instanceof HTMLElement && content.contains(document.activeElement) && document.activeElement.matches("input, textarea"));

/**
 * Show a tab's sections of some nodes; those that show just these already stay.
 *
 * @param {HTMLElement} panel
 * @param {Subject[]} subjects
 * @param {{again?: boolean}} [options] `again`: also those that were read before, quietly
 */
export function showSections(panel, subjects, { again = false } = {}) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  let told = 0;
  for (const section of sectionsOf(panel)) {
    if (!tells(section, subjects)) {
      section.hidden = true;
      delete section.dataset.key;
      continue;
    }
    told += 1;
    const key = keyOf(subjects);
    if (!again && section.dataset.key === key) continue;
    if (again && isWrittenIn(contentOf(section))) continue;
    void load(section, subjects, key, signal);
  }
  const none = need("[data-details-none]", HTMLElement, panel);
  none.hidden = told > 0;
  none.textContent = subjects.length > TOGETHER ? gettext("Select up to 100 items to see more about them.") : gettext("Select a single item to see this.");
}

/**
 * Read one section anew, whatever it shows.
 *
 * @param {string} name
 * @param {Subject[]} subjects
 */
export function reload(name, subjects) {
  const section = document.querySelector(`[data-details-section="${CSS.escape(name)}"]`);
  if (!(section instanceof HTMLElement)) return;
  delete section.dataset.key;
  const panel = section.closest("[data-details-panel]");
  if (panel instanceof HTMLElement && !panel.hidden && tells(section, subjects)) void load(section, subjects, keyOf(subjects), leaving.signal);
}

/**
 * @param {HTMLElement} section
 * @param {Subject[]} subjects
 * @param {string} key
 * @param {AbortSignal} signal
 * @param {number} [tries] how often it was asked for already
 */
async function load(section, subjects, key, signal, tries = 0) {
  const content = contentOf(section);
  const same = section.dataset.who === whoOf(subjects) && !section.hidden;
  const slow = setTimeout(() => !same && !signal.aborted && showWaiting(section), SLOW_MS);
  // What was said of others goes at once; its room stays until the answer is there, so that nothing jumps.
  if (!same) {
    content.style.minBlockSize = section.hidden ? "" : `${content.offsetHeight}px`;
    content.replaceChildren();
    delete section.dataset.key;
  }
  section.dataset.who = whoOf(subjects);
  try {
    const text = await fetchFragment(`${section.dataset.href}?ids=${whoOf(subjects)}`, signal);
    if (signal.aborted) return;
    section.dataset.key = key;
    section.hidden = text === "";
    if (!(same && isWrittenIn(content))) fill(content, text);
    askAgain(section, subjects, key, signal, tries + 1);
  } catch (error) {
    if (signal.aborted) return;
    section.hidden = false;
    const retry = make("button", { class: "button button-quiet", type: "button" }, gettext("Try again"));
    retry.addEventListener("click", () => void load(section, subjects, key, signal));
    content.replaceChildren(make("p", { class: "details-error", role: "alert" }, icon("warning"), explain(error)), retry);
  } finally {
    clearTimeout(slow);
    if (!signal.aborted) content.style.minBlockSize = "";
  }
}

/** @param {HTMLElement} content @param {string} text */
function fill(content, text) {
  content.innerHTML = text;
  fillTimes(content);
  /** @type {any} */ (window).htmx?.process(content);
  content.dispatchEvent(new CustomEvent("bitvault:details-filled", { bubbles: true }));
}

/**
 * A fragment may say that its answer is still being made.
 *
 * @param {HTMLElement} section @param {Subject[]} subjects @param {string} key @param {AbortSignal} signal @param {number} tries
 */
function askAgain(section, subjects, key, signal, tries) {
  const wait = Number(contentOf(section).querySelector("[data-again]")?.getAttribute("data-again"));
  if (wait && tries < TRIES) setTimeout(() => !signal.aborted && section.dataset.key === key && void load(section, subjects, key, signal, tries), wait * (1 + tries / 4));
}

/** @param {HTMLElement} section */
function showWaiting(section) {
  section.hidden = false;
  contentOf(section).replaceChildren(make("div", { class: "details-wait", "aria-hidden": "true" }, make("span"), make("span"), make("span")));
}

/**
 * @param {string} path
 * @param {AbortSignal} signal
 * @returns {Promise<string>} empty: there is nothing to say
 */
async function fetchFragment(path, signal) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", cache: "no-store", signal, headers: { Accept: "text/html", "HX-Request": "true", "HX-Current-URL": location.href } });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new NetworkDown();
  }
  if (response.headers.get("HX-Redirect")) {
    document.dispatchEvent(new CustomEvent("bitvault:session-ended"));
    return "";
  }
  if (response.status === 404) throw new Problem({ detail: gettext("This item is not there for you any more.") }, 404);
  if (!response.ok) throw new Problem({ detail: gettext("This part cannot be shown now.") }, response.status);
  return response.status === 204 ? "" : response.text();
}
