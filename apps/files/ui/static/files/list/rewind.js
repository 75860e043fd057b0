/** The dialog that brings a folder back to what it was: choose a moment, see what would change, let the server do it; it can be undone. */

import { call, explain, get, randomKey } from "../../js/api.js";
import { whileBusy } from "../../js/busy.js";
import { announce, icon, make, need } from "../../js/dom.js";
import { whenInline } from "../../js/format.js";
import { counted, fill, gettext } from "../../js/i18n.js";
import { toast } from "../../js/toast.js";
import { follow } from "./jobs.js";
import { forgetMoment, offerActors, showDays, startPast } from "./past.js";

/** @typedef {{total: number, move: number, restore: number, trash: number, content: number, done: number, kept: number}} Counts */
/** @typedef {{id: string, counts: Counts, since: string}} Rewind */
/** @typedef {{path: string, name: string, changes: string[], outcome: string, reason: string}} Item */

/** Lines of the preview that are read at first. */
const SHOWN = 100;
const MINUTE_MS = 60_000;

/** @type {{id: string, name: string} | null} what is rewound */
let folder = null;
/** @type {Rewind | null} what was planned */
let planned = null;
/** The moment that was chosen of a day, as exactly as the server tells it; a typed one has none. */
let before = "";
/** @type {Map<string, string>} the reader's own devices, by their ids */
const devices = new Map();
let settling = 0;
/** Somebody who types a time wants nothing of what lies between. */
const SETTLE_MS = 400;

const dialog = () => need("#rewind-dialog", HTMLDialogElement);
const moment = () => need("#rewind-moment", HTMLInputElement);
const whose = () => need("#rewind-whose", HTMLSelectElement);

/** @param {string} text */
function showError(text) {
  const note = need("#rewind-error", HTMLElement);
  note.replaceChildren(icon("warning"), make("span", {}, text));
  note.hidden = !text;
}

/** @param {"wish" | "plan"} step */
function showStep(step) {
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (dialog().querySelectorAll("[data-step]"))) part.hidden = part.dataset.step !== step;
}

/** @param {Date} date @returns {string} as a field for a local time wants it */
function local(date) {
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * MINUTE_MS);
  return shifted.toISOString().slice(0, 16);
}

/** @param {string} hours ago */
function choose(hours) {
  moment().value = local(new Date(Date.now() - Number(hours) * 60 * MINUTE_MS));
  forget();
}

/** The moment is the one in the field. */
function forget() {
  before = "";
  planned = null;
  forgetMoment();
  offerSoon();
}

/** @returns {string} the moment that is gone back to; empty: none */
const since = () => before || (moment().value ? new Date(moment().value).toISOString() : "");

function showUntil() {
  need("#rewind-until-field", HTMLElement).hidden = !whose().value;
}

/** Offer those who have changed something since the moment. */
async function offer() {
  const [here, from] = [folder, since()];
  if (!here || !from) return;
  await offerActors(whose(), here.id, from, devices);
  showUntil();
}

function offerSoon() {
  clearTimeout(settling);
  settling = window.setTimeout(() => void offer().catch((error) => showError(explain(error))), SETTLE_MS);
}

/** The reader's own devices have names that only they are told. */
async function readDevices() {
  const { items } = await get("/sync/devices");
  for (const device of items) devices.set(device.id, device.name);
}

/** @param {Counts} counts @returns {string[]} */
const sentences = ({ content, move, restore, trash }) =>
  [
    content ? counted("%(count)s file gets its earlier content.", "%(count)s files get their earlier content.", content) : "",
    move ? counted("%(count)s item gets its earlier name or place.", "%(count)s items get their earlier name or place.", move) : "",
    restore ? counted("%(count)s item comes back from the trash.", "%(count)s items come back from the trash.", restore) : "",
    trash ? counted("%(count)s newer item goes to the trash.", "%(count)s newer items go to the trash.", trash) : "",
  ].filter(Boolean);

/** @param {string} reason @returns {string} */
function because(reason) {
  /** @type {Record<string, string>} */
  const words = {
    changed_later: gettext("Somebody changed it later: kept"),
    changed_meanwhile: gettext("Changed meanwhile: kept"),
    purged: gettext("Deleted permanently: cannot come back"),
    version_gone: gettext("The earlier content was deleted: cannot come back"),
    forbidden: gettext("Not yours to change: kept"),
    parent_gone: gettext("Its folder is gone: kept"),
    holds_others: gettext("Holds something else: kept"),
    locked: gettext("Locked by somebody: kept"),
  };
  return words[reason] ?? gettext("Kept");
}

/** @param {Item} item @returns {string} */
function describe(item) {
  /** @type {Record<string, string>} */
  const words = {
    content: gettext("earlier content"),
    move: gettext("earlier name or place"),
    restore: gettext("back from the trash"),
    trash: gettext("to the trash"),
  };
  return item.outcome === "kept" || !item.changes.length ? because(item.reason) : item.changes.map((change) => words[change]).join(", ");
}

/** @param {Item} item @returns {HTMLElement} */
const line = (item) => make("li", { class: "rewind-item", "data-outcome": item.outcome }, make("bdi", {}, item.path.slice(1) || item.name || gettext("Something out of your reach")), make("small", {}, describe(item)));

