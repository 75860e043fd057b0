/**
 * Keeps the list true while others change it: a socket says that something has changed, and the rows that did are shown as they are now.
 *
 * The socket carries a number and nothing else; what changed is read by REST, with the rights of the moment. A word that is lost costs
 * nothing: the next one leads to the same reading.
 */

import { get, Problem } from "../js/api.js";
import { isPassing, waitFor } from "../js/backoff.js";
import { toast } from "../js/toast.js";
import { trust } from "./list/blocks.js";
import { runs } from "./list/gaps.js";
import { place, placeNode, refreshRow, removeRow, rowOf } from "./list/rows.js";
import { cursorOf, readPage, source } from "./list/source.js";
import { setBytes } from "./list/totals.js";
import { fill, gettext } from "../js/i18n.js";

/** @typedef {import("../js/api.js").Node} Node */

/** Rows that are read beyond those that the page shows, for what has come between them. */
const MORE = 100;
/** Rows that may have gone and are asked for one by one. */
const DOUBTS = 20;
/** Changes that come close together are shown together. */
const SETTLE_MS = 150;
/** Between two readings, with as much again by chance: a change in a large team must not bring everybody in the same moment. */
const REST_MS = 700;
const LONGEST_WAIT_MS = 60_000;
const NOTHING = { items: [], next_cursor: null };

const ENDED = 4401;
const FORBIDDEN = 4403;
const TOO_MANY = 4429;

/** @type {WebSocket | null} */
let socket = null;
let tries = 0;
let head = -1;
let reading = false;
let due = false;
/** Readings in a row that failed for a passing reason. */
let failures = 0;
let settling = 0;

/** @param {string} name @returns {string} */
const meta = (name) => document.querySelector(`meta[name="bitvault-${name}"]`)?.getAttribute("content") ?? "";

/** @returns {string} */
function address() {
  const own = `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}`;
  return `${meta("sockets") || own}/ws/v1/sync`;
}

function connect() {
  if (socket || !navigator.onLine) return;
  socket = new WebSocket(address());
  socket.addEventListener("message", (event) => {
    tries = 0;
    hear(String(event.data));
  });
  socket.addEventListener("close", (event) => {
    socket = null;
    if (event.code === FORBIDDEN) return;
    // Whether the session has ended is REST's to say; if so, the page asks to sign in.
    if (event.code === ENDED) void get("/me").then(() => comeBack(), () => {});
    else comeBack(event.code === TOO_MANY ? LONGEST_WAIT_MS : 0);
  });
}

/** Try again after a while that grows, and is left to chance so that not all come back at once. @param {number} [leastMs] */
function comeBack(leastMs = 0) {
  const longest = Math.min(1000 * 2 ** tries, LONGEST_WAIT_MS);
  tries += 1;
  setTimeout(connect, Math.max(leastMs, 250 + Math.random() * longest));
}

/** @param {string} text */
function hear(text) {
  const told = JSON.parse(text);
  if (told.type !== "head" || told.seq <= head) return;
  head = told.seq;
  if (!settling) settling = setTimeout(settle, SETTLE_MS);
}

function settle() {
  settling = 0;
  due = true;
  document.dispatchEvent(new CustomEvent("bitvault:head"));
  void refresh();
}

/** Show what has changed, once at a time, and not while nobody looks or something hangs on the rows. */
async function refresh() {
  if (reading || !due || document.hidden) return;
  reading = true;
  due = false;
  let restMs = REST_MS * (1 + Math.random());
  try {
    if (place().page === "folder") await show();
    failures = 0;
  } catch (error) {
    if (isPassing(error)) {
      // Nobody may ever speak again: what was heard is still to be shown.
      due = true;
      restMs += waitFor(failures, error);
      failures += 1;
    } else if (error instanceof Problem && error.status === 404) leave();
  } finally {
    setTimeout(() => {
      reading = false;
      void refresh();
    }, restMs);
  }
}

