/** The table of preferences, saved as it is changed, and what is followed and muted. */

import { call, explain } from "../js/api.js";
import { announce, closest } from "../js/dom.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** @param {HTMLElement} row @returns {{topic: string, browser: boolean, mail: string}} */
function readRow(row) {
  const browser = row.querySelector('[data-preference="browser"]');
  const mail = row.querySelector('[data-preference="mail"]');
  return {
    topic: row.dataset.topic ?? "",
    browser: browser instanceof HTMLInputElement && browser.checked,
    mail: mail instanceof HTMLSelectElement ? mail.value : "off",
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
});
document.addEventListener("click", (event) => {
  const row = closest(closest(event.target, '[data-subscription="end"]'), "[data-id]");
  if (row) void end(row);
});
