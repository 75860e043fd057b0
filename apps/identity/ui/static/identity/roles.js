/** The page of roles: make, change and delete those of the vault's own. */

import { call, explain } from "../js/api.js";
import { confirmAction, openForm, Refusal } from "../js/dialogs.js";
import { closest, need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** Show the page as the server has it now. */
const renew = () => /** @type {any} */ (window).htmx.ajax("GET", location.pathname, { target: "#main", select: "#main", swap: "outerHTML" });

/** Send a change that the dialog asks for; what is wrong stands beside a field. @param {HTMLInputElement | HTMLSelectElement} field @param {() => Promise<unknown>} act @param {string} done */
async function carryOut(field, act, done) {
  try {
    await act();
  } catch (error) {
    throw new Refusal(field, explain(error));
  }
  toast(done);
  void renew();
}

/** @param {HTMLElement | null} row the role to change; none: a new one */
function edit(row) {
  const dialog = need("#role-dialog", HTMLDialogElement);
  const name = need("#role-name", HTMLInputElement);
  const base = need("#role-base", HTMLSelectElement);
  const boxes = [...dialog.querySelectorAll('input[name="permission"]')].filter((box) => box instanceof HTMLInputElement);
  const allowed = new Set((row?.dataset.permissions ?? "").split(" "));
  for (const part of ["#role-dialog-title", '[data-role="accept"]']) {
    const text = need(part, HTMLElement, dialog);
    text.textContent = (row ? text.dataset.edit : text.dataset.new) ?? "";
  }
  openForm("#role-dialog", async () => {
    const body = { name: name.value, base: base.value, permissions: boxes.filter((box) => box.checked).map((box) => box.value) };
    const said = row ? gettext("The role “%(name)s” was changed.") : gettext("The role “%(name)s” was created.");
    const send = () => (row ? call("PATCH", `/roles/${row.dataset.roleId}`, { body }) : call("POST", "/roles", { body }));
    await carryOut(name, send, fill(said, { name: name.value }));
  });
  name.value = row?.dataset.name ?? "";
  base.value = row?.dataset.base ?? base.options[0]?.value ?? "viewer";
  for (const box of boxes) box.checked = row ? allowed.has(box.value) : box.dataset.usual !== undefined && !box.disabled;
}

/** @param {HTMLElement} row */
async function remove(row) {
  const name = row.dataset.name ?? "";
  const title = fill(gettext("Delete the role “%(name)s”?"), { name });
  const done = fill(gettext("The role “%(name)s” was deleted."), { name });
  if (row.dataset.inUse !== "yes") {
    const question = { title, text: gettext("Nobody has this role."), accept: gettext("Delete role"), danger: true };
    if (!(await confirmAction(question))) return;
    try {
      await call("DELETE", `/roles/${row.dataset.roleId}`);
      toast(done);
    } catch (error) {
      toast(explain(error), { failed: true });
    }
    return void renew();
  }
  const successor = need("#role-successor", HTMLSelectElement);
  need("#role-delete-title", HTMLElement).textContent = title;
  openForm("#role-delete-dialog", () => carryOut(successor, () => call("DELETE", `/roles/${row.dataset.roleId}?successor_id=${successor.value}`), done));
  for (const option of successor.options) option.hidden = option.disabled = option.value === row.dataset.roleId;
  successor.value = [...successor.options].find((option) => !option.disabled)?.value ?? "";
}

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-role-act]");
  if (!button) return;
  const row = closest(button, "tr[data-role-id]");
  if (button.dataset.roleAct === "new") edit(null);
  if (button.dataset.roleAct === "edit" && row) edit(row);
  if (button.dataset.roleAct === "delete" && row) void remove(row);
});
