/** The storage meter in the rail: read when a page of the vault is opened, and again after changes. */

import { get } from "../js/api.js";
import { briefBytes } from "../js/format.js";
import { fill, gettext } from "../js/i18n.js";

/** Between two readings: whoever uploads a thousand files makes a thousand heads. */
const REST_MS = 5000;
/** Shares of the room, in per cent, from which on the bar warns. */
const HIGH = 80;
const FULL = 95;

let reading = false;
let due = false;

/** @param {{limit_bytes: number, used_bytes: number}} quota */
function show({ limit_bytes: limit, used_bytes: used }) {
  const section = document.getElementById("storage");
  const bar = section?.querySelector('[role="meter"]');
  const text = section?.querySelector(".storage-text");
  if (!section || !(bar instanceof HTMLElement) || !text) return;
  const share = limit > 0 ? Math.min(100, (used / limit) * 100) : 100;
  const words = fill(gettext("%(used)s of %(limit)s used"), { used: briefBytes(used), limit: briefBytes(limit) });
  section.dataset.level = share >= FULL ? "full" : share >= HIGH ? "high" : "";
  section.title = words;
  bar.style.setProperty("--share", String(share));
  bar.setAttribute("aria-valuenow", String(Math.round(share)));
  bar.setAttribute("aria-valuetext", words);
  text.textContent = words;
  section.hidden = false;
}

async function read() {
  due = true;
  if (reading || document.hidden || !document.getElementById("storage")) return;
  reading = true;
  due = false;
  try {
    const { items } = await get("/quotas");
    // A limit of one's own, where there is one, says more than the vault's.
    const quota = items.find((/** @type {{scope: string}} */ item) => item.scope !== "tenant") ?? items[0];
    if (quota) show(quota);
  } catch {
    // What was shown stays; the next change leads here again.
  } finally {
    setTimeout(() => {
      reading = false;
      if (due) void read();
    }, REST_MS);
  }
}

document.addEventListener("bitvault:head", () => void read());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && due) void read();
});
void read();
