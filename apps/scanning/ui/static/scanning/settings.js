/** The page of scanning: change the rule, release what is in quarantine. */

import { call, explain } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { confirmAction, openForm, Refusal } from "../js/dialogs.js";
import { closest, need } from "../js/dom.js";
import { fillTimes } from "../js/format.js";
import { counted, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** Show a part of the page as the server has it now. @param {string} selector */
async function renew(selector) {
  await /** @type {any} */ (window).htmx.ajax("GET", location.pathname + location.search, { target: selector, select: selector, swap: "outerHTML" });
  fillTimes(need(selector, HTMLElement));
}

/** What becomes of files that cannot be scanned matters where scanning is required. */
function follow() {
  need("#scan-unscanned", HTMLSelectElement).disabled = need("#scan-mode", HTMLSelectElement).value !== "require";
}

async function save() {
  const error = need("#scan-error", HTMLElement);
  error.hidden = true;
  try {
    const body = { mode: need("#scan-mode", HTMLSelectElement).value, unscanned: need("#scan-unscanned", HTMLSelectElement).value };
    await call("PATCH", "/scanning/rule", { body });
    toast(gettext("The rule was saved."));
  } catch (refused) {
    error.textContent = explain(refused);
    error.hidden = false;
  }
}

/** @param {string} id */
function release(id) {
  openForm("#release-dialog", async () => {
    const input = need("#release-reason", HTMLInputElement);
    const reason = input.value.trim();
    if (!reason) throw new Refusal(input, gettext("Say why."));
    try {
      await call("POST", `/quarantine/${id}/release`, { body: { reason } });
    } catch (error) {
      throw new Refusal(input, explain(error));
    }
    toast(gettext("It was released."));
    await renew("#quarantine");
  });
}

/** @param {string} id */
async function discard(id) {
  const question = {
    title: gettext("Move to trash?"),
    text: gettext("All files with this content go to the trash, whosever they are. They are closed there as well, until the trash is emptied."),
    accept: gettext("Move to trash"),
    danger: true,
  };
  if (!(await confirmAction(question))) return;
  try {
    const { trashed_count: moved, locked_count: locked } = await call("POST", `/quarantine/${id}/trash`);
    const said = moved ? counted("%(count)s file was moved to the trash.", "%(count)s files were moved to the trash.", moved) : gettext("There is no file with it any more.");
    if (locked) toast(counted("%(count)s file is locked by somebody and stays.", "%(count)s files are locked by somebody and stay.", locked), { failed: true });
    else toast(said);
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-scanning]");
  if (!button) return;
  const id = closest(button, "[data-content]")?.dataset.content ?? "";
  if (button.dataset.scanning === "discard") void discard(id);
  else release(id);
});
document.addEventListener("change", (event) => {
  if (event.target instanceof HTMLSelectElement && event.target.id === "scan-mode") follow();
});
onSubmit("#scan-rule-form", save);
