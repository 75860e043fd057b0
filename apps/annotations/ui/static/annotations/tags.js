/** Tags: the dialog in which they are put on nodes and taken from them, and the page of all of them. */

import { call, explain, get } from "../js/api.js";
import { askName, confirmAction, showFieldError } from "../js/dialogs.js";
import { announce, closest, make, need } from "../js/dom.js";
import { counted, fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";
import { markOf, showTags } from "./marks.js";

/** @typedef {import("./marks.js").Tag} Tag */
/** @typedef {{id: string, name: string}} Entry */

/** Nodes whose tags are changed together: each is a request of its own. */
const TOGETHER = 100;
const COLOURS = ["blue", "green", "orange", "purple", "red", "teal", "brown", "pink", "grey"];

/** @type {Entry[]} what the dialog is about */
let entries = [];
/** @type {Tag[]} all tags of the vault */
let tags = [];
/** @type {Map<string, Map<string, Tag>>} the tags of each node */
let held = new Map();
/** What was asked when the dialog opened: an answer from before must not take back what is made meanwhile. @type {Promise<void>} */
let reading = Promise.resolve();

const dialog = () => need("#tags-dialog", HTMLDialogElement);
const input = () => need("#tags-input", HTMLInputElement);

/** @param {string} text @returns {string} as names are compared */
const keyOf = (text) => text.trim().replace(/\s+/gu, " ").toLocaleLowerCase();

/** @param {Tag} tag @returns {number} how many of the nodes have it */
const countOf = (tag) => entries.filter(({ id }) => held.get(id)?.has(tag.id)).length;

/** @param {Tag} tag @returns {HTMLElement} */
function line(tag) {
  const count = countOf(tag);
  const box = make("input", { class: "check", type: "checkbox", "data-tag": tag.id });
  box.checked = count === entries.length;
  box.indeterminate = count > 0 && count < entries.length;
  return make("label", { class: "tags-line" }, box, make("span", { class: "tag-dot", "data-colour": tag.colour }), make("bdi", {}, tag.name));
}

function draw() {
  const wanted = keyOf(input().value);
  const found = tags.filter((tag) => keyOf(tag.name).includes(wanted));
  const list = need("#tags-list", HTMLElement);
  const focused = document.activeElement instanceof HTMLElement && list.contains(document.activeElement) ? document.activeElement.dataset.tag : "";
  list.replaceChildren(...found.map(line));
  if (wanted && !tags.some((tag) => keyOf(tag.name) === wanted)) list.append(make("button", { class: "button button-quiet tags-new", type: "button", "data-tags-new": "" }, fill(gettext("Make the tag “%(name)s”"), { name: input().value.trim() })));
  else if (!tags.length) list.append(make("p", { class: "muted" }, gettext("There are no tags yet. Type a name to make one.")));
  if (focused) /** @type {HTMLElement | null} */ (list.querySelector(`[data-tag="${focused}"]`))?.focus();
}

/** @param {Entry[]} wanted */
function open(wanted) {
  if (wanted.length > TOGETHER) return toast(gettext("Select up to 100 items to change their tags."), { failed: true });
  entries = wanted;
  held = new Map(entries.map(({ id }) => [id, new Map(markOf(id).tags.map((tag) => [tag.id, tag]))]));
  need("#tags-subject", HTMLElement).textContent = entries.length === 1 ? entries[0].name : counted("%(count)s item", "%(count)s items", entries.length);
  input().value = "";
  showFieldError(input(), "");
  draw();
  dialog().showModal();
  input().focus();
  reading = read();
}

/** Read all tags, and those of the nodes. */
async function read() {
  try {
    const [all, marks] = await Promise.all([get("/tags"), get(`/marks?node_ids=${entries.map(({ id }) => id).join(",")}`)]);
    tags = all.items;
    for (const { id } of entries) held.set(id, new Map());
    for (const mark of marks.items) held.set(mark.node_id, new Map(mark.tags.map((/** @type {Tag} */ tag) => [tag.id, tag])));
    draw();
  } catch (error) {
    showFieldError(input(), explain(error));
  }
}

/** Put a tag on all of them, or take it from all. @param {Tag} tag @param {boolean} on */
async function apply(tag, on) {
  await reading;
  showFieldError(input(), "");
  try {
    for (const { id } of entries) {
      const own = held.get(id) ?? new Map();
      if (own.has(tag.id) === on) continue;
      await call(on ? "PUT" : "DELETE", `/nodes/${id}/tags/${tag.id}`);
      if (on) own.set(tag.id, tag);
      else own.delete(tag.id);
      held.set(id, own);
      showTags(id, [...own.values()].sort((a, b) => a.name.localeCompare(b.name)));
    }
    announce(fill(on ? gettext("Tagged %(name)s") : gettext("%(name)s taken away"), { name: tag.name }));
  } catch (error) {
    showFieldError(input(), explain(error));
  }
  draw();
  document.dispatchEvent(new CustomEvent("bitvault:details-changed", { detail: { section: "annotations.tags" } }));
}

async function makeTag() {
  await reading;
  const name = input().value.trim();
  try {
    /** @type {Tag} */
    const tag = await call("POST", "/tags", { body: { name, colour: COLOURS[tags.length % COLOURS.length] } });
    tags = [...tags, tag].sort((a, b) => a.name.localeCompare(b.name));
    input().value = "";
    await apply(tag, true);
    input().focus();
  } catch (error) {
    showFieldError(input(), explain(error));
  }
}

/** Enter takes the one tag that is found, or makes the one that is typed. */
async function enter() {
  const wanted = keyOf(input().value);
  if (!wanted) return dialog().close();
  await reading;
  const exact = tags.find((tag) => keyOf(tag.name) === wanted);
  if (!exact) return makeTag();
  input().value = "";
  await apply(exact, countOf(exact) < entries.length);
}

const renew = () => document.dispatchEvent(new CustomEvent("bitvault:renew"));

/** @param {string} act @param {HTMLElement | null} of the tag's line */
async function onPage(act, of) {
  const { tag: id = "", tagName = "" } = of?.dataset ?? {};
  if (act === "new") {
    const count = document.querySelectorAll("[data-tag]").length;
    const made = await askName({ title: gettext("New tag"), label: gettext("Name"), accept: gettext("Create"), submit: (name) => call("POST", "/tags", { body: { name, colour: COLOURS[count % COLOURS.length] } }) });
    if (made) renew();
  } else if (act === "rename") {
    const changed = await askName({ title: gettext("Rename tag"), label: gettext("Name"), value: tagName, accept: gettext("Rename"), submit: (name) => call("PATCH", `/tags/${id}`, { body: { name } }) });
    if (changed) renew();
  } else if (act === "delete") {
    const sure = await confirmAction({ title: gettext("Delete this tag?"), text: fill(gettext("“%(name)s” is taken from everything that has it. Files and folders stay as they are."), { name: tagName }), accept: gettext("Delete"), danger: true });
    if (!sure) return;
    await call("DELETE", `/tags/${id}`);
    renew();
  }
}

/** Listen from now on. */
export function startTags() {
  document.addEventListener("bitvault:command", (event) => {
    const { command, entries: about } = /** @type {CustomEvent} */ (event).detail;
    if (command === "tags") open(about);
  });
  document.addEventListener("click", (event) => {
    const act = closest(event.target, "[data-tag-act]");
    if (act) onPage(act.dataset.tagAct ?? "", closest(act, "[data-tag]")).catch((error) => toast(explain(error), { failed: true }));
    else if (closest(event.target, "[data-tags-new]")) void makeTag();
    else if (closest(event.target, "#tags-dialog a")) dialog().close();
  });
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box instanceof HTMLInputElement && closest(box, "#tags-list")) {
      const tag = tags.find(({ id }) => id === box.dataset.tag);
      if (tag) void apply(tag, box.checked);
    } else if (box instanceof HTMLSelectElement && box.dataset.tagColour !== undefined) {
      call("PATCH", `/tags/${closest(box, "[data-tag]")?.dataset.tag}`, { body: { colour: box.value } }).then(renew, (error) => toast(explain(error), { failed: true }));
    }
  });
  const shown = dialog();
  shown.addEventListener("input", (event) => event.target === input() && (showFieldError(input(), ""), draw()));
  shown.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target !== input()) return;
    event.preventDefault();
    void enter();
  });
}
