/** The page of somebody who sends files through a link: choose, send, and be thanked. The engine is the one that members have. */

import { explain, Problem } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { showFieldError } from "../js/dialogs.js";
import { announce, closest, need, setIcon } from "../js/dom.js";
import { briefBytes as bytes, duration } from "../js/format.js";
import { counted, fill, gettext, locale } from "../js/i18n.js";
import { typeOf } from "../files/types.js";
import { chosen, dropped } from "../files/uploads/entries.js";
import { UploadQueue } from "../files/uploads/queue.js";
import { startRules } from "../files/uploads/rules.js";
import { Rate } from "../files/uploads/rate.js";
import { limitsOf, problemOf } from "./limits.js";
import { Visit } from "./visit.js";

/** @typedef {import("../files/uploads/queue.js").Item} Item */
/** @typedef {{file: File, dir: string[], problem: string}} Picked */

/** Painted this often: fast enough to look alive, slow enough for a thousand files. */
const PAINT_MS = 200;
/** Lines shown of a long list; the rest is a sentence. */
const LINES = 60;

const root = need("#send", HTMLElement);
const form = need("#send-form", HTMLFormElement);
const progress = need("#send-progress", HTMLElement);
const thanks = need("#send-thanks", HTMLElement);
const limits = limitsOf(root.dataset);
const visit = new Visit(root.dataset.token ?? "", root.dataset.unlock ?? "");
const rate = new Rate();

/** @type {Picked[]} */
let picked = [];
/** Folders that were chosen, each by its path. @type {string[][]} */
let folders = [];
/** How many of them were made without a file. */
let madeCount = 0;
let queue = new UploadQueue(visit.desk);
let timer = 0;
let ending = false;

// --- lines -------------------------------------------------------------------------------------------------------------------

/**
 * @param {{name: string, note: string, failed?: boolean, id?: string, share?: number, removable?: string, again?: boolean}} facts
 * @returns {HTMLElement}
 */
function lineOf({ name, note, failed = false, id = "", share, removable = "", again = false }) {
  const template = need("#send-line", HTMLTemplateElement);
  const line = need(".send-line", HTMLElement, /** @type {DocumentFragment} */ (template.content.cloneNode(true)));
  const type = typeOf(name);
  line.dataset.id = id;
  line.toggleAttribute("data-failed", failed);
  need(".send-icon", SVGElement, line).classList.add(`type-${type}`);
  setIcon(need("use", SVGElement, line), `type-${type}`);
  need(".send-name", HTMLElement, line).textContent = name;
  need(".send-note", HTMLElement, line).textContent = note;
  const bar = need(".bar", HTMLElement, line);
  bar.hidden = share === undefined;
  if (share !== undefined) {
    bar.setAttribute("aria-label", name);
    showShare(bar, share);
  }
  need('[data-line="retry"]', HTMLElement, line).hidden = !again;
  const remove = need('[data-line="remove"]', HTMLElement, line);
  remove.hidden = !removable;
  if (removable) {
    remove.setAttribute("aria-label", removable);
    remove.title = removable;
  }
  return line;
}

/** @param {HTMLElement} bar @param {number} share from 0 to 1 */
function showShare(bar, share) {
  bar.style.setProperty("--done", share.toFixed(4));
  bar.setAttribute("aria-valuenow", String(Math.floor(share * 100)));
}

/** @param {HTMLElement} list @param {HTMLElement[]} lines @param {number} count of all */
function fillList(list, lines, count) {
  list.replaceChildren(...lines);
  if (count <= lines.length) return;
  const rest = document.createElement("li");
  rest.className = "send-rest";
  rest.textContent = fill(gettext("and %(items)s"), { items: counted("%(count)s more file", "%(count)s more files", count - lines.length) });
  list.append(rest);
}

// --- choosing ----------------------------------------------------------------------------------------------------------------

/** @param {AsyncGenerator<import("../files/uploads/entries.js").Found>} found */
async function take(found) {
  let unreadable = 0;
  try {
    for await (const thing of found) {
      if (thing.kind === "unreadable") unreadable += 1;
      if (thing.kind === "folder" && !folders.some((one) => one.join("/") === thing.dir.join("/"))) folders.push(thing.dir);
      if (thing.kind === "file" && !picked.some((one) => isSame(one, thing))) picked.push({ file: thing.file, dir: thing.dir, problem: "" });
    }
  } catch (error) {
    console.warn("A folder could not be read.", error);
    unreadable += 1;
  }
  showPicked();
  showError(unreadable ? fill(gettext("%(items)s could not be read from your disk."), { items: counted("%(count)s item", "%(count)s items", unreadable) }) : "");
}

