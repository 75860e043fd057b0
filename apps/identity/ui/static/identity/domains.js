/** The page of domains: added, checked, named in mails, removed. */

import { call, explain } from "../js/api.js";
import { onSubmit, whileBusy } from "../js/busy.js";
import { confirmAction, showFieldError } from "../js/dialogs.js";
import { announce, closest, need } from "../js/dom.js";
import { fillTimes } from "../js/format.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** Show the page as the server has it now. */
async function renew() {
  await /** @type {any} */ (window).htmx.ajax("GET", location.pathname, { target: "#domains", select: "#domains", swap: "outerHTML" });
  fillTimes(need("#domains", HTMLElement));
}

/** @param {HTMLElement} row */
async function check(row) {
  try {
    const { state, problem } = await call("POST", `/tenant/domains/${row.dataset.id}/check`);
    const name = row.dataset.domain ?? "";
    await renew();
    if (state === "proved" && !problem) toast(fill(gettext("“%(name)s” leads to this vault."), { name }));
    else announce(document.querySelector(`[data-id="${row.dataset.id}"] p.field-error`)?.textContent ?? "");
    document.querySelector(/** @type {"button"} */ (`[data-id="${row.dataset.id}"] [data-domain-act="check"]`))?.focus();
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

/** @param {HTMLElement} row */
async function remove(row) {
  const sure = await confirmAction({
    title: fill(gettext("Remove “%(name)s”?"), { name: row.dataset.domain ?? "" }),
    text: gettext("Who comes by this name does not find the vault any more, and links that name it open nothing. Added again, it needs another record."),
    accept: gettext("Remove"),
    danger: true,
  });
  if (!sure) return;
  try {
    await call("DELETE", `/tenant/domains/${row.dataset.id}`);
  } catch (error) {
    return void toast(explain(error), { failed: true });
  }
  await renew();
}

/** @param {HTMLElement} row @param {boolean} on */
async function choose(row, on) {
  try {
    await call("PATCH", `/tenant/domains/${row.dataset.id}`, { body: { is_primary: on } });
  } catch (error) {
    return void toast(explain(error), { failed: true });
  }
  await renew();
  toast(on ? fill(gettext("Mails name “%(name)s” from now on."), { name: row.dataset.domain ?? "" }) : gettext("Mails name the address below the installation."), { action: gettext("Undo"), undo: true, run: () => void choose(row, !on) });
}

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-domain-act]");
  const row = button && closest(button, ".domain-row");
  if (!(button instanceof HTMLButtonElement) || !row) return;
  const act = button.dataset.domainAct;
  if (act === "check") void whileBusy(button, () => check(row));
  if (act === "remove") void remove(row);
  if (act === "primary" || act === "not-primary") void choose(row, act === "primary");
});

onSubmit("#domain-form", async (form) => {
  const input = need("#domain-name", HTMLInputElement, form);
  showFieldError(input, "");
  try {
    await call("POST", "/tenant/domains", { body: { domain: input.value.trim() } });
  } catch (error) {
    showFieldError(input, explain(error));
    return input.focus();
  }
  await renew();
});
