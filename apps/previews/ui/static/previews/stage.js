/** What the viewer shows of one file: a picture, pages, text, sound or film, or why there is nothing to see. */

import { explain, get, Problem } from "../js/api.js";
import { icon, make } from "../js/dom.js";
import { counted, fill, gettext, locale } from "../js/i18n.js";
import { isNative, mayMove } from "./kinds.js";

/** @typedef {import("./kinds.js").Kind} Kind */
/** @typedef {{id: string, name: string, kind: Kind, type: string, size: number}} File */
/** @typedef {{node_id: string, state: string, url: string | null, reason: string | null, page_count: number | null}} Preview */

/** How long something that is being made is waited for. */
const PATIENCE_MS = 45_000;
/** Files larger than this are not fetched whole only to be looked at closely. */
const WHOLE_LIMIT_BYTES = 40 * 1024 * 1024;
/** How much of a text the server shows. */
export const TEXT_LIMIT_BYTES = 512 * 1024;
const PAGES_LIMIT = 500;

const contentOf = (/** @type {File} */ file) => `/api/v1/nodes/${file.id}/content`;
const wait = (/** @type {number} */ ms, /** @type {AbortSignal} */ signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve(undefined)), { once: true });
  });

/** Why there is nothing to see. */
class Nothing extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(sayWhy(reason));
  }
}

/** @param {string} reason @returns {string} */
function sayWhy(reason) {
  const words = /** @type {Record<string, string>} */ ({
    type: gettext("There is no preview of files of this type."),
    too_large: gettext("This file is too large for a preview."),
    infected: gettext("Malware was found in this file. Nobody can open it."),
    too_complex: gettext("This file would take too much memory or time to show."),
    damaged: gettext("This file cannot be read. It may be damaged, or of another type than its name says."),
    encrypted: gettext("This document is protected by a password."),
    gone: gettext("This file is not there any more."),
  });
  return words[reason] ?? gettext("No preview could be made of this file.");
}

/**
 * Ask for the picture of a file, or of a page of it, until it is there.
 *
 * @param {string} id @param {string} size @param {AbortSignal} signal @param {number} [page]
 * @returns {Promise<Preview & {url: string}>}
 */
async function find(id, size, signal, page = 1) {
  const end = Date.now() + PATIENCE_MS;
  for (let pause = 200; Date.now() < end && !signal.aborted; pause = Math.min(pause * 1.6, 2000)) {
    const { items } = await get(`/previews?node_ids=${id}&size=${size}&page=${page}`, { signal });
    const preview = /** @type {Preview | undefined} */ (items[0]);
    if (!preview) throw new Nothing("gone");
    if (preview.state === "none") throw new Nothing(preview.reason ?? "");
    if (preview.url) return /** @type {Preview & {url: string}} */ (preview);
    await wait(pause, signal);
  }
  throw new Nothing("failed");
}

/** @returns {string} the size that fills this window */
const sizeHere = () => (Math.max(innerWidth, innerHeight) * Math.min(devicePixelRatio, 2) > 1100 ? "large" : "medium");

/** Have the pictures of neighbours at hand. @param {File[]} files */
export async function prepare(files) {
  const ids = files.filter((file) => file.kind === "picture").map((file) => file.id);
  if (!ids.length) return;
  const { items } = await get(`/previews?node_ids=${ids.join(",")}&size=${sizeHere()}`).catch(() => ({ items: [] }));
  for (const item of items) if (item.url) new Image().src = item.url;
}

/** @param {HTMLImageElement} image @param {string} url @returns {Promise<void>} */
const load = (image, url) =>
  new Promise((resolve, reject) => {
    image.onload = () => resolve();
    image.onerror = () => reject(new Nothing("failed"));
    image.src = url;
  });

/** @param {File} file @param {AbortSignal} signal @returns {Promise<HTMLElement>} */
async function picture(file, signal) {
  const image = make("img", { class: "viewer-picture", alt: file.name, draggable: "false" });
  const { url } = await find(file.id, sizeHere(), signal);
  await load(image, url);
  if (mayMove(file.name)) void showWhole(image, file);
  return image;
}

/** Let a picture be its file, where a browser can show that and the reader may have it. @param {HTMLImageElement} image @param {File} file */
export async function showWhole(image, file) {
  if (image.dataset.whole !== undefined || !isNative(file.name) || file.size > WHOLE_LIMIT_BYTES) return;
  image.dataset.whole = "";
  const whole = new Image();
  await load(whole, contentOf(file)).then(() => (image.src = whole.src), () => undefined);
}

