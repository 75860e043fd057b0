/** The vault's rules for files that come in, on the page of the vault itself: which types, and how large. */

import { call, explain, Problem } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** @typedef {{file_types: string, file_extensions: string[], largest_file_bytes: number | null}} Rules */

const MB = 1024 * 1024;

/** Where a refused rule stands in the form. @type {Record<string, string>} */
const FIELDS = { file_extensions: "#file-rules-extensions", largest_file_bytes: "#file-rules-largest" };

/** The rules as the page was loaded, or saved last: what "Undo" brings back. @type {Rules | null} */
let saved = null;

/** @returns {HTMLFormElement | null} */
const findForm = () => /** @type {HTMLFormElement | null} */ (document.querySelector("#file-rules-form"));

/** @param {HTMLFormElement} form @returns {Rules} */
function read(form) {
  const size = need("#file-rules-largest", HTMLInputElement, form).value.trim();
  return {
    file_types: need("#file-rules-types", HTMLSelectElement, form).value,
    file_extensions: need("#file-rules-extensions", HTMLTextAreaElement, form).value.split(/[\s,;]+/u).filter(Boolean),
    largest_file_bytes: size ? Math.round(Number(size) * MB) : null,
  };
}

/** @param {HTMLFormElement} form @param {Rules} rules */
function write(form, rules) {
  need("#file-rules-types", HTMLSelectElement, form).value = rules.file_types;
  need("#file-rules-extensions", HTMLTextAreaElement, form).value = rules.file_extensions.join("\n");
  need("#file-rules-largest", HTMLInputElement, form).value = rules.largest_file_bytes === null ? "" : String(rules.largest_file_bytes / MB);
  showList(form);
}

/** Show the list where it means something. @param {HTMLFormElement} form */
function showList(form) {
  need("#file-rules-extensions-field", HTMLElement, form).hidden = need("#file-rules-types", HTMLSelectElement, form).value === "all";
}

/** @param {HTMLFormElement} form @param {string} text @param {string} [field] */
function showError(form, text, field = "") {
  const line = need("#file-rules-error", HTMLElement, form);
  line.textContent = text;
  line.hidden = !text;
  for (const input of Object.values(FIELDS)) need(input, HTMLElement, form).setAttribute("aria-invalid", String(input === field));
  if (field) need(field, HTMLElement, form).focus();
}

/** @param {HTMLFormElement} form @param {Rules} rules */
async function save(form, rules) {
  showError(form, "");
  const before = saved;
  try {
    const { policies } = await call("PATCH", "/tenant", { body: { policies: rules } });
    saved = { file_types: policies.file_types, file_extensions: policies.file_extensions, largest_file_bytes: policies.largest_file_bytes };
    write(form, saved);
  } catch (error) {
    const facts = error instanceof Problem ? error.facts : {};
    const told = facts.value ? fill(gettext("“%(value)s” is not an ending of file names. Write it like .exe or .tar.gz."), { value: facts.value }) : explain(error);
    return showError(form, told, FIELDS[String(facts.field ?? "")]);
  }
  const takeBack = before && JSON.stringify(before) !== JSON.stringify(saved) ? before : null;
  toast(gettext("The rules are saved."), takeBack ? { action: gettext("Undo"), undo: true, run: () => void save(form, takeBack) } : {});
}

/** @param {HTMLFormElement} form */
function submit(form) {
  const size = need("#file-rules-largest", HTMLInputElement, form);
  // What is no number has an empty value, which would mean "no limit".
  if (size.validity.badInput) return showError(form, gettext("Give the size as a number."), FIELDS.largest_file_bytes);
  return save(form, read(form));
}

function remember() {
  const form = findForm();
  saved = form ? read(form) : null;
}

document.addEventListener("change", (event) => {
  const form = findForm();
  if (form && event.target instanceof HTMLSelectElement && event.target.form === form) showList(form);
});
onSubmit("#file-rules-form", submit);
document.addEventListener("bitvault:page", remember);
remember();
