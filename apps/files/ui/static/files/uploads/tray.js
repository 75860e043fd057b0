/** Shows the queue: one line for all, one for each file; buttons to pause, go on, try again, cancel. */

import { announce, closest, need, setIcon } from "../../js/dom.js";
import { briefBytes as bytes, duration, plural } from "../../js/format.js";
import { splitName, typeOf } from "../types.js";
import { Rate } from "./rate.js";

/** @typedef {import("./queue.js").Item} Item */

/** Painted this often: fast enough to look alive, slow enough for a thousand files. */
const PAINT_MS = 200;
/** Lines shown; the rest is a sentence. */
const LINES = 60;

/** @type {Record<string, number>} what needs a person comes first, what is over last */
const RANK = { asking: 0, failed: 1, retrying: 2, sending: 2, paused: 3, waiting: 4, skipped: 5, done: 6, canceled: 9 };

export class Tray {
  #rate = new Rate();
  #timer = 0;
  /** @type {Map<number, HTMLElement>} */
  #lines = new Map();
  #unfinished = 0;
  /** @type {string[]} names of files that nobody means to upload, since the tray was last closed */
  #leftOut = [];
  #wasBusy = false;

  /** @param {import("./queue.js").UploadQueue} queue @param {{choose: (folder: boolean) => void, discard: () => void}} wishes */
  constructor(queue, wishes) {
    this.queue = queue;
    this.root = need("#tray", HTMLElement);
    this.list = need("#tray-list", HTMLElement);
    for (const name of ["change", "progress"]) queue.addEventListener(name, () => this.#soon());
    this.root.addEventListener("click", (event) => this.#onClick(event, wishes));
  }

  /** @param {Event} event @param {{choose: (folder: boolean) => void, discard: () => void}} wishes */
  #onClick(event, wishes) {
    const { queue } = this;
    const wish = closest(event.target, "[data-tray]")?.dataset.tray;
    if (wish === "collapse") this.#collapse();
    if (wish === "close") this.#close();
    if (wish === "choose-files") wishes.choose(false);
    if (wish === "choose-folder") wishes.choose(true);
    if (wish === "forget") wishes.discard();
    if (wish === "pause-all") {
      if (queue.items.some((item) => item.active || item.state === "waiting")) queue.pauseAll();
      else queue.resumeAll();
    }
    const act = closest(event.target, "[data-item]")?.dataset.item;
    const line = closest(event.target, ".tray-item");
    const item = queue.items.find((other) => String(other.id) === line?.dataset.id);
    if (!act || !item) return;
    if (act === "pause") queue.pause(item);
    if (act === "resume" || act === "retry") queue.resume(item);
    if (act === "cancel") queue.cancel(item);
  }

  /** @param {boolean} [collapsed] turned round when it is not said */
  #collapse(collapsed = !this.root.hasAttribute("data-collapsed")) {
    this.root.toggleAttribute("data-collapsed", collapsed);
    need('[data-tray="collapse"]', HTMLElement, this.root).setAttribute("aria-expanded", String(!collapsed));
  }