/** @param {File} file @param {AbortSignal} signal @returns {Promise<HTMLElement>} */
async function pages(file, signal) {
  const first = await find(file.id, "large", signal);
  const count = Math.min(first.page_count ?? 1, PAGES_LIMIT);
  const list = make("div", { class: "viewer-pages" });
  const watch = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => void fillPage(/** @type {HTMLElement} */ (entry.target))), { rootMargin: "600px" });
  signal.addEventListener("abort", () => watch.disconnect(), { once: true });

  /** @param {HTMLElement} page */
  async function fillPage(page) {
    watch.unobserve(page);
    const number = Number(page.dataset.page);
    const image = make("img", { alt: fill(gettext("Page %(page)s of %(count)s"), { page: number, count }), draggable: "false" });
    try {
      await load(image, number === 1 ? first.url : (await find(file.id, "large", signal, number)).url);
      if (number === 1) for (const other of list.children) /** @type {HTMLElement} */ (other).style.aspectRatio = `${image.naturalWidth} / ${image.naturalHeight}`;
      page.style.aspectRatio = "auto";
      page.replaceChildren(image);
    } catch (error) {
      if (!signal.aborted) page.textContent = error instanceof Nothing ? error.message : explain(error);
    }
  }
  for (let number = 1; number <= count; number += 1) list.append(make("div", { class: "viewer-page", "data-page": String(number) }, String(number)));
  if ((first.page_count ?? 1) > count) list.append(note(file, counted("Only the first page is shown.", "Only the first %(count)s pages are shown.", count)));
  await fillPage(/** @type {HTMLElement} */ (list.firstElementChild));
  for (const page of [...list.children].slice(1)) if (page instanceof HTMLElement && page.dataset.page) watch.observe(page);
  return list;
}

/** @param {File} file @param {AbortSignal} signal @returns {Promise<HTMLElement>} */
async function text(file, signal) {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end && !signal.aborted) {
    const answer = await fetch(`/api/v1/nodes/${file.id}/text`, { signal, headers: { "Accept-Language": locale } });
    if (answer.status === 202) {
      await wait(400, signal);
      continue;
    }
    if (!answer.ok) {
      const body = await answer.json().catch(() => ({}));
      throw body.reason ? new Nothing(body.reason) : new Problem(body, answer.status);
    }
    const shown = make("pre", { class: "viewer-text" });
    if (file.size > TEXT_LIMIT_BYTES) shown.append(make("small", { class: "viewer-cut" }, gettext("This is the beginning of a long file. Download it to see the rest.")));
    // Text is text, whatever it says.
    shown.append(await answer.text());
    return shown;
  }
  throw new Nothing("failed");
}

/** @param {File} file @param {AbortSignal} signal @returns {HTMLElement} */
function media(file, signal) {
  const player = make(file.kind === "audio" ? "audio" : "video", { class: "viewer-media", controls: "", preload: "metadata", playsinline: "" });
  player.setAttribute("aria-label", file.name);
  let renewed = 0;
  player.addEventListener("error", () => {
    // The address of the bytes ends after some minutes: take a fresh one and go on from here.
    if (signal.aborted) return;
    if (player.currentTime > 0 && Date.now() - renewed > 10_000) {
      const [at, plays] = [player.currentTime, !player.paused];
      renewed = Date.now();
      player.src = `${contentOf(file)}#t=${at}`;
      if (plays) void player.play().catch(() => undefined);
    } else if (player.isConnected) player.replaceWith(note(file, gettext("This browser cannot play this file.")));
  });
  signal.addEventListener("abort", () => (player.pause(), player.removeAttribute("src"), player.load()), { once: true });
  player.src = contentOf(file);
  return player;
}

/** @param {File} file @param {string} words @returns {HTMLElement} why there is nothing to see, and what can be done instead */
export function note(file, words) {
  const symbol = icon(`type-${file.type}`, "type");
  symbol.dataset.type = file.type;
  return make("div", { class: "viewer-note" }, symbol, make("p", {}, words), make("button", { class: "button button-primary", type: "button", "data-viewer": "download" }, gettext("Download")));
}

/**
 * Make what shows a file.
 *
 * @param {File} file @param {AbortSignal} signal
 * @returns {Promise<HTMLElement>}
 */
export async function present(file, signal) {
  try {
    if (file.kind === "picture") return await picture(file, signal);
    if (file.kind === "document") return await pages(file, signal);
    if (file.kind === "text") return await text(file, signal);
    return media(file, signal);
  } catch (error) {
    // Whoever leaves a file while it comes has not seen it fail.
    return note(file, signal.aborted ? "" : error instanceof Nothing ? error.message : explain(error));
  }
}
