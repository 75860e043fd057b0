/** The rules of the vault for earlier versions of files, on its page. What they delete does not come back, so stricter ones are asked about. */

import { call, explain, get, Problem } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { confirmAction } from "../js/dialogs.js";
import { need } from "../js/dom.js";
import { bytes } from "../js/format.js";
import { counted, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** @typedef {{versions_keep_count: number | null, versions_keep_days: number | null, versions_thinning: boolean}} Rules */

/** Where a refused rule stands in the form. @type {Record<string, string>} */
const FIELDS = { versions_keep_count: "#versions-count", versions_keep_days: "#versions-days" };

/** The rules as the page was loaded, or saved last. @type {Rules | null} */
let saved = null;

/** @param {HTMLFormElement} form @returns {Rules} */
function read(form) {
  const figure = (/** @type {string} */ field) => {
    const text = need(field, HTMLInputElement, form).value.trim();
    return text ? Number(text) : null;
  };
  return {
    versions_keep_count: figure("#versions-count"),
    versions_keep_days: figure("#versions-days"),
    versions_thinning: need("[name=versions_thinning]", HTMLInputElement, form).checked,
  };
}

/** @param {Rules} before @param {Rules} after @returns {boolean} whether something is deleted that was kept before */
function isStricter(before, after) {
  const isLess = (/** @type {number | null} */ now, /** @type {number | null} */ then) => now !== null && (then === null || now < then);
  return (
    isLess(after.versions_keep_count, before.versions_keep_count) ||
    isLess(after.versions_keep_days, before.versions_keep_days) ||
    (after.versions_thinning && !before.versions_thinning)
  );
}

/**
 * Say what the rules would delete by now; nothing where that cannot be told, for they can be set all the same.
 *
 * @param {Rules} rules
 * @returns {Promise<string>}
 */
async function foretell({ versions_keep_count: count, versions_keep_days: days, versions_thinning: thinning }) {
  const wish = new URLSearchParams({ ...(count === null ? {} : { keep_count: String(count) }), ...(days === null ? {} : { keep_days: String(days) }), thinning: String(thinning) });
  try {
    const found = await get(`/versions/expiry?${wish}`);
    const facts = { size: bytes(found.size_bytes) };
    if (!found.version_count && found.is_complete) return gettext("Today they would delete nothing.");
    if (!found.is_complete) return counted("More than %(count)s earlier version, %(size)s, would be deleted.", "More than %(count)s earlier versions, %(size)s, would be deleted.", found.version_count, facts);
    return counted("About %(count)s earlier version, %(size)s, would be deleted.", "About %(count)s earlier versions, %(size)s, would be deleted.", found.version_count, facts);
  } catch {
    return "";
  }
}

/** @param {HTMLFormElement} form */
async function save(form) {
  const line = need("#versions-rules-error", HTMLElement, form);
  line.hidden = true;
  for (const field of Object.values(FIELDS)) {
    const input = need(field, HTMLInputElement, form);
    if (input.validity.badInput || input.validity.stepMismatch) return refuse(line, gettext("Type a whole number, or nothing."), field);
  }
  const rules = read(form);
  if (saved && isStricter(saved, rules)) {
    const told = gettext("In all files of the vault, versions that the rules do not keep are deleted permanently, from now on and without asking again.");
    const isSure = await confirmAction({
      title: gettext("Delete earlier versions by these rules?"),
      text: [await foretell(rules), told].filter(Boolean).join(" "),
      accept: gettext("Save the rules"),
      danger: true,
    });
    if (!isSure) return;
  }
  try {
    await call("PATCH", "/tenant", { body: { policies: rules } });
  } catch (error) {
    return refuse(line, explain(error), error instanceof Problem ? FIELDS[String(error.facts.field ?? "")] : "");
  }
  saved = rules;
  toast(gettext("The rules are saved."));
}

/** @param {HTMLElement} line @param {string} text @param {string | undefined} field */
function refuse(line, text, field) {
  line.textContent = text;
  line.hidden = false;
  if (field) need(field, HTMLInputElement).focus();
}

function remember() {
  const form = document.querySelector("#versions-form");
  saved = form instanceof HTMLFormElement ? read(form) : null;
}

onSubmit("#versions-form", save);
document.addEventListener("bitvault:page", remember);
remember();
