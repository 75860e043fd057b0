/** Who made what is in the list: names that the page brought, and those that are asked for when a row of somebody else comes in. */

import { readJson } from "../../js/api.js";
import { pageFact } from "../../js/dom.js";
import { gettext } from "../../js/i18n.js";

/** Ids that are asked for together. */
const TOGETHER = 100;
/** Rows that come in at once are named at once. */
const SETTLE_MS = 60;

/** @type {Map<string, string>} */
const names = new Map();
/** @type {Set<string>} */
const wanted = new Set();
let settling = 0;

/** @param {HTMLElement} row keeps what the server wrote into it */
export function learnOwner(row) {
  const { owner = "" } = row.dataset;
  const name = row.querySelector('[data-slot="owner"]')?.textContent ?? "";
  if (owner && name) names.set(owner, name);
}

/** @param {HTMLElement} row @param {string} id */
export function showOwner(row, id) {
  row.dataset.owner = id;
  const slot = row.querySelector('[data-slot="owner"]');
  if (!(slot instanceof HTMLElement)) return;
  const name = id && id === pageFact("user") ? gettext("You") : (names.get(id) ?? "");
  slot.textContent = name;
  slot.title = name;
  if (!id || name || names.has(id)) return;
  wanted.add(id);
  if (!settling) settling = setTimeout(() => void ask(), SETTLE_MS);
}

async function ask() {
  settling = 0;
  const ids = [...wanted].slice(0, TOGETHER);
  for (const id of ids) wanted.delete(id);
  if (wanted.size) settling = setTimeout(() => void ask(), SETTLE_MS);
  try {
    const told = await readJson(`/files/owners?ids=${ids.join(",")}`);
    // Who has left has no name, and is not asked for again.
    for (const id of ids) names.set(id, told[id] ?? "");
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#rows > .row[data-owner]"))) {
      if (row.dataset.owner && ids.includes(row.dataset.owner)) showOwner(row, row.dataset.owner);
    }
  } catch {
    // The column stays empty; the next row of theirs asks again.
  }
}