/** @param {Picked} one @param {{file: File, dir: string[]}} other @returns {boolean} */
const isSame = (one, other) => one.file.name === other.file.name && one.file.size === other.file.size && one.file.lastModified === other.file.lastModified && one.dir.join("/") === other.dir.join("/");

/** @param {string[]} dir @param {string[]} other @returns {boolean} whether the second lies in the first */
const holds = (dir, other) => other.length > dir.length && dir.every((name, index) => other[index] === name);

/** @returns {string[][]} chosen folders into which no file comes and no other folder: those above come along */
function listEmpty() {
  const filled = picked.map((one) => [...one.dir, one.file.name]);
  return folders.filter((dir) => ![...filled, ...folders].some((other) => holds(dir, other)));
}

function showPicked() {
  let [count, size] = [visit.sentCount, visit.sentBytes];
  for (const one of picked) {
    one.problem = problemOf(limits, one.file, count, size);
    if (!one.problem) [count, size] = [count + 1, size + one.file.size];
  }
  const lines = picked.slice(0, LINES).map((one, index) =>
    lineOf({
      name: one.file.name,
      note: one.problem || [...one.dir.slice(-1), bytes(one.file.size)].join(" · "),
      failed: Boolean(one.problem),
      id: String(index),
      removable: fill(gettext("Do not send %(name)s"), { name: one.file.name }),
    }),
  );
  const empty = listEmpty();
  const more = empty.slice(0, Math.max(0, LINES - lines.length)).map((dir) =>
    lineOf({ name: dir[dir.length - 1], note: gettext("Empty folder"), id: `folder ${folders.indexOf(dir)}`, removable: fill(gettext("Do not send %(name)s"), { name: dir[dir.length - 1] }) }),
  );
  fillList(need("#send-picked", HTMLElement), [...lines, ...more], picked.length + empty.length);
  const ready = picked.filter((one) => !one.problem);
  const submit = need("#send-submit", HTMLButtonElement);
  submit.hidden = !picked.length && !empty.length;
  submit.disabled = !ready.length && !empty.length;
  const total = ready.reduce((sum, one) => sum + one.file.size, 0);
  submit.textContent = ready.length
    ? fill(gettext("Send %(items)s (%(size)s)"), { items: counted("%(count)s file", "%(count)s files", ready.length), size: bytes(total) })
    : empty.length
      ? counted("Send %(count)s empty folder", "Send %(count)s empty folders", empty.length)
      : gettext("Nothing of this can be sent");
  root.toggleAttribute("data-picked", picked.length + empty.length > 0);
}

/** @param {string} text */
function showError(text) {
  const line = need("#send-error", HTMLElement);
  line.textContent = text;
  line.hidden = !text;
}

// --- sending -----------------------------------------------------------------------------------------------------------------

async function submit() {
  const ready = picked.filter((one) => !one.problem);
  const [name, email] = ["name", "email"].map((field) => document.getElementById(`send-${field}`));
  for (const input of [name, email]) {
    if (!(input instanceof HTMLInputElement)) continue;
    input.value = input.value.trim();
    showFieldError(input, input.checkValidity() ? "" : input.type === "email" ? gettext("Give your e-mail address.") : gettext("Give your name."));
  }
  const unfit = document.querySelector("#send-who [aria-invalid]");
  if (unfit instanceof HTMLInputElement) return unfit.focus();
  showError("");
  try {
    await visit.begin({ name: valueOf(name), email: valueOf(email) });
    for (const dir of listEmpty()) {
      await visit.makeFolder(dir);
      madeCount += 1;
      folders = folders.filter((one) => one !== dir);
    }
  } catch (error) {
    const field = error instanceof Problem ? document.getElementById(`send-${error.facts.field}`) : null;
    if (field instanceof HTMLInputElement) {
      showFieldError(field, explain(error));
      return field.focus();
    }
    return showError(explain(error));
  }
  const batch = queue.batch({ id: visit.key, name: root.dataset.title ?? "" });
  for (const { file, dir } of ready) queue.add(batch, file, dir);
  picked = [];
  folders = [];
  if (!ready.length) return showThanks(0, []);
  show("progress");
  paint();
}

/** @param {HTMLElement | null} input @returns {string} */
const valueOf = (input) => (input instanceof HTMLInputElement ? input.value : "");

/** @param {"form" | "progress" | "thanks"} step */
function show(step) {
  form.hidden = step !== "form";
  progress.hidden = step !== "progress";
  thanks.hidden = step !== "thanks";
  root.dataset.step = step;
  const who = document.getElementById("send-who");
  // Who sends is asked once in a visit.
  if (who) who.hidden = visit.isBegun;
  if (step === "form") showPicked();
}

