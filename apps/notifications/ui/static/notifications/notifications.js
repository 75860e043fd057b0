/** The bell: how much is unread, kept true while the page lives; the panel that it opens; and marking as read. */

import { call, explain, get } from "../js/api.js";
import { announce, closest, need } from "../js/dom.js";
import { fillTimes } from "../js/format.js";
import { counted, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** What is counted; more is shown as "99+". */
const COUNTED = 100;
/** After a change is heard of: the entry is written a moment later, and by a busy worker some moments later. */
const SETTLES_MS = [1500, 6500];
/** Between two looks, with as much again by chance: a busy vault must not bring everybody in the same moment. */
const REST_MS = 4000;
/** What no change of files tells of, an invitation that was accepted for one, is seen within this time. */
const IDLE_MS = 90_000;

let unread = 0;
let looking = false;
let due = false;
let settling = 0;
let known = -1;

const bell = () => document.getElementById("bell");
const panel = () => need("#notices", HTMLElement);

/** Show how much is unread, beside the bell and in its name. @param {number} count @param {boolean} [speak] */
function show(count, speak = false) {
  const button = bell();
  const badge = button?.querySelector("[data-bell-count]");
  if (!button || !(badge instanceof HTMLElement)) return;
  const text = count < COUNTED ? String(count) : `${COUNTED - 1}+`;
  badge.hidden = count === 0;
  badge.textContent = text;
  const name = count ? counted("Notifications, %(count)s unread", "Notifications, %(count)s unread", count) : gettext("Notifications");
  button.setAttribute("aria-label", name);
  if (speak && count > unread && known >= 0) announce(counted("%(count)s unread notification", "%(count)s unread notifications", count));
  unread = count;
  known = count;
  need('[data-notices="read-all"]', HTMLElement, panel()).hidden = count === 0;
}

/** Count again, once at a time, and not while nobody looks. */
async function look() {
  due = true;
  if (looking || document.hidden || !bell()) return;
  looking = true;
  due = false;
  try {
    const { unread_count: count } = await get("/notifications?unread=true&limit=1");
    const more = count > unread;
    show(count, true);
    if (more && panel().matches(":popover-open")) await fillPanel();
  } catch {
    // The next word leads here again.
  } finally {
    setTimeout(
      () => {
        looking = false;
        if (due) void look();
      },
      REST_MS * (1 + Math.random()),
    );
  }
}

function settle() {
  if (settling) return;
  const [soon, late] = SETTLES_MS;
  settling = window.setTimeout(() => {
    settling = 0;
    void look();
  }, soon);
  setTimeout(() => void look(), late);
}

/** Show in the panel what there is now. */
async function fillPanel() {
  const { htmx } = /** @type {any} */ (window);
  await htmx.ajax("GET", "/notifications/panel/", { target: "#notices-body", select: "#notices-lines", swap: "innerHTML" });
  fillTimes(panel());
  const lines = document.getElementById("notices-lines");
  if (lines) show(Number(lines.dataset.unreadCount));
}

/** Take the marks of what is read away. @param {Iterable<Element>} lines */
function dress(lines) {
  for (const line of lines) {
    line.classList.remove("told-unread");
    line.querySelector("[data-unread]")?.remove();
  }
}

/** @param {HTMLElement} line */
async function read(line) {
  if (!line.classList.contains("told-unread")) return;
  dress([line]);
  try {
    const { unread_count: count } = await call("POST", "/notifications/read", { body: { ids: [line.dataset.notice] }, keepalive: true });
    show(count);
  } catch {
    // It stays unread, and is shown so the next time.
  }
}

/** @param {HTMLElement} button */
async function readAll(button) {
  const newest = button.dataset.newest ?? document.getElementById("notices-lines")?.dataset.newest;
  if (!newest) return;
  try {
    const { unread_count: count } = await call("POST", "/notifications/read", { body: { up_to_id: newest } });
    dress(document.querySelectorAll(".told-unread"));
    show(count);
    announce(gettext("All notifications are read."));
    if (panel().contains(button)) panel().focus();
    else {
      button.hidden = true;
      document.getElementById("main")?.focus();
    }
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

document.addEventListener("click", (event) => {
  const target = closest(event.target, "[data-notices]");
  if (!target) return;
  if (target.dataset.notices === "read-all") void readAll(target);
  if (target.dataset.notices === "show") {
    const line = closest(target, "[data-notice]");
    if (line) void read(line);
  }
  if (target.dataset.notices !== "read-all" && panel().contains(target)) panel().hidePopover();
});
document.addEventListener("bitvault:head", settle);
document.addEventListener("bitvault:page", () => void look());
document.addEventListener("visibilitychange", () => {
  if (due || !document.hidden) void look();
});
setInterval(() => void look(), IDLE_MS);

if (bell()) {
  panel().addEventListener("toggle", (event) => {
    const opened = /** @type {ToggleEvent} */ (event).newState === "open";
    bell()?.setAttribute("aria-expanded", String(opened));
    if (!opened) return;
    panel().focus();
    fillPanel().catch((error) => toast(explain(error), { failed: true }));
  });
  void look();
}