  #close() {
    if (this.queue.items.some((item) => item.unfinished)) return this.#collapse();
    this.queue.clearFinished();
    this.#unfinished = 0;
    this.#leftOut = [];
    this.#paint();
  }

  /** @param {import("./store.js").Unfinished[]} records from an earlier page */
  showUnfinished(records) {
    this.#unfinished = records.length;
    const size = records.reduce((sum, record) => sum + record.size, 0);
    need("#tray-unfinished", HTMLElement).hidden = !records.length;
    const one = records.length === 1 ? `“${records[0].name}”` : "the same files";
    need("#tray-unfinished-text", HTMLElement).textContent =
      `${plural(records.length, "unfinished upload")} from before (${bytes(size)}). Choose ${one} again to go on; what has arrived already is not sent twice.`;
    this.#paint();
  }

  /** @param {string[]} names of files that were dropped or chosen and are not uploaded */
  showLeftOut(names) {
    this.#leftOut.push(...names);
    need("#tray-left-out", HTMLElement).textContent = leftOut(this.#leftOut);
    // Whoever had put the list away would see nothing happen.
    this.#collapse(false);
    this.#paint();
  }

  #soon() {
    this.#timer ||= window.setTimeout(() => {
      this.#timer = 0;
      this.#paint();
    }, PAINT_MS);
  }

  #paint() {
    const items = this.queue.items.filter((item) => item.state !== "canceled");
    this.root.hidden = !items.length && !this.#unfinished && !this.#leftOut.length;
    if (this.root.hidden) this.#collapse(false);
    need("#tray-left-out", HTMLElement).hidden = !this.#leftOut.length;
    this.#paintTotal(items);
    const shown = [...items].sort((a, b) => RANK[a.state] - RANK[b.state] || (a.state === "done" ? b.id - a.id : a.id - b.id)).slice(0, LINES);
    this.#paintLines(shown);
    const rest = need("#tray-rest", HTMLElement);
    rest.hidden = items.length <= shown.length;
    rest.textContent = `and ${plural(items.length - shown.length, "more file")}`;
  }

  /** @param {Item[]} items */
  #paintTotal(items) {
    const busy = items.filter((item) => item.active || item.state === "waiting");
    const paused = items.filter((item) => item.state === "paused");
    const failed = items.filter((item) => item.state === "failed");
    const done = items.filter((item) => item.state === "done" || item.state === "skipped");
    const counted = items.filter((item) => item.state !== "failed" && item.state !== "skipped");
    const total = counted.reduce((sum, item) => sum + item.size, 0);
    const sent = counted.reduce((sum, item) => sum + item.sent, 0);
    // Empty files weigh nothing but are work all the same.
    const share = total ? sent / total : done.length / Math.max(1, items.length);

    const facts = [];
    let title = "Uploads";
    if (busy.length) {
      title = `Uploading ${plural(busy.length, "file")}`;
      if (busy.some((item) => item.state === "sending")) this.#rate.sample(sent);
      facts.push(`${Math.floor(share * 100)}% of ${bytes(total)}`);
      if (this.#rate.value > 1) facts.push(`${bytes(Math.round(this.#rate.value))}/s`, duration(this.#rate.secondsFor(total - sent)));
    } else {
      this.#rate.reset();
      if (paused.length) title = `${plural(paused.length, "upload")} paused`;
      else if (failed.length) title = `${plural(failed.length, "upload")} failed`;
      else if (items.length) title = endOf(items);
      else if (this.#unfinished) title = "Unfinished uploads";
      else if (this.#leftOut.length) title = "Nothing to upload";
    }
    need("#tray-title", HTMLElement).textContent = title;
    need("#tray-facts", HTMLElement).textContent = facts.filter(Boolean).join(" · ");
    this.root.dataset.state = busy.length || paused.length ? "busy" : "done";
    showShare(need("#tray-total", HTMLElement), share);
    this.#paintPauseAll(busy.length, paused.length);
    if (this.#wasBusy && !busy.length && !paused.length) {
      announce(failed.length ? `${plural(failed.length, "upload")} failed, ${done.length} finished` : endOf(items));
    }
    this.#wasBusy = busy.length > 0;
  }

  /** @param {number} busy @param {number} paused */
  #paintPauseAll(busy, paused) {
    const button = need('[data-tray="pause-all"]', HTMLElement, this.root);
    button.hidden = !busy && !paused;
    const label = busy ? "Pause all" : "Resume all";
    button.title = label;
    button.setAttribute("aria-label", `${label} uploads`);
    setIcon(need("use", SVGElement, button), busy ? "pause" : "play");
  }

  /** @param {Item[]} shown */
  #paintLines(shown) {
    const wanted = new Set(shown.map((item) => item.id));
    for (const [id, line] of this.#lines) {
      if (wanted.has(id)) continue;
      line.remove();
      this.#lines.delete(id);
    }
    let before = this.list.firstElementChild;
    for (const item of shown) {
      let line = this.#lines.get(item.id);
      if (!line) {
        line = this.#makeLine(item);
        this.#lines.set(item.id, line);
      }
      if (line === before) before = before.nextElementSibling;
      else if (!line.contains(document.activeElement)) this.list.insertBefore(line, before);
      this.#paintLine(line, item);
    }
  }

  /** @param {Item} item @returns {HTMLElement} */
  #makeLine(item) {
    const template = need("#tray-item-template", HTMLTemplateElement);
    const fragment = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const line = need(".tray-item", HTMLElement, fragment);
    const [stem, extension] = splitName(item.name);
    const type = typeOf(item.name);
    line.dataset.id = String(item.id);
    need(".stem", HTMLElement, line).textContent = stem;
    need(".extension", HTMLElement, line).textContent = extension;
    need(".tray-item-name", HTMLElement, line).title = [item.batch.rootName, ...item.dir, item.name].join(" / ");
    need(".type", SVGElement, line).dataset.type = type;
    setIcon(need("use", SVGElement, line), `type-${type}`);
    need(".bar", HTMLElement, line).setAttribute("aria-label", item.name);
    return line;
  }

  /** @param {HTMLElement} line @param {Item} item */
  #paintLine(line, item) {
    line.dataset.state = item.state;
    showShare(need(".bar", HTMLElement, line), item.size ? item.sent / item.size : 0);
    const note = need(".tray-item-note", HTMLElement, line);
    const text = noteOf(item);
    if (note.textContent !== text) note.textContent = text;
  }
}

/** @param {string[]} names one for each file that is not uploaded @returns {string} how many and of which kinds */
export function leftOut(names) {
  const were = names.length === 1 ? "was" : "were";
  return `${plural(names.length, "file")} of the operating system ${were} left out (${[...new Set(names)].join(", ")}).`;
}

/** @param {Item[]} items all of them over, none failed @returns {string} what became of them */
function endOf(items) {
  const skipped = items.filter((item) => item.state === "skipped").length;
  if (skipped === items.length) return `${plural(skipped, "upload")} skipped`;
  const finished = `${plural(items.length - skipped, "upload")} finished`;
  return skipped ? `${finished}, ${skipped} skipped` : finished;
}

/** @param {HTMLElement} bar @param {number} share from 0 to 1 */
function showShare(bar, share) {
  bar.style.setProperty("--done", share.toFixed(4));
  bar.setAttribute("aria-valuenow", String(Math.floor(share * 100)));
}

/** @param {Item} item @returns {string} */
function noteOf(item) {
  const where = item.dir.at(-1) ?? item.batch.rootName;
  switch (item.state) {
    case "waiting":
      return `Waiting · ${bytes(item.size)}`;
    case "asking":
      return "This name is taken";
    case "paused":
      return `Paused · ${bytes(item.sent)} of ${bytes(item.size)}`;
    case "failed":
    case "retrying":
      return item.note;
    case "skipped":
      return "Skipped";
    case "done":
      return `${bytes(item.size)} · in ${where}`;
    default: {
      if (item.sent >= item.size && item.size) return "Finishing…";
      const facts = [`${bytes(item.sent)} of ${bytes(item.size)}`];
      if (item.rate.value > 1) facts.push(`${bytes(Math.round(item.rate.value))}/s`, duration(item.rate.secondsFor(item.size - item.sent)));
      return facts.join(" · ");
    }
  }
}
