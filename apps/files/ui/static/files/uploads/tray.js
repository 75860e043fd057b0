/** Shows the queue: one line for all, one for each file; buttons to pause, go on, try again, cancel. */

import { askName } from "../../js/dialogs.js";
import { announce, closest, need, setIcon } from "../../js/dom.js";
import { briefBytes as bytes, duration } from "../../js/format.js";
import { toast } from "../../js/toast.js";
import { fitName, splitName, typeOf } from "../types.js";
import { Rate } from "./rate.js";
import { counted, fill, gettext, locale } from "../../js/i18n.js";

/** @typedef {import("./queue.js").Item} Item */

/** Painted this often: fast enough to look alive, slow enough for a thousand files. */
const PAINT_MS = 200;
/** While something is on its way, speeds are looked at this often, also when no byte moves. */
const PULSE_MS = 1000;
/** Lines shown; the rest is a sentence. */
const LINES = 60;

/** @type {Record<string, number>} what needs a person comes first, what is over last */
const RANK = { asking: 0, failed: 1, retrying: 2, sending: 2, paused: 3, waiting: 4, skipped: 5, done: 6, canceled: 9 };

export class Tray {
  #rate = new Rate();
  #timer = 0;
  #pulse = 0;
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
    if (act === "rename") void this.#rename(item);
    if (act === "cancel") this.#cancel(item);
  }

  /** @param {Item} item whose name the server refused */
  async #rename(item) {
    const name = await askName({
      title: gettext("Upload under another name"),
      label: gettext("Name"),
      value: fitName(item.name),
      accept: gettext("Upload"),
      submit: async (wanted) => wanted.trim(),
    });
    if (name) this.queue.rename(item, name);
  }

  /** @param {Item} item */
  #cancel(item) {
    const failed = item.state === "failed";
    const { takeBack, settle } = this.queue.cancel(item);
    // Whoever leaves cannot take it back any more.
    addEventListener("pagehide", settle, { once: true });
    const onGone = () => {
      removeEventListener("pagehide", settle);
      settle();
    };
    toast(failed ? fill(gettext("“%(name)s” removed from the list."), { name: item.name }) : fill(gettext("Upload of “%(name)s” canceled."), { name: item.name }), { action: gettext("Undo"), undo: true, run: takeBack, onGone });
  }

  /** @param {boolean} [collapsed] turned round when it is not said */
  #collapse(collapsed = !this.root.hasAttribute("data-collapsed")) {
    this.root.toggleAttribute("data-collapsed", collapsed);
    need('[data-tray="collapse"]', HTMLElement, this.root).setAttribute("aria-expanded", String(!collapsed));
  }

  #close() {
    if (this.queue.items.some((item) => item.unfinished)) {
      this.#collapse(true);
      return announce(gettext("The list of uploads is hidden. Uploads continue."));
    }
    const failed = this.queue.items.filter((item) => item.state === "failed").length;
    const bringBack = this.queue.clearFinished();
    if (failed) toast(fill(gettext("%(items)s removed from the list."), { items: counted("%(count)s failed upload", "%(count)s failed uploads", failed) }), { action: gettext("Undo"), undo: true, run: bringBack });
    this.#unfinished = 0;
    this.#leftOut = [];
    this.#paint();
  }

  /** @param {import("./store.js").Unfinished[]} records from an earlier page */
  showUnfinished(records) {
    this.#unfinished = records.length;
    const size = records.reduce((sum, record) => sum + record.size, 0);
    need("#tray-unfinished", HTMLElement).hidden = !records.length;
    const one = records.length === 1 ? `“${records[0].name}”` : gettext("the same files");
    need("#tray-unfinished-text", HTMLElement).textContent =
      fill(gettext("%(items)s from before (%(size)s). Choose %(one)s again to continue; what has arrived already is not sent twice."), { items: counted("%(count)s unfinished upload", "%(count)s unfinished uploads", records.length), size: bytes(size), one });
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
    rest.textContent = fill(gettext("and %(items)s"), { items: counted("%(count)s more file", "%(count)s more files", items.length - shown.length) });
  }

  /** @param {Item[]} items */
  #paintTotal(items) {
    const busy = items.filter((item) => item.active || item.state === "waiting");
    const sending = items.filter((item) => item.state === "sending");
    this.#keepPulse(busy.length > 0);
    const paused = items.filter((item) => item.state === "paused");
    const failed = items.filter((item) => item.state === "failed");
    const done = items.filter((item) => item.state === "done" || item.state === "skipped");
    const weighed = items.filter((item) => item.state !== "failed" && item.state !== "skipped");
    const total = weighed.reduce((sum, item) => sum + item.size, 0);
    const sent = weighed.reduce((sum, item) => sum + item.sent, 0);
    // Empty files weigh nothing but are work all the same.
    const share = total ? sent / total : done.length / Math.max(1, items.length);

    const facts = [];
    let title = gettext("Uploads");
    if (busy.length) {
      title = fill(gettext("Uploading %(items)s"), { items: counted("%(count)s file", "%(count)s files", busy.length) });
      if (sending.length) this.#rate.sample(items.reduce((sum, item) => sum + item.moved, 0));
      else this.#rate.reset();
      for (const item of sending) item.rate.sample(item.moved);
      facts.push(`${Math.floor(share * 100)}% of ${bytes(total)}`);
      if (this.#rate.value > 1) facts.push(`${bytes(Math.round(this.#rate.value))}/s`, duration(this.#rate.secondsFor(total - sent)));
    } else {
      this.#rate.reset();
      if (paused.length) title = fill(gettext("%(items)s paused"), { items: counted("%(count)s upload", "%(count)s uploads", paused.length) });
      else if (items.length) title = endOf(items);
      else if (this.#unfinished) title = gettext("Unfinished uploads");
      else if (this.#leftOut.length) title = gettext("Nothing to upload");
    }
    need("#tray-title", HTMLElement).textContent = title;
    need("#tray-facts", HTMLElement).textContent = facts.filter(Boolean).join(" · ");
    this.root.dataset.state = busy.length || paused.length ? "busy" : "done";
    showShare(need("#tray-total", HTMLElement), share);
    this.#paintPauseAll(busy.length, paused.length);
    if (this.#wasBusy && !busy.length && !paused.length) {
      announce(endOf(items));
    }
    this.#wasBusy = busy.length > 0;
  }

  /** @param {boolean} on */
  #keepPulse(on) {
    if (on === Boolean(this.#pulse)) return;
    clearInterval(this.#pulse);
    this.#pulse = on ? window.setInterval(() => this.#soon(), PULSE_MS) : 0;
  }

  /** @param {number} busy @param {number} paused */
  #paintPauseAll(busy, paused) {
    const button = need('[data-tray="pause-all"]', HTMLElement, this.root);
    button.hidden = !busy && !paused;
    const label = busy ? gettext("Pause all") : gettext("Resume all");
    button.title = label;
    button.setAttribute("aria-label", busy ? gettext("Pause all uploads") : gettext("Resume all uploads"));
    setIcon(need("use", SVGElement, button), busy ? "pause" : "play");
    const close = need('[data-tray="close"]', HTMLElement, this.root);
    const closing = busy || paused ? gettext("Hide the list; uploads continue") : gettext("Close and clear the list");
    close.title = closing;
    close.setAttribute("aria-label", closing);
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
    const type = typeOf(item.name);
    line.dataset.id = String(item.id);
    line.dataset.file = item.file.name;
    need(".type", SVGElement, line).dataset.type = type;
    setIcon(need("use", SVGElement, line), `type-${type}`);
    return line;
  }

  /** @param {HTMLElement} line @param {Item} item */
  #paintLine(line, item) {
    line.dataset.state = item.state;
    line.toggleAttribute("data-bad-name", item.badName);
    if (line.dataset.name !== item.name) {
      // The server may have given it another name than it was chosen with.
      line.dataset.name = item.name;
      need(".tray-item-name", HTMLElement, line).title = [item.batch.rootName, ...item.dir, item.name].join(" / ");
      need(".bar", HTMLElement, line).setAttribute("aria-label", item.name);
      const [stem, extension] = splitName(item.name);
      need(".stem", HTMLElement, line).textContent = stem;
      need(".extension", HTMLElement, line).textContent = extension;
    }
    showShare(need(".bar", HTMLElement, line), item.size ? item.sent / item.size : 0);
    const note = need(".tray-item-note", HTMLElement, line);
    const text = noteOf(item);
    if (note.textContent !== text) note.textContent = text;
  }
}

/** @param {string[]} names one for each file that is not uploaded @returns {string} how many and of which kinds */
export function leftOut(names) {
  return counted("%(count)s file of the operating system was left out (%(names)s).", "%(count)s files of the operating system were left out (%(names)s).", names.length, { names: [...new Set(names)].join(", ") });
}

/** @param {Item[]} items all of them over @returns {string} what became of them */
function endOf(items) {
  const count = (/** @type {string} */ state) => items.filter((item) => item.state === state).length;
  const [done, failed, skipped] = [count("done"), count("failed"), count("skipped")];
  const facts = [];
  if (done) facts.push(failed ? fill(gettext("%(count)s uploaded"), { count: done.toLocaleString(locale) }) : fill(gettext("%(items)s finished"), { items: counted("%(count)s upload", "%(count)s uploads", done) }));
  if (failed) facts.push(done ? fill(gettext("%(count)s failed"), { count: failed.toLocaleString(locale) }) : fill(gettext("%(items)s failed"), { items: counted("%(count)s upload", "%(count)s uploads", failed) }));
  if (skipped) facts.push(facts.length ? fill(gettext("%(count)s skipped"), { count: skipped.toLocaleString(locale) }) : fill(gettext("%(items)s skipped"), { items: counted("%(count)s upload", "%(count)s uploads", skipped) }));
  return facts.join(", ");
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
      return fill(gettext("Waiting · %(bytes)s"), { bytes: bytes(item.size) });
    case "asking":
      return gettext("This name is taken");
    case "paused":
      return fill(gettext("Paused · %(sent)s of %(size)s"), { sent: bytes(item.sent), size: bytes(item.size) });
    case "failed":
    case "retrying":
      return item.note;
    case "skipped":
      return gettext("Skipped");
    case "done":
      if (item.identical) return fill(gettext("Already here · in %(where)s"), { where });
      if (item.size && !item.moved) return fill(gettext("%(size)s of %(size)s already stored · in %(where)s"), { size: bytes(item.size), where });
      return `${bytes(item.size)} · in ${where}${item.changed ? " · had changed, sent anew" : ""}`;
    default: {
      const facts = item.changed ? [gettext("The file has changed; starting over")] : [];
      if (item.sent >= item.size && item.size) return [...facts, gettext("Finishing…")].join(" · ");
      facts.push(`${bytes(item.sent)} of ${bytes(item.size)}`);
      if (item.rate.value > 1) facts.push(`${bytes(Math.round(item.rate.value))}/s`, duration(item.rate.secondsFor(item.size - item.sent)));
      return facts.join(" · ");
    }
  }
}
