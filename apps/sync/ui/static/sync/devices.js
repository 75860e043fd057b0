/** The page of devices: disconnect one. */

import { call, explain, Problem } from "../js/api.js";
import { confirmAction } from "../js/dialogs.js";
import { closest } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** @param {HTMLElement} row */
async function end(row) {
  const sure = await confirmAction({
    title: fill(gettext("Disconnect “%(name)s”?"), { name: row.dataset.title ?? "" }),
    text: gettext("It gets no further changes and sends none. What it has already stays on it."),
    accept: gettext("Disconnect"),
    danger: true,
  });
  if (!sure) return;
  try {
    await call("DELETE", `/sync/devices/${row.dataset.id}`);
  } catch (error) {
    if (!(error instanceof Problem && error.status === 404)) return void toast(explain(error), { failed: true });
  }
  await /** @type {any} */ (window).htmx.ajax("GET", location.pathname, { target: "#devices", select: "#devices", swap: "outerHTML" });
}

document.addEventListener("click", (event) => {
  const row = closest(closest(event.target, '[data-device="end"]'), "[data-id]");
  if (row) void end(row);
});
