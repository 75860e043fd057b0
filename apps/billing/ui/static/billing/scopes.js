/** Limits of members and team folders: the form on the page of usage, and what each member keeps on the page of members. */

import { call, explain, get } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { icon, make, need } from "../js/dom.js";
import { briefBytes } from "../js/format.js";
import { fill, gettext, locale } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const GB = 1024 ** 3;
const AT_ONCE = 100;
const decimals = new Intl.NumberFormat(locale, { maximumFractionDigits: 3, useGrouping: false });

/** @typedef {{limit_bytes: number | null, warn_bytes: number | null}} Limits */

/** @param {string} text @returns {number | null} bytes; NaN where it is no number */
const read = (text) => (text.trim() === "" ? null : Math.round(Number(text.trim().replace(",", ".")) * GB));

/** @param {string | undefined} bytes @returns {number | null} */
const number = (bytes) => (bytes ? Number(bytes) : null);

/** @param {string} text */
function showError(text) {
  const note = need("#usage-scope-error", HTMLElement);
  note.replaceChildren(icon("warning"), make("span", {}, text));
  note.hidden = !text;
}

/** Offer everybody and every team folder, once; an address may name one of them. */
async function offer() {
  const field = document.getElementById("usage-scope");
  if (!(field instanceof HTMLSelectElement) || field.dataset.ready !== undefined) return;
  field.dataset.ready = "";
  try {
    const [members, folders] = await Promise.all([get("/members?limit=1000"), get("/team-folders")]);
    const people = need('optgroup[data-kind="user"]', HTMLElement, field);
    const teams = need('optgroup[data-kind="folder"]', HTMLElement, field);
    for (const { user } of members.items) people.append(make("option", { value: `user:${user.id}` }, user.name || user.email));
    for (const { id, name } of folders.items) teams.append(make("option", { value: `folder:${id}` }, name));
    const wanted = new URLSearchParams(location.search).get("limit");
    if (wanted) choose(wanted);
  } catch (error) {
    showError(explain(error));
  }
}

/** @param {string} scope */
function choose(scope) {
  const field = need("#usage-scope", HTMLSelectElement);
  field.value = scope;
  showLimits();
  field.scrollIntoView({ block: "center" });
  field.focus();
}

/** Fill in what holds for whoever is chosen. */
function showLimits() {
  const scope = need("#usage-scope", HTMLSelectElement).value;
  const row = document.querySelector(`#usage-scopes tr[data-scope="${CSS.escape(scope)}"]`);
  const facts = row instanceof HTMLElement ? row.dataset : {};
  for (const [name, bytes] of [["limit", number(facts.limit)], ["warn", number(facts.warn)]]) {
    need(`#usage-scope-${name}`, HTMLInputElement).value = bytes === null ? "" : decimals.format(Number(bytes) / GB);
  }
  showError("");
}

/** @param {string} scope @param {Limits} limits */
async function send(scope, limits) {
  await call("PUT", `/quotas/${scope}`, { body: limits });
  await /** @type {any} */ (window).htmx.ajax("GET", location.pathname + location.search, { target: "#usage-scopes-list", select: "#usage-scopes-list", swap: "outerHTML" });
}

/** @param {string} scope @param {Limits} limits @param {string} done */
async function change(scope, limits, done) {
  const row = document.querySelector(`#usage-scopes tr[data-scope="${CSS.escape(scope)}"]`);
  const facts = row instanceof HTMLElement ? row.dataset : {};
  const before = { limit_bytes: number(facts.limit), warn_bytes: number(facts.warn) };
  await send(scope, limits);
  toast(done, { undo: true, action: gettext("Undo"), run: () => void send(scope, before).catch((error) => toast(explain(error), { failed: true })) });
}

/** @param {HTMLFormElement} form */
async function save(form) {
  const field = need("#usage-scope", HTMLSelectElement, form);
  const limits = { limit_bytes: read(need("#usage-scope-limit", HTMLInputElement, form).value), warn_bytes: read(need("#usage-scope-warn", HTMLInputElement, form).value) };
  const name = field.selectedOptions[0]?.textContent ?? "";
  showError("");
  if (!field.value) return showError(gettext("Choose a person or a team folder."));
  for (const bytes of Object.values(limits)) if (bytes !== null && !(bytes >= 0)) return showError(gettext("Enter a number of GB, or nothing."));
  const has = limits.limit_bytes !== null || limits.warn_bytes !== null;
  try {
    await change(field.value, limits, fill(has ? gettext("The limit of %(name)s is saved.") : gettext("%(name)s has no limit now."), { name }));
  } catch (error) {
    showError(explain(error));
  }
}

/** Tell on the page of members what each keeps, a hundred at a time. */
async function tellMembers() {
  if (!document.querySelector('main[data-page="members"]')) return;
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#people-rows tr[data-user-id]:not([data-storage])")]);
  for (const row of rows) row.dataset.storage = "";
  const leads = Boolean(document.querySelector('a[href="/usage/"]'));
  for (let first = 0; first < rows.length; first += AT_ONCE) {
    const some = rows.slice(first, first + AT_ONCE);
    try {
      const { items } = await get(`/quotas?scopes=${some.map((row) => `user:${row.dataset.userId}`).join(",")}`);
      for (const quota of items) {
        const row = some.find((one) => `user:${one.dataset.userId}` === quota.scope);
        const limit = quota.own_limit_bytes;
        const facts = { used: briefBytes(quota.used_bytes), limit: briefBytes(limit ?? 0) };
        const text = limit === null ? fill(gettext("%(used)s stored"), facts) : fill(gettext("%(used)s of %(limit)s stored"), facts);
        const full = (limit !== null && quota.used_bytes >= limit) || (quota.warn_bytes !== null && quota.used_bytes >= quota.warn_bytes);
        const told = leads ? make("a", { href: `/usage/?limit=${quota.scope}` }, text) : make("span", {}, text);
        if (full) told.append(" ", make("span", { class: "badge badge-warn" }, gettext("Full")));
        row?.querySelector(".person-lines")?.append(make("small", { class: "person-storage" }, told));
      }
    } catch {
      return; // the page says all else without it
    }
  }
}

onSubmit('[data-usage="scope"]', save);
document.addEventListener("change", (event) => {
  if (event.target instanceof HTMLSelectElement && event.target.id === "usage-scope") showLimits();
});
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-scope-act]") : null;
  const row = button?.closest("tr");
  if (!(button instanceof HTMLElement) || !row?.dataset.scope) return;
  if (button.dataset.scopeAct === "change") return choose(row.dataset.scope);
  const done = fill(gettext("%(name)s has no limit now."), { name: row.dataset.name ?? "" });
  void change(row.dataset.scope, { limit_bytes: null, warn_bytes: null }, done).catch((error) => toast(explain(error), { failed: true }));
});
function prepare() {
  void offer();
  void tellMembers();
}
document.addEventListener("htmx:load", prepare);
prepare();
