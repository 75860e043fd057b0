/** Comments in the details panel: writing, replying, changing, resolving and deleting them, and mentioning people by "@". */

import { call, explain, get, randomKey, readJson } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { confirmAction } from "../js/dialogs.js";
import { announce, closest, icon, make } from "../js/dom.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** @typedef {{id: string, name: string, email: string}} Person */

const SECTION = "annotations.comments";
/** Letters are waited for, so that a name is asked for once. */
const SETTLE_MS = 150;
const ADDRESS = /^#comments=([0-9a-f-]{36})$/;
/** Whose comments the link that was followed wants to show: a swapped page has no fragment. */
let pending = "";

/** People who were chosen, by what stands in the text. @type {Map<string, string>} */
const named = new Map();
let asking = 0;
/** What gets the focus once the section is read anew: what was pressed is another element then. */
let focusOn = "";
/** @type {HTMLElement | null} */
let offered = null;

/** @param {string} focus a selector of what gets the focus then */
function reload(focus) {
  focusOn = focus;
  document.dispatchEvent(new CustomEvent("bitvault:details-changed", { detail: { section: SECTION } }));
  document.dispatchEvent(new CustomEvent("bitvault:marks-changed"));
}

/** @param {string} [id] @returns {string} the place of a comment, or of the field in which one is written */
const placeOf = (id = "") => (id ? `[data-comment="${CSS.escape(id)}"] button, [data-thread="${CSS.escape(id)}"] button` : "#comment-text");

/** @param {HTMLElement} form @returns {HTMLTextAreaElement} */
const fieldOf = (form) => /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));

/** @param {HTMLElement} form @param {string} text */
function showError(form, text) {
  const note = form.querySelector("[data-comment-error]");
  if (!(note instanceof HTMLElement)) return;
  note.replaceChildren(icon("warning"), make("span", {}, text));
  note.hidden = !text;
}

/** @param {string} text @returns {string[]} ids of the people whom it names, longest names first: "Max Member" is not "Max" */
function mentionsOf(text) {
  let left = text;
  const found = [];
  for (const [name, id] of [...named].sort(([a], [b]) => b.length - a.length)) {
    if (!left.includes(`@${name}`)) continue;
    found.push(id);
    left = left.replaceAll(`@${name}`, " ");
  }
  return found;
}

/** @param {HTMLElement} form */
async function send(form) {
  const field = fieldOf(form);
  const text = field.value.trim();
  if (!text) return showError(form, gettext("Write something first."));
  showError(form, "");
  const { replyTo, edits } = form.dataset;
  const mentions = mentionsOf(text);
  form.dataset.key ??= randomKey();
  try {
    if (edits) await call("PATCH", `/comments/${edits}`, { body: { text, mentions } });
    else await call("POST", `/nodes/${closest(form, "[data-comments]")?.dataset.comments}/comments`, { body: { text, mentions, ...(replyTo ? { reply_to_id: replyTo } : {}) }, key: form.dataset.key });
    field.value = "";
    delete form.dataset.dirty;
    delete form.dataset.key;
    field.blur();
    announce(edits ? gettext("Comment changed") : gettext("Comment added"));
    reload(placeOf(edits ?? replyTo));
  } catch (error) {
    showError(form, explain(error));
  }
}

/** @param {{label: string, accept: string, value?: string}} words @param {Record<string, string>} facts @returns {HTMLElement} */
function makeForm({ label, accept, value = "" }, facts) {
  const field = make("textarea", { class: "input", name: "text", rows: "2", maxlength: "4000", "aria-label": label });
  field.value = value;
  const cancel = make("button", { class: "button button-quiet", type: "button", "data-comment-act": "cancel" }, gettext("Cancel"));
  const form = make("form", { class: "comment-form", "data-comment-form": "", "hx-boost": "false" }, field, make("p", { class: "field-error", role: "alert", "data-comment-error": "", hidden: "" }), make("div", { class: "comment-acts" }, cancel, make("button", { class: "button button-primary", type: "submit" }, accept)));
  Object.assign(form.dataset, facts, { dirty: "" });
  return form;
}