const RANK = { failed: 0, retrying: 1, sending: 1, paused: 2, waiting: 3, done: 4 };

function paint() {
  timer = 0;
  const items = queue.items.filter((item) => item.state !== "canceled");
  const busy = items.filter((item) => item.active || item.state === "waiting");
  const paused = items.filter((item) => item.state === "paused");
  const weighed = items.filter((item) => item.state !== "failed");
  const done = items.filter((item) => item.state === "done");
  const total = weighed.reduce((sum, item) => sum + item.size, 0);
  const sent = weighed.reduce((sum, item) => sum + item.sent, 0);
  const share = total ? sent / total : done.length / Math.max(1, items.length);
  need("#send-progress-title", HTMLElement).textContent = busy.length
    ? fill(gettext("Sending %(items)s"), { items: counted("%(count)s file", "%(count)s files", busy.length) })
    : paused.length
      ? gettext("Paused")
      : items.every((item) => item.state === "failed")
        ? gettext("Nothing could be sent")
        : gettext("Finishing…");
  showShare(need("#send-bar", HTMLElement), share);
  if (busy.length) rate.sample(items.reduce((sum, item) => sum + item.moved, 0));
  else rate.reset();
  const facts = [fill(gettext("%(sent)s of %(size)s"), { sent: bytes(sent), size: bytes(total) })];
  if (rate.value > 1) facts.push(duration(rate.secondsFor(total - sent)));
  need("#send-speed", HTMLElement).textContent = facts.filter(Boolean).join(" · ");
  const pause = need('[data-send="pause"]', HTMLElement, progress);
  pause.hidden = !busy.length && !paused.length;
  pause.textContent = busy.length ? gettext("Pause") : gettext("Resume");
  const shown = [...items].sort((a, b) => rankOf(a) - rankOf(b) || a.id - b.id).slice(0, LINES);
  paintLines(shown, items.length);
  if (items.length && !busy.length && !paused.length) void end(items);
}

/** @param {Item} item @returns {number} */
const rankOf = (item) => /** @type {Record<string, number>} */ (RANK)[item.state] ?? 5;

/** @param {Item[]} shown @param {number} count */
function paintLines(shown, count) {
  const list = need("#send-going", HTMLElement);
  const focused = closest(document.activeElement, ".send-line")?.dataset.id;
  const act = closest(document.activeElement, "[data-line]")?.dataset.line;
  fillList(list, shown.map(progressLine), count);
  if (!focused) return;
  const again = list.querySelector(`[data-id="${focused}"] [data-line="${act}"]`);
  if (again instanceof HTMLElement && !again.hidden) again.focus();
}

/** @param {Item} item @returns {HTMLElement} */
function progressLine(item) {
  const going = item.state === "sending" || item.state === "retrying" || item.state === "paused";
  return lineOf({
    name: item.name,
    note: noteOf(item),
    failed: item.state === "failed",
    id: String(item.id),
    share: going ? (item.size ? item.sent / item.size : 0) : undefined,
    again: item.state === "failed",
    removable: item.unfinished || item.state === "failed" ? fill(gettext("Do not send %(name)s"), { name: item.name }) : "",
  });
}

/** @param {Item} item @returns {string} */
function noteOf(item) {
  switch (item.state) {
    case "waiting":
      return fill(gettext("Waiting · %(bytes)s"), { bytes: bytes(item.size) });
    case "paused":
      return fill(gettext("Paused · %(sent)s of %(size)s"), { sent: bytes(item.sent), size: bytes(item.size) });
    case "failed":
    case "retrying":
      return item.note;
    case "done":
      return fill(gettext("Sent · %(size)s"), { size: bytes(item.size) });
    default:
      if (item.sent >= item.size && item.size) return gettext("Finishing…");
      return fill(gettext("%(sent)s of %(size)s"), { sent: bytes(item.sent), size: bytes(item.size) });
  }
}

/** All is sent, or has failed: say so, and let those who asked be told. @param {Item[]} items */
async function end(items) {
  if (ending) return;
  const done = items.filter((item) => item.state === "done");
  if (!done.length) return;
  ending = true;
  try {
    await visit.finish();
  } catch (error) {
    // What has arrived is told of an hour later in any case.
    console.warn("The end could not be told.", error);
    await visit.refresh().catch(() => {});
  } finally {
    ending = false;
  }
  showThanks(done.length, items.filter((item) => item.state === "failed"));
}

