/** A lock as a row keeps it and tells it. */

import { need, pageFact } from "../../js/dom.js";
import { whenUntil } from "../../js/format.js";
import { fill, gettext } from "../../js/i18n.js";

/** @typedef {{holder_id: string, holder_name: string, device: string, reason: string, locked_at: string, expires_at: string}} Lock */

/** @param {HTMLElement | null | undefined} row @returns {Lock | null} the lock that holds now */
export function lockOf(row) {
  const stored = row?.querySelector("[data-lock]")?.getAttribute("data-lock");
  const lock = stored ? /** @type {Lock} */ (JSON.parse(stored)) : null;
  return lock && Date.parse(lock.expires_at) > Date.now() ? lock : null;
}

/** @param {Lock} lock */
export const isOwn = (lock) => lock.holder_id === pageFact("user");

/** @param {Lock} lock @returns {string} who has it, until when, and why */
export function describe(lock) {
  const facts = { name: lock.holder_name || gettext("a former member"), moment: whenUntil(new Date(lock.expires_at)) };
  const text = fill(isOwn(lock) ? gettext("Locked by you until %(moment)s") : gettext("Locked by %(name)s until %(moment)s"), facts);
  return lock.reason ? fill(gettext("%(text)s: %(reason)s"), { text, reason: lock.reason }) : text;
}

/** @param {HTMLElement} row @param {Lock | null | undefined} lock what the row tells from now on */
export function keepLock(row, lock) {
  need("[data-lock]", HTMLElement, row).dataset.lock = lock ? JSON.stringify(lock) : "";
  showLock(row);
}

/** Tell a row's lock, or that it has none any more. @param {HTMLElement} row */
export function showLock(row) {
  const flag = row.querySelector("[data-lock]");
  if (!(flag instanceof HTMLElement)) return;
  const lock = lockOf(row);
  flag.hidden = !lock;
  const text = lock ? describe(lock) : "";
  if (flag.title === text) return;
  flag.title = text;
  flag.toggleAttribute("data-own", Boolean(lock && isOwn(lock)));
  need('[data-slot="lock"]', HTMLElement, flag).textContent = text;
}
