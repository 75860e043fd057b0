/** The table of preferences and quiet hours, saved as they are changed, and what is followed and muted. */

import { call, explain } from "../js/api.js";
import { showFieldError } from "../js/dialogs.js";
import { announce, closest, need } from "../js/dom.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** @param {HTMLElement} row @returns {{topic: string, browser: boolean, mail: string, push: boolean}} */
function readRow(row) {
  const browser = row.querySelector('[data-preference="browser"]');
  const mail = row.querySelector('[data-preference="mail"]');
  const push = row.querySelector('[data-preference="push"]');
  return {
    topic: row.dataset.topic ?? "",
    browser: browser instanceof HTMLInputElement && browser.checked,
    mail: mail instanceof HTMLSelectElement ? mail.value : "off",
    push: push instanceof HTMLInputElement && push.checked,
  };
}

/** @param {HTMLElement} row */
async function save(row) {
  try {
    await call("PUT", "/notifications/preferences", { body: { items: [readRow(row)] } });
    announce(gettext("Saved."));
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

/** @param {HTMLFormElement} form */
async function saveQuietHours(form) {
  const on = need('[name="on"]', HTMLInputElement, form);
  const start = need('[name="start"]', HTMLInputElement, form);
  const end = need('[name="end"]', HTMLInputElement, form);
  start.disabled = end.disabled = !on.checked;
  let message = "";
  if (on.checked && (!start.value || !end.value)) message = gettext("Choose both times.");
  else if (on.checked && start.value === end.value) message = gettext("Choose two different times.");
  for (const input of [start, end]) showFieldError(input, "");
  if (message) return void showFieldError(start.value ? end : start, message);
  const hours = on.checked ? { start: start.value.slice(0, 5), end: end.value.slice(0, 5) } : null;
  try {
    await call("PUT", "/notifications/preferences", { body: { quiet_hours: hours } });
    announce(gettext("Saved."));
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

/** @param {HTMLElement} row */
async function end(row) {
  try {
    await call("DELETE", `/subscriptions/${row.dataset.id}`);
  } catch (error) {
    return void toast(explain(error), { failed: true });
  }
  await /** @type {any} */ (window).htmx.ajax("GET", location.pathname, { target: "#subscriptions", select: "#subscriptions", swap: "outerHTML" });
  document.getElementById("main")?.focus();
}

document.addEventListener("change", (event) => {
  const row = closest(closest(event.target, "[data-preference]"), "[data-topic]");
  if (row) void save(row);
  const form = closest(event.target, "#quiet-form");
  if (form instanceof HTMLFormElement) void saveQuietHours(form);
});
document.addEventListener("submit", (event) => {
  // Enter in a time: it is saved already.
  if (event.target instanceof HTMLFormElement && event.target.id === "quiet-form") event.preventDefault();
});
document.addEventListener("click", (event) => {
  const row = closest(closest(event.target, '[data-subscription="end"]'), "[data-id]");
  if (row) void end(row);
});
