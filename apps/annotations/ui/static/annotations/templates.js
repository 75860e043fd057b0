/** The page of templates of metadata: make, change and delete them. */

import { call, explain, randomKey } from "../js/api.js";
import { confirmAction, openForm, Refusal } from "../js/dialogs.js";
import { closest, need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** @typedef {{id?: string, name: string, kind: string, choices: string[]}} Field */
/** @typedef {{id: string, name: string, fields: Field[]}} Template */

const renew = () => document.dispatchEvent(new CustomEvent("bitvault:renew"));
const list = () => need("#template-fields", HTMLElement);

/** @param {Field | null} field one that there is, or a new one @returns {HTMLElement} */
function addField(field) {
  const copy = /** @type {DocumentFragment} */ (need("#template-field", HTMLTemplateElement).content.cloneNode(true));
  const row = /** @type {HTMLElement} */ (copy.firstElementChild);
  const kind = need("[data-field-kind]", HTMLSelectElement, row);
  if (field) {
    if (field.id) row.dataset.fieldId = field.id;
    need("[data-field-name]", HTMLInputElement, row).value = field.name;
    kind.value = field.kind;
    kind.disabled = Boolean(field.id);
    need("[data-field-choices]", HTMLTextAreaElement, row).value = field.choices.join("\n");
  }
  list().append(row);
  showChoices(row);
  return row;
}

/** @param {HTMLElement} row of a field: choices are asked for where there are any */
function showChoices(row) {
  need("[data-field-choices]", HTMLTextAreaElement, row).hidden = need("[data-field-kind]", HTMLSelectElement, row).value !== "choice";
}

/** @returns {Field[]} what stands in the dialog; rows without a name are none */
function readFields() {
  return [.../** @type {NodeListOf<HTMLElement>} */ (list().querySelectorAll(".meta-field"))]
    .map((row) => ({
      ...(row.dataset.fieldId ? { id: row.dataset.fieldId } : {}),
      name: need("[data-field-name]", HTMLInputElement, row).value.trim(),
      kind: need("[data-field-kind]", HTMLSelectElement, row).value,
      choices: need("[data-field-choices]", HTMLTextAreaElement, row).hidden ? [] : need("[data-field-choices]", HTMLTextAreaElement, row).value.split("\n").map((line) => line.trim()).filter(Boolean),
    }))
    .filter((field) => field.name || field.id);
}

/** @param {Template | null} template to change; none: a new one */
function edit(template) {
  const dialog = need("#template-dialog", HTMLDialogElement);
  const name = need("#template-name", HTMLInputElement);
  for (const part of ["#template-dialog-title", '[data-role="accept"]']) {
    const text = need(part, HTMLElement, dialog);
    text.textContent = (template ? text.dataset.edit : text.dataset.new) ?? "";
  }
  const key = randomKey();
  openForm("#template-dialog", async () => {
    const body = { name: name.value, fields: readFields() };
    try {
      await (template ? call("PATCH", `/metadata/templates/${template.id}`, { body }) : call("POST", "/metadata/templates", { body, key }));
    } catch (error) {
      throw new Refusal(name, explain(error));
    }
    const said = template ? gettext("The template “%(name)s” was changed.") : gettext("The template “%(name)s” was created.");
    toast(fill(said, { name: name.value.trim() }));
    renew();
  });
  name.value = template?.name ?? "";
  list().replaceChildren();
  need("#template-removed", HTMLElement).hidden = true;
  for (const field of template?.fields ?? [null]) addField(field);
}

/** @param {Template} template */
async function remove(template) {
  const question = {
    title: fill(gettext("Delete the template “%(name)s”?"), { name: template.name }),
    text: gettext("What files and folders have in its fields is deleted, too. This cannot be undone."),
    accept: gettext("Delete template"),
    danger: true,
  };
  if (!(await confirmAction(question))) return;
  await call("DELETE", `/metadata/templates/${template.id}`);
  toast(fill(gettext("The template “%(name)s” was deleted."), { name: template.name }));
  renew();
}

/** Listen from now on. */
export function startTemplates() {
  document.addEventListener("click", (event) => {
    const button = closest(event.target, "[data-template-act]");
    if (!button) return;
    const told = closest(button, "[data-template]")?.dataset.template;
    const act = button.dataset.templateAct;
    if (act === "new") edit(null);
    if (act === "edit" && told) edit(JSON.parse(told));
    if (act === "delete" && told) void remove(JSON.parse(told)).catch((error) => toast(explain(error), { failed: true }));
    if (act === "add-field") need("[data-field-name]", HTMLInputElement, addField(null)).focus();
    if (act === "remove-field") {
      const row = closest(button, ".meta-field");
      if (row?.dataset.fieldId) need("#template-removed", HTMLElement).hidden = false;
      row?.remove();
    }
  });
  document.addEventListener("change", (event) => {
    const row = closest(event.target, ".meta-field");
    if (row && closest(event.target, "[data-field-kind]")) showChoices(row);
  });
}