/** Go where one surely may be: the folder was deleted, or is out of reach by now. */
function leave() {
  toast(fill(gettext("“%(folder)s” is not there for you any more."), { folder: place().folderName }), { failed: true });
  /** @type {HTMLElement | null} */ (document.querySelector('.side-link[href="/files/"]'))?.click();
}

/** Other rights than the page was made with: it comes anew, unless somebody is in the middle of something. */
function renew() {
  if (document.querySelector("dialog[open], .rename")) due = true;
  else document.dispatchEvent(new CustomEvent("bitvault:renew"));
}

/** @returns {boolean} whether rows must stay where they are for now */
const held = () => document.getElementById("main")?.hasAttribute("data-dragging") === true;

/** @param {string} id @returns {boolean} whether somebody types another name into its row */
const isEdited = (id) => rowOf(id)?.querySelector(".rename") != null;

/** @param {HTMLElement} row @returns {string} */
const idOf = (row) => row.dataset.id ?? "";

/** Bring the rows that are in the page up to date, run by run; what is known of the others is read again when they are seen. */
async function show() {
  const list = source();
  const { folderId } = place();
  const capabilities = document.getElementById("main")?.dataset.capabilities;
  /** @param {{capabilities: string[]}} node */
  const differs = (node) => node.capabilities.join(" ") !== capabilities;
  let total = -1;
  /** @type {number | null} bytes of the whole folder, which the first page alone says */
  let size = null;
  for (const { gap, rows } of runs()) {
    // What this page itself does while the list is being read is newer than what is read.
    const before = new Set(rows.map(idOf));
    const cursor = await cursorOf(gap);
    // Where nothing is any more, all of it has gone.
    const answer = cursor === null ? NOTHING : await readPage(cursor, rows.length + MORE);
    // Meanwhile the page may have become another one, or the order another order.
    if (source() !== list) return;
    if (held()) {
      due = true;
      return;
    }
    await settleRun(rows, before, answer.items, !answer.next_cursor);
    if (answer === NOTHING) continue;
    // What lies in a folder has the capabilities of the folder, unless it is shared by itself too: then the folder is asked.
    const other = !answer.items[0] || differs(answer.items[0]) ? differs(await get(`/nodes/${folderId}`)) : false;
    if (source() !== list) return;
    if (other) return renew();
    total = answer.total_count;
    size ??= answer.total_bytes;
  }
  if (total >= 0) {
    trust(total);
    setBytes(size ?? (await readPage("", 1)).total_bytes);
  }
  document.dispatchEvent(new CustomEvent("bitvault:rows-changed"));
}

/**
 * @param {HTMLElement[]} rows of one run, as they were
 * @param {Set<string>} before their ids
 * @param {Node[]} nodes from where the run begins
 * @param {boolean} whole whether nothing comes after them
 */
async function settleRun(rows, before, nodes, whole) {
  const last = whole ? nodes.length - 1 : nodes.findLastIndex((node) => before.has(node.id));
  for (const node of nodes.slice(0, last + 1)) {
    const row = rowOf(node.id);
    if (row ? node.revision > Number(row.dataset.revision) && !isEdited(node.id) : !before.has(node.id)) placeNode(node, { fresh: true });
  }
  const present = new Set(nodes.map((node) => node.id));
  const missing = [...before].filter((id) => !present.has(id) && !isEdited(id));
  const between = new Set(rows.slice(0, rows.findLastIndex((row) => present.has(idOf(row)))).map(idOf));
  for (const id of missing) if (whole || between.has(id)) removeRow(id);
  // Below what was read one cannot know without asking.
  for (const id of missing.filter((id) => !whole && !between.has(id)).slice(0, DOUBTS)) await refreshRow(id);
}

/** Listen from now on. */
export function startLive() {
  if (!meta("user")) return;
  connect();
  window.addEventListener("online", () => connect());
  document.addEventListener("bitvault:look-again", () => {
    due = true;
    void refresh();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    connect();
    void refresh();
  });
}
