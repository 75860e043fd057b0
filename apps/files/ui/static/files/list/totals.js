/** The line below a list: how much lies in the folder. */

import { bytes } from "../../js/format.js";
import { counted } from "../../js/i18n.js";

/** @param {number} difference bytes that came or, negative, went */
export function changeBytes(difference) {
  const line = document.getElementById("totals");
  if (line && difference) line.dataset.bytes = String(Math.max(0, Number(line.dataset.bytes) + difference));
}

/** @param {number} size bytes of all files in the folder, as the server says */
export function setBytes(size) {
  const line = document.getElementById("totals");
  if (line) line.dataset.bytes = String(size);
}

/** @param {number} count of the rows of the list */
export function showTotals(count) {
  const line = document.getElementById("totals");
  if (!line) return;
  const size = Number(line.dataset.bytes);
  const text = size ? `${counted("%(count)s item", "%(count)s items", count)} · ${bytes(size)}` : counted("%(count)s item", "%(count)s items", count);
  if (line.textContent !== text) line.textContent = text;
  line.hidden = count === 0;
}