/** @param {HTMLElement} element stays away while a form stands for it */
function cover(element) {
  element.hidden = true;
  element.dataset.covered = "";
}

/** @param {HTMLElement} element */
function uncover(element) {
  element.hidden = false;
  delete element.dataset.covered;
  (element.matches("button") ? element : /** @type {HTMLElement | null} */ (element.querySelector("button")))?.focus({ preventScroll: true });
}

/** @param {HTMLElement} pressed */
async function act(pressed) {
  const comment = closest(pressed, "[data-comment]");
  const thread = closest(pressed, "[data-thread]");
  const id = comment?.dataset.comment ?? "";
  const what = pressed.dataset.commentAct;
  if (what === "cancel") {
    const form = closest(pressed, "[data-comment-form]");
    const covered = form?.dataset.edits ? comment?.querySelectorAll("[data-covered]") : thread?.querySelectorAll(":scope > [data-covered]");
    for (const one of /** @type {Iterable<HTMLElement>} */ (covered ?? [])) uncover(one);
    form?.remove();
  } else if (what === "reply" && thread) {
    const form = makeForm({ label: gettext("Reply"), accept: gettext("Reply") }, { replyTo: thread.dataset.thread ?? "" });
    pressed.after(form);
    cover(pressed);
    fieldOf(form).focus();
  } else if (what === "edit" && comment) {
    const form = makeForm({ label: gettext("Comment"), accept: gettext("Save"), value: comment.dataset.text ?? "" }, { edits: id });
    for (const name of /** @type {NodeListOf<HTMLElement>} */ (comment.querySelectorAll(".comment-name"))) named.set((name.textContent ?? "").slice(1), name.dataset.user ?? "");
    comment.querySelector(".comment-text")?.after(form);
    for (const one of /** @type {NodeListOf<HTMLElement>} */ (comment.querySelectorAll(".comment-text, .comment-links"))) cover(one);
    fieldOf(form).focus();
  } else if (what === "resolve" || what === "reopen") {
    await call("PATCH", `/comments/${id}`, { body: { resolved: what === "resolve" } });
    announce(what === "resolve" ? gettext("Thread resolved") : gettext("Thread reopened"));
    reload(placeOf(id));
  } else if (what === "delete") {
    const whole = comment?.dataset.comment === thread?.dataset.thread;
    const sure = await confirmAction({ title: whole ? gettext("Delete this thread?") : gettext("Delete this comment?"), text: whole ? gettext("The comment and its replies are deleted permanently.") : gettext("The comment is deleted permanently."), accept: gettext("Delete"), danger: true });
    if (!sure) return;
    await call("DELETE", `/comments/${id}`);
    announce(whole ? gettext("Thread deleted") : gettext("Comment deleted"));
    reload(placeOf());
  }
}

/** @param {HTMLTextAreaElement} field @returns {string | null} what is typed of a name behind "@", up to the cursor */
function typedName(field) {
  const found = /(?:^|\s)@([\p{L}\p{N}.\-_]{0,40})$/u.exec(field.value.slice(0, field.selectionStart));
  return found ? found[1] : null;
}

function dropOffer() {
  offered?.remove();
  offered = null;
}

/** @param {HTMLTextAreaElement} field @param {Person} person */
function take(field, person) {
  const typed = typedName(field) ?? "";
  const before = field.value.slice(0, field.selectionStart - typed.length);
  const after = field.value.slice(field.selectionStart);
  field.value = `${before}${person.name} ${after}`;
  const at = before.length + person.name.length + 1;
  named.set(person.name, person.id);
  dropOffer();
  field.focus();
  field.setSelectionRange(at, at);
}

