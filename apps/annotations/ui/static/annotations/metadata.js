/** Metadata in the details panel: a field is edited where it stands, and what was there before can be brought back. */

import { call, explain, readJson } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { closest, make } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** @typedef {{id: string, name: string, kind: string, value?: string | number, label?: string, choices: string[]}} Facts */

const SECTION = "annotations.metadata";

/** People by what is offered for them. @type {Map<string, string>} */
const people = new Map();

/** The field whose button gets the focus once the section is shown anew. @type {string | null} */
let focused = null;

const renew = () => document.dispatchEvent(new CustomEvent("bitvault:details-changed", { detail: { section: SECTION } }));

/** @param {HTMLElement} holder */
const nodeOf = (holder) => closest(holder, "[data-meta-node]")?.dataset.metaNode ?? "";

/** @param {string} nodeId @param {Facts} facts @param {string | number | undefined} value none: the field is emptied */
const send = (nodeId, facts, value) =>
  value === undefined ? call("DELETE", `/nodes/${nodeId}/metadata/${facts.id}`) : call("PUT", `/nodes/${nodeId}/metadata/${facts.id}`, { body: { value } });

/** Change a field, and offer to bring back what it had. @param {string} nodeId @param {Facts} facts @param {string | number | undefined} value */
async function change(nodeId, facts, value) {
  const made = await send(nodeId, facts, value);
  // What somebody types in is not shown anew.
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  focused = value === undefined ? "" : facts.id;
  renew();
  const told = value === undefined ? fill(gettext("“%(name)s” removed."), { name: facts.name }) : fill(gettext("“%(name)s” is now “%(value)s”."), { name: facts.name, value: made.label });
  toast(told, {
    action: gettext("Undo"),
    undo: true,
    run: () => void send(nodeId, facts, facts.value).then(renew, (error) => toast(explain(error), { failed: true })),
  });
}

/** @param {Facts} facts @returns {HTMLInputElement | HTMLSelectElement} the field to type or choose in */
function inputOf(facts) {
  const label = { "aria-label": facts.name };
  if (facts.kind === "choice") {
    const known = facts.value === undefined || facts.choices.includes(String(facts.value)) ? facts.choices : [String(facts.value), ...facts.choices];
    const select = make("select", { class: "input", ...label }, make("option", { value: "" }, gettext("Choose…")), ...known.map((choice) => make("option", { value: choice }, choice)));
    select.value = String(facts.value ?? "");
    return select;
  }
  const type = facts.kind === "date" ? "date" : "text";
  const input = make("input", { class: "input", type, maxlength: "1000", autocomplete: "off", ...label });
  if (facts.kind === "number") input.inputMode = "decimal";
  if (facts.kind === "person") {
    input.setAttribute("list", "meta-people");
    input.placeholder = gettext("Name or email address");
    if (facts.value !== undefined && facts.label) people.set(facts.label, String(facts.value));
    input.value = facts.label ?? "";
  } else input.value = String(facts.value ?? "");
  return input;
}

/** @param {HTMLInputElement} input @returns {Promise<void>} offers people whose names are like what is typed */
async function offerPeople(input) {
  let items;
  try {
    ({ items } = await readJson(`/annotations/people?q=${encodeURIComponent(input.value)}`));
  } catch {
    return; // Nobody is offered then.
  }
  const names = items.map((/** @type {{name: string}} */ { name }) => name);
  const options = items.map((/** @type {{id: string, name: string, email: string}} */ one) => {
    const told = names.filter((/** @type {string} */ name) => name === one.name).length > 1 ? `${one.name} (${one.email})` : one.name;
    people.set(told, one.id);
    return make("option", { value: told });
  });
  document.getElementById("meta-people")?.replaceChildren(...options);
}

