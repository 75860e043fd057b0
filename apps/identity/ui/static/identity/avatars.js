/**
 * Pictures of people wherever their initials stand: on elements `.avatar[data-person]`, which modules fill with initials. One question
 * asks for all that a page has; what is known of somebody is kept for some minutes in this tab. Whoever has no picture keeps the initials.
 */

import { get } from "../js/api.js";
import { make } from "../js/dom.js";

const KEPT_MS = 5 * 60_000;
const AT_ONCE = 100;
const KEY = "bitvault:pictures";

/** @typedef {{url: string, at: number}} Known `url` is empty for who has no picture */

/** @returns {Record<string, Known>} */
function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** @type {Record<string, Known>} */
const known = read();
let asked = 0;

/** @param {string} person @param {string} url */
function remember(person, url) {
  known[person] = { url, at: Date.now() };
}

function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(known));
  } catch {
    // No room, or none allowed: then the next page asks again.
  }
}

/** @param {HTMLElement} avatar */
function show(avatar) {
  const url = known[avatar.dataset.person ?? ""]?.url;
  const present = avatar.querySelector("img");
  if (!url) {
    if (present) avatar.replaceChildren(avatar.dataset.initials ?? "");
    return;
  }
  const address = `${url}?size=${avatar.dataset.pictureSize ?? "small"}`;
  if (present?.getAttribute("src") === address) return;
  avatar.dataset.initials ??= avatar.textContent?.trim() ?? "";
  const image = make("img", { src: address, alt: "", decoding: "async" });
  image.addEventListener("error", () => avatar.replaceChildren(avatar.dataset.initials ?? ""));
  avatar.replaceChildren(image);
}

/** @returns {HTMLElement[]} */
const listAvatars = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll('.avatar[data-person]:not([data-person=""])')]);

async function fill() {
  asked = 0;
  const fresh = Date.now() - KEPT_MS;
  const avatars = listAvatars();
  avatars.forEach(show);
  const wanted = [...new Set(avatars.map((avatar) => avatar.dataset.person ?? ""))].filter((person) => !(known[person]?.at > fresh));
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const ids = wanted.slice(at, at + AT_ONCE);
    // Asked for by this very question: a second change of the page does not ask again.
    for (const person of ids) remember(person, known[person]?.url ?? "");
    let items;
    try {
      ({ items } = await get(`/pictures?user_ids=${ids.join(",")}`));
    } catch {
      for (const person of ids) delete known[person];
      return;
    }
    for (const person of ids) remember(person, "");
    for (const item of items) remember(item.user_id, item.url);
  }
  if (wanted.length) {
    keep();
    listAvatars().forEach(show);
  }
}

function fillSoon() {
  if (!asked) asked = requestAnimationFrame(() => void fill());
}

/** @param {string} person @param {string} url empty: the picture was removed */
export function setPicture(person, url) {
  remember(person, url);
  keep();
  listAvatars().forEach(show);
}

new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      if (node instanceof HTMLElement && (node.matches(".avatar[data-person]") || node.querySelector(".avatar[data-person]"))) return fillSoon();
    }
  }
}).observe(document.body, { childList: true, subtree: true });
fillSoon();