/** @param {HTMLTextAreaElement} field */
async function offer(field) {
  const typed = typedName(field);
  if (typed === null) return dropOffer();
  /** @type {Person[]} */
  let items = [];
  try {
    ({ items } = await readJson(`/annotations/people?q=${encodeURIComponent(typed)}`));
  } catch {
    // Nobody is offered then; the name can still be typed.
  }
  if (typedName(field) !== typed) return;
  dropOffer();
  if (!items.length) return;
  offered = make("div", { class: "comment-offer", role: "group", "aria-label": gettext("People") });
  for (const person of items) {
    const button = make("button", { class: "comment-person", type: "button" }, make("bdi", {}, person.name), make("small", {}, person.email));
    button.addEventListener("click", () => take(field, person));
    offered.append(button);
  }
  field.after(offered);
}

/** @param {any[]} entries */
const openComments = (entries) => document.dispatchEvent(new CustomEvent("bitvault:command", { detail: { command: "details", tab: "comments", entries } }));

/** @param {string} id of a node whose comments are wanted */
async function openById(id) {
  try {
    openComments([{ row: null, ...(await get(`/nodes/${id}`)) }]);
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

/** A notice leads to a page by an address that ends with `#comments=<node>`: its comments are shown there. */
async function followAddress() {
  const id = pending || ADDRESS.exec(location.hash)?.[1];
  pending = "";
  if (!id) return;
  if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  await openById(id);
}

/** Listen from now on. */
export function startComments() {
  void followAddress();
  document.addEventListener("bitvault:page", () => void followAddress());
  window.addEventListener("hashchange", () => void followAddress());
  document.addEventListener("bitvault:command", (event) => {
    const { command, entries } = /** @type {CustomEvent} */ (event).detail;
    if (command === "comments") openComments(entries);
  });
  document.addEventListener("bitvault:details-filled", () => {
    if (!focusOn || !document.querySelector("[data-comments]")) return;
    const wanted = document.querySelector(focusOn) ?? document.getElementById("comment-text");
    focusOn = "";
    if (wanted instanceof HTMLElement) wanted.focus({ preventScroll: true });
  });
  onSubmit("[data-comment-form]", send);
  document.addEventListener("click", (event) => {
    pending = ADDRESS.exec(/** @type {HTMLAnchorElement | null} */ (closest(event.target, "a[href]"))?.hash ?? "")?.[1] ?? "";
    const pressed = closest(event.target, "[data-comment-act]");
    const badge = closest(event.target, "[data-comments-open]");
    if (badge) void openById(badge.dataset.commentsOpen ?? "");
    else if (pressed) act(pressed).catch((error) => toast(explain(error), { failed: true }));
    else if (!closest(event.target, ".comment-offer")) dropOffer();
  });
  document.addEventListener("input", (event) => {
    const field = event.target;
    const form = closest(field, "[data-comment-form]");
    if (!(field instanceof HTMLTextAreaElement) || !form) return;
    if (field.value.trim() || form.dataset.edits || form.dataset.replyTo) form.dataset.dirty = "";
    else delete form.dataset.dirty;
    delete form.dataset.key;
    showError(form, "");
    clearTimeout(asking);
    asking = window.setTimeout(() => void offer(field), SETTLE_MS);
  });
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    const form = closest(field, "[data-comment-form]");
    if (!form) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void send(form);
    } else if (event.key === "Escape" && offered) {
      dropOffer();
      fieldOf(form).focus();
      event.preventDefault();
      event.stopPropagation();
    } else if (offered && field instanceof HTMLTextAreaElement && (event.key === "Enter" || event.key === "Tab") && !event.shiftKey) {
      // The first one, which is marked.
      offered.querySelector("button")?.click();
      event.preventDefault();
    } else if (offered && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const all = /** @type {HTMLElement[]} */ ([...offered.querySelectorAll("button")]);
      const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + (event.key === "ArrowDown" ? 1 : -1);
      if (at < 0) fieldOf(form).focus();
      else all[Math.min(at, all.length - 1)].focus();
      event.preventDefault();
    }
  }, true);
}
