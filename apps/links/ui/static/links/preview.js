/** The picture or the pages of a file that a link only shows: fetched when they come into sight, each marked for whoever looks at it. */

import { make, need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";

/** How long something that is being made is waited for. */
const PATIENCE_MS = 60_000;
const PAGES_LIMIT = 500;

const box = need(".link-preview", HTMLElement);
const status = need('[data-role="status"]', HTMLElement, box);
const name = box.dataset.name ?? "";

const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {{code?: string, reason?: string}} told @param {number} code @returns {string} */
function sayWhy(told, code) {
  if (code === 410 || code === 404) return gettext("This file is not there any more, or the link has ended.");
  if (told.reason === "infected") return gettext("Malware was found in this file. Nobody can open it.");
  if (told.reason === "encrypted") return gettext("This document is protected by a password.");
  if (told.reason === "damaged") return gettext("This file cannot be read. It may be damaged, or of another type than its name says.");
  if (told.reason === "too_large" || told.reason === "too_complex") return gettext("This file is too large for a preview.");
  return gettext("No preview could be made of this file.");
}

/** @param {Blob} blob @returns {Promise<string>} as an address that holds it all: the page asks for each picture once */
const read = (blob) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });

/** Ask for a page until it is there. @param {number} page @returns {Promise<{url: string, count: number}>} */
async function find(page) {
  const end = Date.now() + PATIENCE_MS;
  for (let pause = 400; Date.now() < end; pause = Math.min(pause * 1.5, 3000)) {
    let answer;
    try {
      answer = await fetch(`${box.dataset.preview}?page=${page}`, { credentials: "same-origin" });
    } catch {
      await wait(pause);
      continue;
    }
    if (answer.status === 200) return { url: await read(await answer.blob()), count: Number(answer.headers.get("BitVault-Page-Count") ?? 1) };
    // Being made, or too many at this moment: both say when to ask again.
    if (answer.status !== 202 && answer.status !== 503 && answer.status !== 429) throw new Error(sayWhy(await answer.json().catch(() => ({})), answer.status));
    await wait(Math.max(pause, 1000 * Number(answer.headers.get("Retry-After") ?? 0)));
  }
  throw new Error(gettext("The preview takes longer than usual. Load this page again in a moment."));
}

/** @param {HTMLElement} place @param {number} page @param {number} count @param {string} url */
function show(place, page, count, url) {
  const alt = count > 1 ? fill(gettext("%(name)s, page %(page)s of %(count)s"), { name, page, count }) : name;
  place.replaceChildren(make("img", { src: url, alt, draggable: "false" }));
}

/** @param {number} count */
function showRest(count) {
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting || !(target instanceof HTMLElement)) continue;
        watch.unobserve(target);
        const page = Number(target.dataset.page);
        find(page).then(
          ({ url }) => show(target, page, count, url),
          (error) => target.replaceChildren(make("p", { class: "card-note" }, error.message)),
        );
      }
    },
    { rootMargin: "400px" },
  );
  for (let page = 2; page <= Math.min(count, PAGES_LIMIT); page += 1) {
    const place = make("div", { class: "link-page", "data-page": String(page) });
    box.append(place);
    watch.observe(place);
  }
}

async function begin() {
  status.textContent = gettext("The preview is being made.");
  try {
    const { url, count } = await find(1);
    const place = make("div", { class: "link-page" });
    box.append(place);
    show(place, 1, count, url);
    status.hidden = true;
    if (count > 1) showRest(count);
  } catch (error) {
    status.textContent = error instanceof Error ? error.message : String(error);
  }
  box.removeAttribute("aria-busy");
}

void begin();
