/** The page of the vault itself: its name, language and zone, and the rules for sharing. */

import { call, explain, Problem } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { confirmAction, showFieldError } from "../js/dialogs.js";
import { closest, need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** @typedef {Record<string, unknown>} Rules */

/** Where a refused rule stands in the form. @type {Record<string, string>} */
const FIELDS = { longest_days: "#rules-days", allowed_domains: "#rules-domains", guest_domains: "#rules-guest-domains" };

/** Rules that are chosen from a list. */
const CHOICES = ["share_outside", "guests", "share_on"];

/** Rules that are domains, one on each line. @type {Record<string, string>} */
const DOMAINS = { allowed_domains: "#rules-domains", guest_domains: "#rules-guest-domains" };

/** The rules as the page was loaded, or saved last: what "Undo" brings back. @type {Rules | null} */
let saved = null;

/** @param {HTMLFormElement} form @returns {Rules} */
function read(form) {
  const data = new FormData(form);
  const days = String(data.get("longest_days") ?? "").trim();
  /** @type {Rules} */
  const rules = { longest_days: days ? Number(days) : null };
  for (const name of CHOICES) rules[name] = data.get(name);
  for (const box of form.querySelectorAll(/** @type {"input"} */ ("input[type=checkbox]"))) rules[box.name] = box.checked;
  for (const name of Object.keys(DOMAINS)) rules[name] = String(data.get(name) ?? "").split(/[\s,;]+/u).filter(Boolean);
  return rules;
}

/** @param {HTMLFormElement} form @param {Rules} rules */
function write(form, rules) {
  for (const name of CHOICES) need(`[name="${name}"]`, HTMLSelectElement, form).value = String(rules[name]);
  for (const box of form.querySelectorAll(/** @type {"input"} */ ("input[type=checkbox]"))) box.checked = Boolean(rules[box.name]);
  need("#rules-days", HTMLInputElement, form).value = rules.longest_days === null ? "" : String(rules.longest_days);
  for (const [name, field] of Object.entries(DOMAINS)) need(field, HTMLTextAreaElement, form).value = /** @type {string[]} */ (rules[name]).join("\n");
}

/** @param {HTMLFormElement} form @param {Rules} rules */
async function saveRules(form, rules) {
  const line = need("#rules-error", HTMLElement, form);
  line.hidden = true;
  const before = saved;
  try {
    const { policies } = await call("PATCH", "/tenant", { body: { policies: rules } });
    const shown = Object.fromEntries(Object.keys(rules).map((name) => [name, policies[name]]));
    write(form, shown);
    saved = shown;
  } catch (error) {
    line.textContent = explain(error);
    line.hidden = false;
    const field = error instanceof Problem ? FIELDS[String(error.facts.field ?? "")] : "";
    return /** @type {HTMLElement | null} */ (field ? document.querySelector(field) : null)?.focus();
  }
  const takeBack = before && JSON.stringify(before) !== JSON.stringify(saved) ? before : null;
  toast(gettext("The rules are saved."), takeBack ? { action: gettext("Undo"), undo: true, run: () => void saveRules(form, takeBack) } : {});
}

/** @param {HTMLFormElement} form */
async function saveVault(form) {
  const data = new FormData(form);
  const name = need("#vault-name", HTMLInputElement, form);
  showFieldError(name, "");
  try {
    await call("PATCH", "/tenant", { body: { name: data.get("name"), locale: data.get("locale"), time_zone: data.get("time_zone") } });
  } catch (error) {
    showFieldError(name, explain(error));
    return name.focus();
  }
  // The frame shows the name, and is in the language, that was chosen.
  location.reload();
}

/** @param {HTMLFormElement} form */
async function deleteVault(form) {
  const name = need("#vault-deletion-name", HTMLInputElement, form);
  showFieldError(name, "");
  try {
    await call("POST", "/tenant/deletion", { body: { name: name.value } });
  } catch (error) {
    showFieldError(name, explain(error));
    return name.focus();
  }
  // Every page tells of it from now on.
  location.reload();
}

/** @param {HTMLFormElement} form */
async function saveSupport(form) {
  const line = need("#support-error", HTMLElement, form);
  const choice = need("#support-access", HTMLSelectElement, form);
  line.hidden = true;
  try {
    await call("PATCH", "/tenant", { body: { policies: { support_access: choice.value } } });
  } catch (error) {
    line.textContent = explain(error);
    line.hidden = false;
    return choice.focus();
  }
  toast(gettext("The rules are saved."));
}

async function keepVault() {
  try {
    await call("DELETE", "/tenant/deletion");
  } catch (error) {
    return void toast(explain(error), { failed: true });
  }
  location.reload();
}

/** @param {HTMLElement} button */
async function endVisit(button) {
  const { visit = "", name = "" } = button.dataset;
  const sure = await confirmAction({
    title: gettext("End this visit?"),
    text: fill(gettext("%(name)s is out at once. To keep support out for good, choose “Nobody of support gets in” and save."), { name }),
    accept: gettext("End now"),
    danger: true,
  });
  if (!sure) return;
  try {
    await call("DELETE", `/support-visits/${visit}`);
  } catch (error) {
    // Who has left meanwhile is out.
    if (!(error instanceof Problem && error.status === 404)) return void toast(explain(error), { failed: true });
  }
  // The list tells how it ended.
  location.reload();
}

document.addEventListener("click", (event) => {
  const visit = closest(event.target, '[data-team="end-visit"]');
  if (visit) void endVisit(visit);
  if (closest(event.target, '[data-team="keep-vault"]')) void keepVault();
});

function remember() {
  const form = document.querySelector("#rules-form");
  saved = form instanceof HTMLFormElement ? read(form) : null;
}

onSubmit("#vault-form", saveVault);
onSubmit("#rules-form", (form) => saveRules(form, read(form)));
onSubmit("#support-form", saveSupport);
onSubmit("#vault-deletion-form", deleteVault);
document.addEventListener("bitvault:page", remember);
remember();