/** @param {number} count @param {Item[]} failed */
function showThanks(count, failed) {
  const said = [
    ...(count || !madeCount ? [counted("%(count)s file has arrived.", "%(count)s files have arrived.", count)] : []),
    ...(madeCount ? [counted("%(count)s empty folder has been made.", "%(count)s empty folders have been made.", madeCount)] : []),
  ];
  need("#send-thanks-text", HTMLElement).textContent = said.join(" ");
  madeCount = 0;
  const receipt = need("#send-receipt", HTMLElement);
  receipt.hidden = !visit.receipt;
  receipt.textContent = gettext("A receipt is on its way to you by mail.");
  const list = need("#send-failed", HTMLElement);
  list.hidden = !failed.length;
  fillList(list, failed.slice(0, LINES).map(progressLine), failed.length);
  showSent();
  show("thanks");
  thanks.focus();
  announce(need("#send-thanks-text", HTMLElement).textContent ?? "");
}

/** Show what this visit has sent, and nothing else. */
function showSent() {
  const { sent } = visit;
  need("#send-sent", HTMLElement).hidden = !sent.length;
  need("#send-sent-title", HTMLElement).textContent = fill(gettext("Sent by you in this visit: %(items)s"), { items: counted("%(count)s file", "%(count)s files", sent.length) });
  const lines = sent.slice(-LINES).map((one) => lineOf({ name: one.name, note: bytes(one.size_bytes) }));
  fillList(need("#send-sent-list", HTMLElement), lines.reverse(), sent.length);
}

// --- listening ---------------------------------------------------------------------------------------------------------------

function listen() {
  for (const name of ["change", "progress"]) queue.addEventListener(name, () => (timer ||= window.setTimeout(paint, PAINT_MS)));
  queue.addEventListener("drop", (event) => visit.drop(/** @type {CustomEvent} */ (event).detail));
  root.addEventListener("click", onClick);
  onSubmit(form, submit);
  for (const id of ["#send-files", "#send-whole-folder"]) {
    const input = need(id, HTMLInputElement);
    input.addEventListener("change", () => {
      const files = /** @type {any} */ ([...(input.files ?? [])]);
      input.value = "";
      void take(chosen(files));
    });
  }
  addEventListener("online", () => queue.retryOffline());
  addEventListener("beforeunload", (event) => {
    if (queue.items.some((item) => item.active || item.state === "waiting")) event.preventDefault();
  });
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    // Elsewhere the browser would open the file in place of the page.
    event.preventDefault();
    event.dataTransfer.dropEffect = form.hidden ? "none" : "copy";
    root.toggleAttribute("data-over", !form.hidden);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) root.removeAttribute("data-over");
  });
  document.addEventListener("drop", (event) => {
    root.removeAttribute("data-over");
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (!form.hidden) void take(dropped(event.dataTransfer));
  });
}

/** @param {MouseEvent} event */
function onClick(event) {
  const wish = closest(event.target, "[data-send]")?.dataset.send;
  if (wish === "files") need("#send-files", HTMLInputElement).click();
  if (wish === "folder") need("#send-whole-folder", HTMLInputElement).click();
  if (wish === "pause") {
    if (queue.items.some((item) => item.active || item.state === "waiting")) queue.pauseAll();
    else queue.resumeAll();
  }
  if (wish === "more") {
    queue.clearFinished();
    show("form");
    need('[data-send="files"]', HTMLElement).focus();
  }
  const act = closest(event.target, "[data-line]")?.dataset.line;
  const line = closest(event.target, ".send-line");
  if (!act || !line) return;
  if (line.parentElement?.id === "send-picked") {
    const id = line.dataset.id ?? "";
    if (id.startsWith("folder ")) folders.splice(Number(id.slice(7)), 1);
    else picked.splice(Number(id), 1);
    showPicked();
    return need('[data-send="files"]', HTMLElement).focus();
  }
  const item = queue.items.find((one) => String(one.id) === line.dataset.id);
  if (!item) return;
  if (act === "retry") queue.resume(item);
  else queue.cancel(item).settle();
  if (!thanks.hidden) show("progress");
  paint();
  if (queue.items.every((one) => one.state === "canceled")) show("form");
}

for (const element of document.querySelectorAll("time.send-moment")) {
  const date = new Date(element.getAttribute("datetime") ?? "");
  if (!Number.isNaN(date.getTime())) element.textContent = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short" }).format(date);
}
startRules();
listen();
await visit.restore();
show("form");
if (visit.sent.length) showSentBefore();

/** After a reload: what has arrived already stands below the form. */
function showSentBefore() {
  showSent();
  form.after(need("#send-sent", HTMLElement));
}
