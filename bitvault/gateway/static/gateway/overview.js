/** The operators' overview: asks for the figures anew every few seconds while somebody looks, and says so when none come. */

import { need } from "../js/dom.js";

const EVERY_MS = 4000;
const PATIENCE_MS = 10_000;

const overview = need("[data-overview]", HTMLElement);
const place = need("[data-figures]", HTMLElement);
const state = need(".overview-state", HTMLElement);
const button = need("[data-pause]", HTMLButtonElement);
const parser = new DOMParser();

let isPaused = false;
/** When figures last came. */
let cameAt = new Date();

/** @param {"live" | "paused" | "stale"} name */
function say(name) {
  const text = (state.dataset[name] ?? "").replace("{time}", cameAt.toLocaleTimeString(document.documentElement.lang));
  overview.classList.toggle("is-stale", name === "stale");
  // A status is read aloud when it changes: the same words are not written again.
  if (state.textContent !== text) state.textContent = text;
}

async function ask() {
  if (isPaused || document.hidden) return;
  try {
    const answer = await fetch(overview.dataset.overview ?? "", { signal: AbortSignal.timeout(PATIENCE_MS), redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = parser.parseFromString(await answer.text(), "text/html").body;
    if (isPaused) return;
    // What has the focus stays: a keyboard is somewhere in here.
    const focused = place.contains(document.activeElement) ? /** @type {HTMLAnchorElement} */ (document.activeElement).getAttribute("href") : null;
    place.replaceChildren(...fresh.childNodes);
    if (focused !== null) [...place.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
    cameAt = new Date();
    say("live");
  } catch {
    say("stale");
  }
}

/** One question after the other: a slow answer is not overtaken. */
async function goOn() {
  await ask();
  setTimeout(goOn, EVERY_MS);
}

button.addEventListener("click", () => {
  isPaused = !isPaused;
  button.setAttribute("aria-pressed", String(isPaused));
  say(isPaused ? "paused" : "live");
  if (!isPaused) void ask();
});
document.addEventListener("visibilitychange", () => void ask());
setTimeout(goOn, 1500);
