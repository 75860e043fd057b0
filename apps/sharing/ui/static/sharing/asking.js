/** Requests for access: asking on the page of an address that one may not open, and answering on the page of requests. */

import { call, explain } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { closest, need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** @param {HTMLFormElement} form */
async function ask(form) {
  const line = need("#ask-error", HTMLElement, form);
  line.hidden = true;
  try {
    await call("POST", `/nodes/${form.dataset.nodeId}/access-requests`, { body: { message: need("#ask-message", HTMLTextAreaElement, form).value } });
  } catch (error) {
    line.textContent = explain(error);
    line.hidden = false;
    return;
  }
  const done = need("#ask-done", HTMLElement);
  form.hidden = true;
  done.hidden = false;
  done.focus();
}

/** Show the page as the server has it now. */
const renew = () => /** @type {any} */ (window).htmx.ajax("GET", location.pathname, { target: "#shared", select: "#shared", swap: "outerHTML" });

/** @param {HTMLElement} line @param {boolean} granted */
async function answer(line, granted) {
  const { requestId, who = "", name = "" } = line.dataset;
  const role = need("[data-ask-role]", HTMLSelectElement, line).value;
  try {
    const answered = await call("POST", `/access-requests/${requestId}/answer`, { body: granted ? { granted, role } : { granted } });
    if (granted) toast(fill(gettext("%(who)s has access to “%(name)s”."), { who, name }), { action: gettext("Undo"), undo: true, run: () => void takeBack(answered.share_id, who) });
    else toast(fill(gettext("%(who)s gets no access to “%(name)s”."), { who, name }));
  } catch (error) {
    toast(explain(error), { failed: true });
  }
  await renew();
  const next = document.querySelector("[data-ask-act]") ?? document.getElementById("main");
  if (next instanceof HTMLElement) next.focus();
}

/** @param {string} shareId @param {string} who */
async function takeBack(shareId, who) {
  try {
    await call("DELETE", `/shares/${shareId}`);
    toast(fill(gettext("%(who)s has no access any more."), { who }));
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

/** Listen from now on. */
export function startAsking() {
  onSubmit("#ask-form", ask);
  document.addEventListener("click", (event) => {
    const pressed = closest(event.target, "[data-ask-act]");
    const line = pressed && closest(pressed, "[data-request-id]");
    if (pressed && line) void answer(line, pressed.dataset.askAct === "grant");
  });
}
