/** The pages "Shared with me" and "Shared by me": leaving what one has received, ending what one has given, several at once. */

import { call, explain } from "../js/api.js";
import { confirmAction } from "../js/dialogs.js";
import { closest, need } from "../js/dom.js";
import { fillTimes } from "../js/format.js";
import { counted, fill, gettext } from "../js/i18n.js";
import { sectionLink } from "../js/sections.js";
import { toast } from "../js/toast.js";
import { named } from "./terms.js";

/** Between two looks: whoever uploads a thousand files makes a thousand heads. */
const REST_MS = 3000;

let resting = 0;

const main = () => document.querySelector('#main:is([data-page="shared"], [data-page="shared-by-me"])');
const lines = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#shared-rows > [data-share-id]")]);
const boxes = () => /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll("#shared-rows input[data-shared-pick]")]);

/** Show the list as the server has it now; what is chosen stays chosen. */
async function renew() {
  if (!main()) return;
  const picked = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
  await /** @type {any} */ (window).htmx.ajax("GET", location.pathname + location.search, { target: "#shared", select: "#shared", swap: "outerHTML" });
  for (const box of boxes()) box.checked = picked.has(box.value);
  dress();
}

function dress() {
  if (!main()) return;
  fillTimes(need("#main", HTMLElement));
  const count = boxes().filter((box) => box.checked).length;
  const end = document.querySelector('[data-shared-act="end-picked"]');
  const all = document.querySelector("[data-shared-pick-all]");
  if (end instanceof HTMLButtonElement) {
    end.disabled = !count;
    end.textContent = count ? counted("Stop sharing %(count)s", "Stop sharing %(count)s", count) : gettext("Stop sharing");
  }
  if (all instanceof HTMLInputElement) {
    all.checked = count > 0 && count === boxes().length;
    all.indeterminate = count > 0 && !all.checked;
  }
}

/** @param {string} shareId @param {string} name */
async function leave(shareId, name) {
  const sure = await confirmAction({
    title: fill(gettext("Leave “%(name)s”?"), { name }),
    text: gettext("It disappears from your list and your devices. Nothing of it is deleted; whoever shared it can share it with you again."),
    accept: gettext("Leave"),
    danger: true,
  });
  if (!sure) return;
  try {
    await call("DELETE", `/shares/${shareId}`);
  } catch (error) {
    return void toast(explain(error), { failed: true });
  }
  toast(fill(gettext("You have left “%(name)s”."), { name }));
  document.querySelector(/** @type {"dialog"} */ ("#share-dialog[open]"))?.close();
  if (main()) await renew();
  else sectionLink("shared")?.click();
}

/** Leave, or take back, what came by a group or with everyone: for oneself alone. @param {string} shareId @param {string} name @param {boolean} isLeaving */
async function leaveMine(shareId, name, isLeaving) {
  try {
    await call(isLeaving ? "PUT" : "DELETE", `/shares/${shareId}/left`);
  } catch (error) {
    return void toast(explain(error), { failed: true });
  }
  if (isLeaving) toast(fill(gettext("You have left “%(name)s”. It stays for everyone else."), { name }), { action: gettext("Undo"), undo: true, run: () => void leaveMine(shareId, name, false) });
  else toast(fill(gettext("“%(name)s” is shared with you again."), { name }));
  await renew();
}

/** @param {HTMLElement[]} ending */
async function end(ending) {
  /** @type {HTMLElement[]} */
  const done = [];
  let refusal = "";
  for (const line of ending) {
    try {
      await call("DELETE", `/shares/${line.dataset.shareId}`);
      done.push(line);
    } catch (error) {
      refusal = explain(error);
    }
  }
  if (refusal) toast(refusal, { failed: true });
  if (done.length) {
    const [first] = done;
    const said = done.length === 1 ? fill(gettext("“%(name)s” is not shared with %(other)s any more."), { name: first.dataset.name ?? "", other: first.dataset.other ?? "" }) : counted("%(count)s share has ended.", "%(count)s shares have ended.", done.length);
    const facts = done.map((line) => ({ ...line.dataset }));
    toast(said, { action: gettext("Undo"), undo: true, run: () => void giveBack(facts) });
  }
  await renew();
}

/** @param {DOMStringMap[]} facts */
async function giveBack(facts) {
  try {
    for (const { nodeId, otherType, otherId, otherEmail, role, expires } of facts) {
      const principal = named({ type: otherType ?? "", id: otherId || null, name: "", email: otherEmail });
      await call("POST", `/nodes/${nodeId}/shares`, { body: { principal, role, expires_at: expires || null, notify: false } });
    }
    toast(counted("%(count)s share is back.", "%(count)s shares are back.", facts.length));
  } catch (error) {
    toast(explain(error), { failed: true });
  }
  await renew();
}

/** Listen from now on. */
export function startLists() {
  document.addEventListener("click", (event) => {
    const button = closest(event.target, "[data-shared-act]");
    if (!button) return;
    const line = closest(button, "[data-share-id]");
    if (button.dataset.sharedAct === "leave" && line) void leave(line.dataset.shareId ?? "", line.dataset.name ?? "");
    if (button.dataset.sharedAct === "leave-mine" && line) void leaveMine(line.dataset.shareId ?? "", line.dataset.name ?? "", true);
    if (button.dataset.sharedAct === "take-back" && line) void leaveMine(line.dataset.shareId ?? "", line.dataset.name ?? "", false);
    if (button.dataset.sharedAct === "end" && line) void end([line]);
    if (button.dataset.sharedAct === "end-picked") void end(lines().filter((one) => one.querySelector(/** @type {"input"} */ ("input[data-shared-pick]"))?.checked));
  });
  document.addEventListener("change", (event) => {
    const { target } = event;
    if (!(target instanceof HTMLInputElement) || !main()) return;
    if (target.dataset.sharedPickAll !== undefined) for (const box of boxes()) box.checked = target.checked;
    dress();
  });
  document.addEventListener("bitvault:leave-share", (event) => {
    const { shareId, name } = /** @type {CustomEvent<{shareId: string, name: string}>} */ (event).detail;
    void leave(shareId, name);
  });
  document.addEventListener("bitvault:share-closed", () => void renew());
  document.addEventListener("bitvault:page", dress);
  document.addEventListener("htmx:afterSettle", dress);
  document.addEventListener("bitvault:head", () => {
    if (resting || !main()) return;
    resting = setTimeout(() => {
      resting = 0;
      if (!document.hidden && !document.querySelector("dialog[open]")) void renew();
    }, REST_MS);
  });
  dress();
}
