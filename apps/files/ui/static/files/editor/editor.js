/**
 * Edits a small text file in the page. What is saved is a new version that names the one it starts from; where somebody was faster, both
 * texts are shown and one chooses. Whoever leaves with changes is asked first.
 */

import { explain, Problem } from "../../js/api.js";
import { confirmAction } from "../../js/dialogs.js";
import { announce, closest, icon, make, need } from "../../js/dom.js";
import { when, whenUntil } from "../../js/format.js";
import { fill, gettext } from "../../js/i18n.js";
import { toast } from "../../js/toast.js";
import { nextName } from "../types.js";
import { NoText, TEXT_LIMIT_BYTES } from "./content.js";

/** @typedef {import("./content.js").Node} Node */
/** @typedef {import("./content.js").Text} Text */

/**
 * By whose ways files are read and kept: a member's, or those of a link's visitor. `placeNode`: show a file that has changed. `pollSeconds`: how
 * often it is asked whether somebody has locked the file meanwhile; without it nobody asks, since somebody else tells.
 *
 * @typedef {object} Desk
 * @property {(id: string) => Promise<Node>} readNode
 * @property {(node: Node) => Promise<Text>} readText
 * @property {(text: Text, destination: Record<string, unknown>) => Promise<Node>} writeText
 * @property {(node: any) => void} placeNode
 * @property {number} [pollSeconds]
 */

/** @type {Desk} */
let desk;
/** What is edited. @type {{node: Node, found: Text, saved: string} | null} */
let open = null;
/** What the file holds by now, while somebody is asked what to do. @type {{node: Node, found: Text} | null} */
let other = null;
let busy = false;
let asking = false;
/** Until when somebody else alone may change the file. @type {Date | null} */
let lockedUntil = null;
let poll = 0;

const dialog = () => need("#editor", HTMLDialogElement);
const field = () => need("#editor-text", HTMLTextAreaElement);
const isChanged = () => open !== null && field().value !== open.saved;

/** @param {string} text @param {boolean} [failed] */
function say(text, failed = false) {
  const state = need("#editor-state", HTMLElement);
  state.textContent = text;
  state.toggleAttribute("data-failed", failed);
}

function showState() {
  need('[data-editor="save"]', HTMLButtonElement).disabled = busy || !isChanged() || lockedUntil !== null;
  if (!busy) say(isChanged() ? gettext("Unsaved changes") : gettext("Saved"));
}

/** @param {string} text */
function showError(text) {
  const note = need("#editor-error", HTMLElement);
  note.replaceChildren(icon("warning"), make("span", {}, text));
  note.hidden = !text;
}

/**
 * Say whether somebody has locked the file, and until when: a text in which nothing is written yet is to be read alone, and what is written
 * stays and waits.
 *
 * @param {Node} node as it is now
 */
function showLock(node) {
  const before = lockedUntil;
  lockedUntil = node.locked_until ? new Date(node.locked_until) : null;
  field().readOnly = lockedUntil !== null && !isChanged();
  const note = need("#editor-lock", HTMLElement);
  note.hidden = !lockedUntil;
  if (lockedUntil) {
    const until = whenUntil(lockedUntil);
    const told = isChanged()
      ? fill(gettext("Somebody has locked this file until %(when)s. What you have written stays here and can be saved afterwards."), { when: until })
      : fill(gettext("Somebody has locked this file until %(when)s. You can read it, and change it afterwards."), { when: until });
    const text = make("span", {}, told);
    if (note.textContent !== told) note.replaceChildren(icon("lock"), text);
  } else if (before) announce(gettext("The file is not locked any more."));
  showState();
}

/** Ask whether the file is locked by now; where nobody answers, the next time does. */
async function lookForLock() {
  if (!open || busy || asking || other) return;
  const { id } = open.node;
  try {
    const now = await desk.readNode(id);
    if (open?.node.id === id) showLock(now);
  } catch (error) {
    console.warn("Whether the file is locked is not known.", error);
  }
}

/** @param {{node: Node, found: Text}} what */
function show({ node, found }) {
  open = { node, found, saved: found.text };
  need("#editor-name", HTMLElement).textContent = node.name;
  field().value = found.text;
  showError("");
  settle(null);
  showLock(node);
}

/** Show both texts, or one again. @param {{node: Node, found: Text} | null} newer */
function settle(newer) {
  other = newer;
  const panel = need("#editor-conflict", HTMLElement);
  panel.hidden = !newer;
  dialog().toggleAttribute("data-conflict", Boolean(newer));
  if (!newer) return;
  need("#editor-theirs", HTMLTextAreaElement).value = newer.found.text;
  const told = fill(gettext("“%(name)s” was changed elsewhere (%(when)s). Compare both texts, and choose which one stays."), { name: newer.node.name, when: when(new Date(newer.node.modified_at)) });
  need("#editor-conflict-text", HTMLElement).textContent = told;
  // Whoever sees this one file alone has no place beside it.
  need('[data-editor="keep-both"]', HTMLButtonElement).hidden = !newer.node.parent_id;
  announce(told);
  need('[data-editor="keep-mine"]', HTMLButtonElement).focus();
}

