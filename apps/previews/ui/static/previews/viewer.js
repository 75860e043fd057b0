/** The viewer: opens over the list on a click or Enter, goes to the next file and the one before, and gives the focus back to the row. */

import { closest, make, need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { kindOf, typeOf } from "./kinds.js";
import { prepare, present, showWhole } from "./stage.js";

/** @typedef {import("./stage.js").File} File */

/** How far a finger goes that means another file. */
const SWIPE_PX = 60;
/** After which time a wait is told. */
const SLOW_MS = 350;
const ZOOM_STEP = 1.5;
const ZOOM_LIMIT = 8;

/** @type {File | null} */
let file = null;
let leaving = new AbortController();
let zoom = 1;
let turns = 0;

const dialog = () => need("#viewer", HTMLDialogElement);
const stage = () => need("#viewer-stage", HTMLElement);
/** Rows of a folder, and lines of any list that say they can be viewed; what opens them there is marked. */
const ROWS = '[data-page="folder"] #rows > .row[data-kind="file"], #main [data-viewable]';
const OPENERS = '[data-page="folder"] #rows > .row[data-kind="file"] a.name, #main [data-viewable] [data-view]';
const rows = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll(ROWS)]);
const rowOf = (/** @type {File | null} */ one) => rows().find((row) => row.dataset.id === one?.id);
const shownPicture = () => stage().querySelector("img.viewer-picture");

/** @param {HTMLElement} row @returns {File} */
function fileOf(row) {
  const { id = "", name = "", size = "0" } = row.dataset;
  return { id, name, kind: kindOf(row), type: typeOf(row), size: Number(size) };
}

/** @param {number} step @returns {HTMLElement | undefined} */
function neighbour(step) {
  const all = rows();
  const at = all.findIndex((row) => row.dataset.id === file?.id);
  return at < 0 ? undefined : all[at + step];
}

function showNeighbours() {
  const [previous, next] = [neighbour(-1), neighbour(1)];
  for (const [name, row] of Object.entries({ previous, next })) need(`.viewer-${name}`, HTMLElement, dialog()).hidden = !row;
  void prepare([next, previous].filter((row) => row !== undefined).map(fileOf));
}

/** @param {HTMLElement} row */
async function show(row) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const shown = fileOf(row);
  file = shown;
  [zoom, turns] = [1, 0];
  // Rows near it come into the page, so that there is a next one.
  row.scrollIntoView({ block: "nearest" });
  need("#viewer-name", HTMLElement).textContent = shown.name;
  const files = rows();
  const count = fill(gettext("%(at)s of %(count)s"), { at: files.indexOf(row) + 1, count: files.length });
  need("#viewer-count", HTMLElement).textContent = files.length > 1 ? count : "";
  need("#viewer-zoom", HTMLElement).hidden = shown.kind !== "picture";
  need("#viewer-says", HTMLElement).textContent = `${shown.name}, ${count}`;
  stage().replaceChildren();
  stage().scrollTo(0, 0);
  dialog().dataset.state = "waiting";
  const slow = setTimeout(() => stage().replaceChildren(make("div", { class: "viewer-note" }, make("p", {}, gettext("Preparing the preview…")))), SLOW_MS);
  const content = await present(shown, signal);
  clearTimeout(slow);
  if (signal.aborted) return;
  stage().replaceChildren(content);
  need("#viewer-zoom", HTMLElement).hidden = !shownPicture();
  dialog().dataset.state = "shown";
  showNeighbours();
}

/** @param {HTMLElement} row */
function open(row) {
  const frame = dialog();
  if (!frame.open) frame.showModal();
  stage().focus();
  void show(row);
}

/** Once the dialog has gone, the focus belongs to the row of the file that was shown last; the browser has given it to the first one's. */
function leave() {
  if (!file) return;
  leaving.abort();
  const row = rowOf(file);
  file = null;
  stage().replaceChildren();
  dialog().dataset.state = "empty";
  const opener = row?.querySelector("[data-view]");
  if (opener instanceof HTMLElement) opener.focus();
  else row?.focus();
}

/** At once, so that a quick key after it means that row. */
function close() {
  dialog().close();
  leave();
}

