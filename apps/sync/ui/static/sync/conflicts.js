/** Conflicts: their count in the rail, kept true while others work, and the page on which they are settled. */

import { typeOf } from "../files/types.js";
import { call, explain, get, Problem } from "../js/api.js";
import { whileBusy } from "../js/busy.js";
import { alarm, closest, setIcon } from "../js/dom.js";
import { sectionLink, setCount } from "../js/sections.js";
import { toast } from "../js/toast.js";
import { counted, gettext } from "../js/i18n.js";

/** What is counted; more is shown as "99+". */
const COUNTED = 100;
/** Cards of one page, as the server shows them. */
const SHOWN = 50;
/** Between two looks: whoever uploads a thousand files makes a thousand heads. */
const REST_MS = 3000;

/** @type {Record<string, string>} */
const SAID = {
  both: gettext("Both files stay."),
  original: gettext("The original stays. The copy is in the trash."),
  copy: gettext("The copy stays, under the original’s name. The original is in the trash."),
};

let looking = false;
let due = false;
let open = 0;

const onPage = () => document.querySelector('#main[data-page="conflicts"]') !== null;
const cards = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".conflict")]);

/** Count again, and show the page anew where it is open; once at a time. */
async function look() {
  due = true;
  if (looking || document.hidden) return;
  looking = true;
  due = false;
  try {
    const { items } = await get(`/sync/conflicts?limit=${COUNTED}`);
    count(items.length);
    const shown = new Set(cards().map(({ dataset }) => [dataset.id, dataset.copyRevision, dataset.originalRevision].join()));
    const front = items.slice(0, SHOWN);
    const changed = shown.size !== front.length || front.some((/** @type {any} */ { id, node, original }) => !shown.has([id, node.revision, original?.revision].join()));
    if (onPage() && !location.search && changed && !document.querySelector(".conflict[data-busy]")) await renew();
  } catch {
    // The next head leads here again.
  } finally {
    setTimeout(() => {
      looking = false;
      if (due) void look();
    }, REST_MS);
  }
}

/** @param {number} found */
function count(found) {
  open = found;
  setCount("conflicts", open, COUNTED);
}

/** Show the list as the server has it; the focus stays on the card that it was on. */
async function renew() {
  const focused = closest(document.activeElement, ".conflict")?.dataset.id;
  const keep = closest(document.activeElement, "[data-keep]")?.dataset.keep;
  await /** @type {any} */ (window).htmx.ajax("GET", "/conflicts/", { target: "#conflicts", select: "#conflicts", swap: "outerHTML" });
  const card = focused ? cards().find((one) => one.dataset.id === focused) : null;
  /** @type {HTMLElement | null | undefined} */ (keep ? card?.querySelector(`[data-keep="${keep}"]`) : card)?.focus({ preventScroll: true });
  dress();
}

/** Give each card the icon of its file's type. */
function dress() {
  for (const svg of document.querySelectorAll(".conflict .type")) {
    const type = typeOf(svg.getAttribute("data-name") ?? "", "file");
    svg.setAttribute("data-type", type);
    const use = svg.querySelector("use");
    if (use) setIcon(use, `type-${type}`);
  }
}

/** @param {HTMLElement} card @param {string} keep */
async function settle(card, keep) {
  try {
    await call("POST", `/sync/conflicts/${card.dataset.id}/resolve`, { body: { keep, ...seen(card) } });
    takeAway(card);
    toast(`${card.dataset.title}: ${SAID[keep]}`);
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.code === "sync.conflict_resolved")) {
      takeAway(card);
      toast(gettext("Somebody else has settled this one."));
    } else if (error instanceof Problem && (error.status === 412 || error.status === 428)) {
      toast(gettext("One of the two has been changed meanwhile. Nothing was put into the trash; look again."), { failed: true });
      await renew();
    } else {
      toast(explain(error), { failed: true });
    }
  }
}

/** In which revisions the two files of a card are shown: the server keeps one that has been edited since. @param {HTMLElement} card */
function seen({ dataset }) {
  return { copy_revision: Number(dataset.copyRevision), ...(dataset.originalRevision ? { original_revision: Number(dataset.originalRevision) } : {}) };
}

/** @param {HTMLElement} card */
function takeAway(card) {
  const all = cards();
  const at = all.indexOf(card);
  const next = all[at + 1] ?? all[at - 1];
  card.remove();
  count(Math.max(open - 1, 0));
  if (next) next.focus();
  else void renew().then(() => document.getElementById("main")?.focus());
  alarm(counted("%(count)s conflict is left", "%(count)s conflicts are left", open));
}

document.addEventListener("click", (event) => {
  const keep = closest(event.target, "[data-keep]")?.dataset.keep;
  const card = closest(event.target, ".conflict");
  if (keep && card) void whileBusy(card, () => settle(card, keep));
});
document.addEventListener("bitvault:head", () => void look());
document.addEventListener("bitvault:page", () => {
  dress();
  void look();
});
document.addEventListener("visibilitychange", () => {
  if (due) void look();
});
if (sectionLink("conflicts")) {
  dress();
  void look();
}