/** @param {{id: string, name: string}} entry of a file that may be edited */
export async function edit(entry) {
  try {
    const node = await desk.readNode(entry.id);
    if ((node.size_bytes ?? 0) > TEXT_LIMIT_BYTES) {
      return void toast(gettext("Texts of up to 1 MB can be edited here. Download this file to change it."), { failed: true });
    }
    show({ node, found: await desk.readText(node) });
    if (!dialog().open) dialog().showModal();
    clearInterval(poll);
    if (desk.pollSeconds) poll = window.setInterval(() => void lookForLock(), desk.pollSeconds * 1000);
    field().focus();
    field().setSelectionRange(0, 0);
  } catch (error) {
    toast(error instanceof NoText ? error.message : explain(error), { failed: true });
  }
}

/** @param {() => Promise<void>} work that changes the file; nothing else is begun meanwhile */
async function working(work) {
  if (busy || !open) return;
  busy = true;
  say(gettext("Saving…"));
  showError("");
  need('[data-editor="save"]', HTMLButtonElement).disabled = true;
  try {
    await work();
  } catch (error) {
    showError(fill(gettext("Not saved. %(reason)s Your text is still here."), { reason: error instanceof NoText ? error.message : explain(error) }));
  } finally {
    busy = false;
    showState();
    // The button that was pressed is at rest now, and so would the keyboard be.
    if (document.activeElement === document.body || document.activeElement === need('[data-editor="save"]', HTMLButtonElement)) field().focus();
  }
}

/** Keep what was written, unless somebody was faster: then ask. */
const save = () =>
  working(async () => {
    if (!open || !isChanged()) return;
    const now = await desk.readNode(open.node.id);
    showLock(now);
    if (lockedUntil) return;
    // Another name or place is no other content.
    if (now.version_id !== open.node.version_id) return settle({ node: now, found: await desk.readText(now) });
    await write(now);
  });

/** @param {Node} base whose version the text follows */
async function write(base) {
  if (!open) return;
  const text = { ...open.found, text: field().value };
  // The node says where it lies; a file that somebody sees alone has no folder to name.
  const destination = { parent_id: base.parent_id ?? base.id, name: base.name, mode: "update", node_id: base.id, base_version_id: base.version_id };
  let node;
  try {
    node = await desk.writeText(text, destination);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "files.newer_version") throw error;
    const now = await desk.readNode(base.id);
    return settle({ node: now, found: await desk.readText(now) });
  }
  desk.placeNode(node);
  if (node.id !== base.id) {
    toast(fill(gettext("Somebody saved at the same moment. Your text is kept beside it as “%(name)s”."), { name: node.name }));
  }
  open = { node, found: text, saved: text.text };
  settle(null);
  need("#editor-name", HTMLElement).textContent = node.name;
  announce(fill(gettext("%(name)s saved as a new version"), { name: node.name }));
}

/** @param {string} choice what stays where somebody was faster */
function choose(choice) {
  const newer = other;
  if (!open || !newer) return;
  if (choice === "keep-mine") void working(() => write(newer.node)).then(() => field().focus());
  if (choice === "take-theirs") {
    const mine = field().value;
    show(newer);
    field().focus();
    const takeBack = () => {
      if (!open || !dialog().open || open.node.id !== newer.node.id) return;
      field().value = mine;
      showState();
    };
    toast(gettext("Your text made way for the newer one."), { action: gettext("Undo"), undo: true, run: takeBack });
  }
  if (choice === "keep-both") {
    void working(async () => {
      if (!open) return;
      const destination = { parent_id: newer.node.parent_id, name: nextName(newer.node.name), mode: "add", autorename: true };
      const node = await desk.writeText({ ...open.found, text: field().value }, destination);
      desk.placeNode(node);
      toast(fill(gettext("Your text is kept beside the other one as “%(name)s”."), { name: node.name }));
      show({ node, found: { ...open.found, text: field().value } });
      field().focus();
    });
  }
}

/** Close, after asking where something would be lost. */
async function leave() {
  if (busy || asking) return;
  if (isChanged()) {
    asking = true;
    const sure = await confirmAction({
      title: gettext("Discard your changes?"),
      text: fill(gettext("What you have written in “%(name)s” since it was last saved is lost."), { name: open?.node.name ?? "" }),
      accept: gettext("Discard"),
      danger: true,
    });
    asking = false;
    if (!sure) return field().focus();
  }
  open = null;
  clearInterval(poll);
  settle(null);
  dialog().close();
}

/** Let the editor work. @param {Desk} given */
export function startEditor(given) {
  desk = given;
  const box = dialog();
  field().addEventListener("input", showState);
  box.addEventListener("click", (event) => {
    const act = closest(event.target, "[data-editor]")?.dataset.editor;
    if (act === "save") void save();
    else if (act === "close") void leave();
    else if (act) choose(act);
  });
  // Escape and a phone's way back ask first, too.
  box.addEventListener("cancel", (event) => {
    event.preventDefault();
    void leave();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      void leave();
    } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      if (!other) void save();
    }
  });
  addEventListener("beforeunload", (event) => {
    if (isChanged()) event.preventDefault();
  });
}
