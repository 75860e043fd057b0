/** The page of usage: the limit that the vault sets itself, read and written in GB as the page shows sizes. */

import { call, explain } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { icon, make, need } from "../js/dom.js";
import { bytes } from "../js/format.js";
import { fill, gettext, locale } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const GB = 1024 ** 3;
const decimals = new Intl.NumberFormat(locale, { maximumFractionDigits: 3, useGrouping: false });

/** Show the limit as it is kept; the field is empty where there is none. */
function prepare() {
  const field = document.getElementById("usage-own");
  if (!(field instanceof HTMLInputElement) || field.dataset.ready !== undefined) return;
  field.dataset.ready = "";
  if (field.dataset.bytes) field.value = decimals.format(Number(field.dataset.bytes) / GB);
}

/** @param {string} text */
function showError(text) {
  const note = need("#usage-own-error", HTMLElement);
  note.replaceChildren(icon("warning"), make("span", {}, text));
  note.hidden = !text;
  need("#usage-own", HTMLInputElement).setAttribute("aria-invalid", String(Boolean(text)));
}

/** @param {number | null} limit */
async function send(limit) {
  await call("PUT", "/quotas/tenant", { body: { limit_bytes: limit } });
  await /** @type {any} */ (window).htmx.ajax("GET", location.pathname + location.search, { target: "#main", select: "#main", swap: "outerHTML" });
  prepare();
}

/** @param {HTMLFormElement} form */
async function save(form) {
  const field = need("#usage-own", HTMLInputElement, form);
  const text = field.value.trim().replace(",", ".");
  const limit = text === "" ? null : Math.round(Number(text) * GB);
  const given = Number(field.dataset.given);
  const before = field.dataset.bytes ? Number(field.dataset.bytes) : null;
  showError("");
  if (limit !== null && !(limit >= 0)) return showError(gettext("Enter a number of GB, or nothing."));
  if (limit !== null && limit > given) return showError(fill(gettext("The plan gives %(size)s: the limit cannot be above that."), { size: bytes(given) }));
  try {
    await send(limit);
    const done = limit === null ? gettext("The vault may use all that the plan gives.") : fill(gettext("The limit is %(size)s now."), { size: bytes(limit) });
    toast(done, { undo: true, action: gettext("Undo"), run: () => void send(before).catch((error) => toast(explain(error), { failed: true })) });
  } catch (error) {
    showError(explain(error));
  }
}

onSubmit('[data-usage="limit"]', save);
document.addEventListener("htmx:load", prepare);
prepare();