/** Plan it, and show what would change. */
async function plan() {
  if (!folder || !since()) return showError(gettext("Choose a moment."));
  const [kind, id] = whose().value.split(":");
  const until = kind && need("#rewind-until", HTMLInputElement).value;
  const wish = { since: since(), ...(kind ? { by_kind: kind, by_id: id } : {}), ...(until ? { until: new Date(until).toISOString() } : {}) };
  const made = /** @type {Rewind} */ (await call("POST", `/nodes/${folder.id}/rewind`, { body: wish, key: randomKey() }));
  const [kept, changed] = await Promise.all(["kept", "pending"].map((outcome) => get(`/rewinds/${made.id}/items?outcome=${outcome}&limit=${SHOWN}`)));
  planned = made;
  const told = sentences(made.counts);
  if (made.counts.kept) told.push(counted("%(count)s item stays as it is.", "%(count)s items stay as they are.", made.counts.kept));
  need("#rewind-counts", HTMLElement).replaceChildren(...(told.length ? told : [gettext("Nothing here has changed since then.")]).map((text) => make("li", {}, text)));
  const lines = [...changed.items, ...kept.items].map(line);
  const more = made.counts.total + made.counts.kept - lines.length;
  if (more > 0) lines.push(make("li", { class: "rewind-item" }, counted("and %(count)s more", "and %(count)s more", more)));
  need("#rewind-items", HTMLElement).replaceChildren(...lines);
  need("#rewind-items", HTMLElement).hidden = !lines.length;
  need("#rewind-run", HTMLButtonElement).disabled = !made.counts.total;
  showStep("plan");
  need(made.counts.total ? "#rewind-run" : "#rewind-back", HTMLButtonElement).focus();
  announce(told.join(" ") || gettext("Nothing here has changed since then."));
}

/** Let the server carry it out; the person goes on working. */
async function carryOut() {
  if (!folder || !planned) return;
  const [name, rewind] = [folder.name, planned];
  const job = await call("POST", `/rewinds/${rewind.id}/run`);
  dialog().close();
  const result = await follow(job, ({ done_count, total_count }) => counting(name, done_count, total_count));
  if (!result) return offerToContinue(name, rewind);
  document.dispatchEvent(new CustomEvent("bitvault:look-again"));
  const told = fill(gettext("“%(name)s” is as it was %(moment)s."), { name, moment: whenInline(new Date(rewind.since)) });
  const kept = result.kept_count ? ` ${counted("%(count)s item was kept as it is.", "%(count)s items were kept as they are.", result.kept_count)}` : "";
  toast(told + kept, { action: gettext("Undo"), undo: true, run: () => void takeBack(name, rewind.id) });
}

/** @param {string} name @param {number} done @param {number | null} total */
const counting = (name, done, total) => fill(gettext("Rewinding “%(name)s”: %(done)s of %(total)s…"), { name, done, total: total ?? "…" });

/** What was done so far stays, and can be taken back. @param {string} name @param {Rewind} rewind */
function offerToContinue(name, rewind) {
  document.dispatchEvent(new CustomEvent("bitvault:look-again"));
  toast(fill(gettext("The rewind of “%(name)s” has stopped half way."), { name }), { action: gettext("Undo"), run: () => void takeBack(name, rewind.id) });
}

/** @param {string} name @param {string} rewindId */
async function takeBack(name, rewindId) {
  try {
    const back = await call("POST", `/rewinds/${rewindId}/undo`, { key: randomKey() });
    const job = await call("POST", `/rewinds/${back.id}/run`);
    if (await follow(job, ({ done_count, total_count }) => counting(name, done_count, total_count))) {
      document.dispatchEvent(new CustomEvent("bitvault:look-again"));
      toast(fill(gettext("The rewind of “%(name)s” is undone."), { name }));
    }
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

/** @param {Event} event */
async function press(event) {
  const pressed = event.target instanceof Element ? event.target.closest("button") : null;
  if (!pressed) return;
  showError("");
  if (pressed.dataset.hours) return choose(pressed.dataset.hours);
  if (pressed.dataset.role === "cancel") return dialog().close();
  if (pressed.id === "rewind-back") {
    showStep("wish");
    return moment().focus();
  }
  const act = { "rewind-plan": plan, "rewind-run": carryOut }[pressed.id];
  if (!act) return;
  await whileBusy(pressed, act).catch((error) => showError(explain(error)));
}

/** Ask how far back a folder is to go. @param {{id: string, name: string}} entry */
export function rewindByDialog(entry) {
  const shown = dialog();
  [folder, planned] = [entry, null];
  need("#rewind-title", HTMLElement).textContent = fill(gettext("Rewind “%(name)s”"), { name: entry.name });
  showError("");
  showStep("wish");
  if (shown.dataset.ready === undefined) {
    shown.dataset.ready = "";
    shown.addEventListener("click", (event) => void press(event));
    const fail = (/** @type {unknown} */ error) => showError(explain(error));
    moment().addEventListener("input", forget);
    whose().addEventListener("change", showUntil);
    startPast(shown, () => folder?.id ?? "", (exactly, at) => {
      moment().value = local(at);
      [before, planned] = [exactly, null];
      offerSoon();
    }, fail);
    void readDevices().then(offer).catch(fail);
  }
  whose().selectedIndex = 0;
  need("#rewind-until", HTMLInputElement).value = "";
  for (const field of [moment(), need("#rewind-until", HTMLInputElement)]) field.max = local(new Date());
  choose("1");
  showUntil();
  void showDays(entry.id).catch((error) => showError(explain(error)));
  shown.showModal();
  moment().focus();
}
