/** Pictures in the place of icons, for the rows of folders, results, recents and other lists that are in the page: asked for together, and again while they are being made. */

import { get } from "../js/api.js";
import { make } from "../js/dom.js";
import { isInSight, onSight } from "../js/sight.js";
import { isShown } from "./kinds.js";

/** @typedef {{node_id: string, state: string, url: string | null, reason: string | null}} Preview */

/** After which times pictures that are being made are asked for again. */
const AGAIN_MS = [700, 1500, 3000, 6000, 12000, 30000];
/** Nodes that one request may name. */
const AT_ONCE = 100;

/** What is known of a node at a revision: the address of its picture, or "" where there is none. @type {Map<string, {url: string, until: number}>} */
const known = new Map();
/** How long an answer is taken: less than its addresses are good for. */
const KNOWN_MS = 240_000;

let timer = 0;
let tries = 0;

const keyOf = (/** @type {HTMLElement} */ row) => `${row.dataset.id}:${row.dataset.revision}`;

/** @param {HTMLElement} row @returns {Element | null} what its picture takes the place of */
const iconOf = (row) => row.querySelector(":scope > .type, .cell-name > .type");

/** @returns {HTMLElement[]} rows in sight whose icon may make way for a picture */
function wanting() {
  const rows = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-page="folder"] #rows > .row[data-kind="file"], #main [data-viewable]'));
  return [...rows].filter((row) => isShown(row) && row.dataset.thumb !== keyOf(row) && isInSight(row));
}

/** @param {HTMLElement} row */
function clear(row) {
  row.querySelector(".thumb")?.remove();
  const icon = iconOf(row);
  if (icon instanceof SVGElement) icon.style.removeProperty("display");
}

/** @param {HTMLElement} row @param {string} url */
function show(row, url) {
  row.dataset.thumb = keyOf(row);
  clear(row);
  const icon = iconOf(row);
  if (!url || !(icon instanceof SVGElement)) return;
  const image = make("img", { class: "thumb", alt: "", decoding: "async", draggable: "false" });
  image.addEventListener("load", () => {
    if (!row.isConnected || row.dataset.thumb !== keyOf(row)) return;
    clear(row);
    icon.style.display = "none";
    icon.after(image);
  });
  image.addEventListener("error", () => known.delete(keyOf(row)));
  image.src = url;
}

/** Ask for what the page lacks, and again later for what is being made. */
async function look() {
  timer = 0;
  /** @type {HTMLElement[]} */
  let asked = [];
  for (const row of wanting()) {
    // A row that does not say its revision may show another content than before.
    const fact = row.dataset.revision ? known.get(keyOf(row)) : undefined;
    if (fact && fact.until > Date.now()) show(row, fact.url);
    else asked.push(row);
  }
  const rest = asked.slice(AT_ONCE);
  asked = asked.slice(0, AT_ONCE);
  if (!asked.length || document.hidden) return;
  /** @type {Preview[]} */
  let items;
  try {
    ({ items } = await get(`/previews?size=small&node_ids=${asked.map((row) => row.dataset.id).join(",")}`));
  } catch {
    return again();
  }
  const found = new Map(items.map((item) => [item.node_id, item]));
  let making = false;
  for (const row of asked) {
    const item = found.get(row.dataset.id ?? "");
    if (item?.state === "making") making = true;
    else {
      known.set(keyOf(row), { url: item?.url ?? "", until: Date.now() + KNOWN_MS });
      show(row, item?.url ?? "");
    }
  }
  if (rest.length) soon();
  else if (making) again();
}

function again() {
  if (tries >= AGAIN_MS.length) return;
  clearTimeout(timer);
  timer = window.setTimeout(look, AGAIN_MS[tries]);
  tries += 1;
}

/** There may be other rows in sight, or another content of one. */
function soon() {
  tries = 0;
  clearTimeout(timer);
  void look();
}

/** A row says with its revision that it shows another content. */
const watch = new MutationObserver(soon);

function begin() {
  const list = document.querySelector('[data-page="folder"] #rows');
  watch.disconnect();
  if (list) watch.observe(list, { subtree: true, attributeFilter: ["data-revision"] });
}

document.addEventListener("bitvault:page", begin);
begin();
onSight(soon);