/** Show the picture as large and as turned as it is to be. */
function lay() {
  const image = shownPicture();
  if (!(image instanceof HTMLImageElement) || !file) return;
  const box = stage();
  const sideways = turns % 2 === 1;
  image.toggleAttribute("data-zoomed", zoom > 1);
  image.style.transform = turns ? `rotate(${turns * 90}deg)${sideways && zoom <= 1 ? ` scale(${Math.min(1, box.clientHeight / image.clientWidth, box.clientWidth / image.clientHeight)})` : ""}` : "";
  const fit = Math.min(box.clientWidth / image.naturalWidth, box.clientHeight / image.naturalHeight, 1);
  image.style.inlineSize = zoom > 1 ? `${image.naturalWidth * fit * zoom}px` : "";
  if (zoom > 1) {
    void showWhole(image, file);
    box.scrollTo((box.scrollWidth - box.clientWidth) / 2, (box.scrollHeight - box.clientHeight) / 2);
  }
}

/** @param {number} factor */
function zoomBy(factor) {
  zoom = Math.min(ZOOM_LIMIT, Math.max(1, zoom * factor));
  lay();
}

/** @param {number} step */
function go(step) {
  const row = neighbour(step);
  if (row) void show(row);
}

function download() {
  if (!file) return;
  const link = make("a", { href: `/api/v1/nodes/${file.id}/content`, download: "", "hx-boost": "false" });
  dialog().append(link);
  link.click();
  link.remove();
}

/** @type {Record<string, () => void>} */
const COMMANDS = {
  close,
  previous: () => go(-1),
  next: () => go(1),
  in: () => zoomBy(ZOOM_STEP),
  out: () => zoomBy(1 / ZOOM_STEP),
  turn: () => {
    turns = (turns + 3) % 4;
    lay();
  },
  download,
};

/** @param {KeyboardEvent} event */
function onKey(event) {
  const inPlayer = event.target instanceof HTMLMediaElement;
  const keys = /** @type {Record<string, string>} */ ({ ArrowLeft: "previous", ArrowRight: "next", Escape: "close", "+": "in", "=": "in", "-": "out", r: "turn" });
  const command = keys[event.key];
  if (!command || inPlayer || event.ctrlKey || event.metaKey || event.altKey) return;
  const sideways = event.key.startsWith("Arrow") && zoom > 1;
  if (sideways) return;
  COMMANDS[command]();
  event.preventDefault();
}

/** Let a finger turn pages: sideways, and only where nothing is zoomed. @param {HTMLElement} where */
function startSwipes(where) {
  /** @type {Touch | null} */
  let from = null;
  where.addEventListener("touchstart", (event) => (from = event.touches.length === 1 ? event.touches[0] : null), { passive: true });
  where.addEventListener("touchend", (event) => {
    const to = event.changedTouches[0];
    if (!from || !to || zoom > 1 || event.touches.length) return;
    const [x, y] = [to.clientX - from.clientX, to.clientY - from.clientY];
    from = null;
    if (Math.abs(x) > SWIPE_PX && Math.abs(x) > 2 * Math.abs(y)) go(x < 0 ? 1 : -1);
  });
}

// Before the link itself is followed, and before the list hears of it.
document.addEventListener(
  "click",
  (event) => {
    const row = closest(closest(event.target, OPENERS), ROWS);
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    open(row);
  },
  { capture: true },
);
document.addEventListener("bitvault:command", (event) => {
  const { command, entries } = /** @type {CustomEvent} */ (event).detail;
  if (command === "preview" && entries.length === 1 && entries[0].row) open(entries[0].row);
});

const frame = dialog();
frame.addEventListener("click", (event) => {
  const command = closest(event.target, "[data-viewer]")?.dataset.viewer;
  if (command) COMMANDS[command]?.();
});
frame.addEventListener("keydown", onKey);
frame.addEventListener("close", leave);
frame.addEventListener("dblclick", (event) => {
  if (event.target === shownPicture()) {
    zoom = zoom > 1 ? 1 : 2.5;
    lay();
  }
});
startSwipes(stage());