/** @param {Facts} facts @param {string} text @returns {string | number} what is sent for what was typed */
function read(facts, text) {
  if (facts.kind === "person") return people.get(text) ?? text;
  if (facts.kind !== "number") return text;
  const plain = text.replace(/\s/gu, "");
  return plain.includes(",") && !plain.includes(".") ? plain.replace(",", ".") : plain;
}

/** Let a field be edited in a place of the panel. @param {HTMLElement} place @param {Facts} facts @param {() => void} back shows what stood there */
function open(place, facts, back) {
  const input = inputOf(facts);
  const save = make("button", { class: "button button-primary", type: "submit" }, gettext("Save"));
  const cancel = make("button", { class: "button button-quiet", type: "button" }, gettext("Cancel"));
  const refusal = make("p", { class: "field-error", role: "alert" });
  refusal.hidden = true;
  const form = make("form", { class: "meta-form", novalidate: "", "hx-boost": "false" }, input, refusal, make("div", { class: "meta-form-foot" }, save, cancel));
  if (facts.kind === "person") form.append(make("datalist", { id: "meta-people" }));
  const nodeId = nodeOf(place);
  onSubmit(form, async () => {
    const text = input.value.trim();
    if (text === String(facts.kind === "person" ? (facts.label ?? "") : (facts.value ?? ""))) return back();
    try {
      await change(nodeId, facts, text ? read(facts, text) : undefined);
    } catch (error) {
      refusal.textContent = explain(error);
      refusal.hidden = false;
      input.setAttribute("aria-invalid", "true");
      input.focus();
    }
  });
  cancel.addEventListener("click", back);
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    back();
  });
  if (facts.kind === "person") input.addEventListener("input", () => void offerPeople(/** @type {HTMLInputElement} */ (input)));
  place.replaceChildren(form);
  input.focus();
  if (input instanceof HTMLInputElement && facts.kind !== "date") input.select();
}

/** @param {HTMLElement} button */
function act(button) {
  const line = closest(button, "[data-meta]");
  const place = closest(button, "dd");
  if (!line || !place) return;
  /** @type {Facts} */
  const facts = JSON.parse(line.dataset.meta ?? "{}");
  if (button.dataset.metaAct === "clear") return void change(nodeOf(line), facts, undefined).catch((error) => toast(explain(error), { failed: true }));
  const before = [...place.childNodes];
  open(place, facts, () => {
    place.replaceChildren(...before);
    button.focus();
  });
}

/** Give the focus back to where somebody was. @param {EventTarget | null} filled */
function focusAgain(filled) {
  const wanted = focused;
  if (wanted === null || !(filled instanceof HTMLElement) || !filled.querySelector("[data-meta-node]")) return;
  focused = null;
  const lines = /** @type {HTMLElement[]} */ ([...filled.querySelectorAll("[data-meta]")]);
  const line = lines.find((one) => JSON.parse(one.dataset.meta ?? "{}").id === wanted);
  const place = line?.querySelector('[data-meta-act="edit"]') ?? filled.querySelector("[data-meta-add]");
  if (place instanceof HTMLElement) place.focus();
}

/** Listen from now on. */
export function startMetadata() {
  document.addEventListener("bitvault:details-filled", (event) => focusAgain(event.target));
  document.addEventListener("click", (event) => {
    const button = closest(event.target, "[data-meta-act]");
    if (button) act(button);
  });
  document.addEventListener("change", (event) => {
    const select = event.target;
    if (!(select instanceof HTMLSelectElement) || select.dataset.metaAdd === undefined || !select.value) return;
    /** @type {Facts} */
    const facts = JSON.parse(select.value);
    const place = closest(select, "[data-meta-node]")?.querySelector("[data-meta-new]");
    if (!(place instanceof HTMLElement)) return;
    const words = make("p", { class: "meta-new-name" }, facts.name);
    const box = make("div", {});
    place.replaceChildren(words, box);
    open(box, facts, () => {
      place.replaceChildren();
      select.value = "";
      select.focus();
    });
  });
}
