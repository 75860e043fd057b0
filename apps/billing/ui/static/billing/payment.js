/** Choosing a plan that is paid for, and the way to the payment method and the invoices: both lead to the payment service and back. */

import { call, explain } from "../js/api.js";
import { confirmAction } from "../js/dialogs.js";
import { bytes } from "../js/format.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** @param {HTMLElement} button */
async function choose(button) {
  const name = button.dataset.name ?? "";
  const over = Number(button.dataset.used) - Number(button.dataset.room);
  const parts = [fill(gettext("A month costs %(price)s, and what is used above what is included."), { price: button.dataset.price ?? "" })];
  if (over > 0) parts.push(fill(gettext("The vault is %(size)s larger than this plan. Nothing is deleted, but new uploads are refused until everything fits."), { size: bytes(over) }));
  if (button.dataset.changes !== undefined) parts.push(gettext("The plan changes now, and the rest of the month is settled with the next invoice."));
  else parts.push(gettext("You are led to Stripe to pay, and come back here."));
  const title = fill(gettext("Choose the plan “%(name)s”?"), { name });
  if (!(await confirmAction({ title, text: parts.join(" "), accept: gettext("Choose plan") }))) return;
  await run(button, async () => {
    const choice = await call("PUT", "/payment/plan", { body: { plan: button.dataset.plan } });
    if (choice.url) return location.assign(choice.url);
    toast(fill(gettext("The plan is “%(name)s” now."), { name }));
    await /** @type {any} */ (window).htmx.ajax("GET", "/usage/", { target: "#main", select: "#main", swap: "outerHTML" });
  });
}

/** @param {HTMLElement} button */
async function openPortal(button) {
  await run(button, async () => {
    const portal = await call("POST", "/payment/portal");
    location.assign(portal.url);
  });
}

/**
 * @param {HTMLElement} button
 * @param {() => Promise<void>} work
 */
async function run(button, work) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    toast(explain(error), { failed: true });
  } finally {
    button.removeAttribute("aria-busy");
  }
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-payment]") : null;
  if (!(button instanceof HTMLElement)) return;
  if (button.dataset.payment === "choose") void choose(button);
  else void openPortal(button);
});
