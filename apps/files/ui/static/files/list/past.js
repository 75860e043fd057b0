/** What there is to rewind, in its dialog: a graph of the changes of each day, the moments of one, and who changed something. */

import { get } from "../../js/api.js";
import { make, need } from "../../js/dom.js";
import { counted, fill, gettext, locale } from "../../js/i18n.js";

/** @typedef {{day: string, change_count: number}} Day */
/** @typedef {{before: string, at: string, person_name: string, change_count: number}} Moment */
/** @typedef {{kind: string, id: string, name: string, person_name: string, change_count: number}} Actor */

const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const dayFormat = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const timeFormat = new Intl.DateTimeFormat(locale, { timeStyle: "short" });

/** What is asked for later is shown, whatever comes later. */
let asked = 0;

const graph = () => need("#rewind-graph", HTMLElement);
const list = () => need("#rewind-moments", HTMLElement);

/** @param {string} text */
function tell(text) {
  const told = need("#rewind-moments-told", HTMLElement);
  told.textContent = text;
  told.hidden = !text;
}

/** @param {number} count */
const changes = (count) => counted("%(count)s change", "%(count)s changes", count);

/** @param {HTMLElement} box @param {Element | null} chosen */
function mark(box, chosen) {
  for (const option of box.children) {
    option.setAttribute("aria-selected", String(option === chosen));
    /** @type {HTMLElement} */ (option).tabIndex = option === (chosen ?? box.lastElementChild) ? 0 : -1;
  }
}

/** @param {Day} day @param {number} most @returns {HTMLElement} */
function barOf({ day, change_count: count }, most) {
  const text = `${dayFormat.format(new Date(`${day}T00:00:00Z`))}: ${changes(count)}`;
  const bar = make("div", { class: "rewind-day", role: "option", "data-day": day, "aria-label": text, title: text });
  if (count) bar.dataset.changed = "";
  bar.style.setProperty("--share", String(count ? Math.max(0.08, Math.sqrt(count / most)) : 0));
  return bar;
}

/** Show the last days of a folder. @param {string} folderId */
export async function showDays(folderId) {
  asked += 1;
  const mine = asked;
  need("#rewind-history", HTMLElement).hidden = true;
  list().hidden = true;
  tell("");
  const { items } = await get(`/nodes/${folderId}/rewind/days?zone=${encodeURIComponent(zone)}`);
  if (mine !== asked) return;
  const days = /** @type {Day[]} */ (items);
  const most = Math.max(1, ...days.map(({ change_count: count }) => count));
  graph().replaceChildren(...days.map((day) => barOf(day, most)));
  mark(graph(), null);
  need("#rewind-graph-told", HTMLElement).textContent = changes(days.reduce((sum, { change_count: count }) => sum + count, 0));
  need("#rewind-history", HTMLElement).hidden = false;
}

/** @param {Moment} moment @returns {HTMLElement} */
function lineOf({ before, at, person_name: name, change_count: count }) {
  const who = fill(gettext("%(name)s: %(changes)s"), { name: name || gettext("Somebody"), changes: changes(count) });
  return make("li", { class: "rewind-moment", role: "option", "data-before": before, "data-at": at }, make("time", { datetime: at }, timeFormat.format(new Date(at))), make("bdi", {}, who));
}

/** Show when something was changed on a day. @param {string} folderId @param {HTMLElement} bar */
async function showMoments(folderId, bar) {
  asked += 1;
  const mine = asked;
  mark(graph(), bar);
  need("#rewind-graph-told", HTMLElement).textContent = bar.title;
  const answer = await get(`/nodes/${folderId}/rewind/moments?day=${bar.dataset.day}&zone=${encodeURIComponent(zone)}`);
  if (mine !== asked) return;
  const moments = /** @type {Moment[]} */ (answer.items);
  list().replaceChildren(...moments.map(lineOf));
  mark(list(), null);
  if (list().firstElementChild instanceof HTMLElement) list().firstElementChild.tabIndex = 0;
  list().hidden = !moments.length;
  tell(!moments.length ? gettext("Nothing was changed on this day.") : answer.is_cut ? gettext("Only the latest moments are listed. For earlier ones give a time.") : gettext("Choose a moment to go back to the time before it."));
}

/** @param {KeyboardEvent} event */
function walk(event) {
  const option = event.target instanceof Element ? event.target.closest('#rewind-graph > [role="option"], #rewind-moments > [role="option"]') : null;
  const box = option?.parentElement;
  if (!option || !box) return;
  const all = [...box.children];
  const at = all.indexOf(option);
  const flat = box.id === "rewind-graph";
  /** @type {Record<string, number>} */
  const steps = { [flat ? "ArrowRight" : "ArrowDown"]: at + 1, [flat ? "ArrowLeft" : "ArrowUp"]: at - 1, Home: 0, End: all.length - 1 };
  if (event.key in steps) {
    const next = /** @type {HTMLElement} */ (all[Math.min(Math.max(steps[event.key], 0), all.length - 1)]);
    next.tabIndex = 0;
    next.focus();
    if (next !== option) /** @type {HTMLElement} */ (option).tabIndex = -1;
    event.preventDefault();
  } else if (event.key === "Enter" || event.key === " ") {
    /** @type {HTMLElement} */ (option).click();
    event.preventDefault();
  }
}

/**
 * Listen in the dialog from now on.
 *
 * @param {HTMLElement} dialog
 * @param {() => string} folderId
 * @param {(before: string, at: Date) => void} choose what takes a moment
 * @param {(error: unknown) => void} fail
 */
export function startPast(dialog, folderId, choose, fail) {
  dialog.addEventListener("click", (event) => {
    const option = event.target instanceof Element ? event.target.closest('[role="option"]') : null;
    if (!(option instanceof HTMLElement)) return;
    if (option.dataset.day) void showMoments(folderId(), option).catch(fail);
    else if (option.dataset.before) {
      mark(list(), option);
      choose(option.dataset.before, new Date(option.dataset.at ?? ""));
    }
  });
  dialog.addEventListener("keydown", walk);
}

/** Take the choice of a moment away: another one was typed. */
export function forgetMoment() {
  for (const option of list().children) option.setAttribute("aria-selected", "false");
}

/** @param {Actor} actor @param {Map<string, string>} named the reader's own devices @returns {string} */
function describeActor({ kind, id, name, person_name: person, change_count: count }, named) {
  const who = person || gettext("Somebody");
  const device = named.get(id) || name;
  /** @type {Record<string, string>} */
  const texts = {
    user: gettext("Only what %(person)s did (%(changes)s)"),
    device: device ? gettext("Only what “%(name)s” did, of %(person)s (%(changes)s)") : gettext("Only what a device of %(person)s did (%(changes)s)"),
    token: gettext("Only what an API token of %(person)s did (%(changes)s)"),
  };
  return fill(texts[kind], { person: who, name: device, changes: changes(count) });
}

/**
 * Offer those who changed something since a moment; whoever was chosen stays chosen while they did.
 *
 * @param {HTMLSelectElement} select
 * @param {string} folderId
 * @param {string} since
 * @param {Map<string, string>} named
 */
export async function offerActors(select, folderId, since, named) {
  const { items } = await get(`/nodes/${folderId}/rewind/actors?since=${encodeURIComponent(since)}`);
  const before = select.value;
  const options = /** @type {Actor[]} */ (items).map((actor) => make("option", { value: `${actor.kind}:${actor.id}` }, describeActor(actor, named)));
  select.replaceChildren(select.options[0], ...options);
  select.value = before;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}
