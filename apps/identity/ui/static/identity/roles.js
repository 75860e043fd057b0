/** The page of roles: make, change and delete those of the vault's own. */

import { call, explain } from "../js/api.js";
import { confirmAction, showFieldError } from "../js/dialogs.js";
import { closest, icon, make, need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** Show the page as the server has it now. */
const renew = () => /** @type {any} */ (window).htmx.ajax("GET", location.pathname, { target: "#main", select: "#main", swap: "outerHTML" });

/**
 * Open a dialog whose form is sent by `send`; it stays open where that refuses.
 *
 * @param {HTMLDialogElement} dialog
 * @param {() => Promise<boolean>} send whether it is done
 */
function openForm(dialog, send) {
  const controller = new AbortController();
  const { signal } = controller;
  const button = need('[data-role="accept"]', HTMLButtonElement, dialog);
  need('[data-role="cancel"]', HTMLButtonElement, dialog).addEventListener("click", () => dialog.close(), { signal });
  dialog.addEventListener("close", () => controller.abort(), { once: true });
  need("form", HTMLFormElement, dialog).addEventListener(
    "submit",
    async (event) => {
      event.preventDefault();
      if (button.dataset.busy !== undefined) return;
      button.dataset.busy = "";
      try {
        if (!(await send())) return;
        dialog.close();
        await renew();
      } finally {
        delete button.dataset.busy;
      }
    },
    { signal },
  );
  dialog.showModal();
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
  name.value = row?.dataset.name ?? "";
  base.value = row?.dataset.base ?? base.options[0]?.value ?? "viewer";
  for (const box of boxes) box.checked = row ? allowed.has(box.value) : box.dataset.usual !== undefined && !box.disabled;
  showFieldError(name, "");
  openForm(dialog, async () => {
    const body = { name: name.value, base: base.value, permissions: boxes.filter((box) => box.checked).map((box) => box.value) };
    try {
      if (row) await call("PATCH", `/roles/${row.dataset.roleId}`, { body });
      else await call("POST", "/roles", { body });
    } catch (error) {
      showFieldError(name, explain(error));
      name.focus();
      return false;
    }
    toast(fill(row ? gettext("The role “%(name)s” was changed.") : gettext("The role “%(name)s” was created."), { name: name.value }));
    return true;
  });
  name.focus();
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
  const note = need("#role-delete-error", HTMLElement);
  need("#role-delete-title", HTMLElement).textContent = title;
  note.hidden = true;
  for (const option of successor.options) option.hidden = option.disabled = option.value === row.dataset.roleId;
  successor.value = [...successor.options].find((option) => !option.disabled)?.value ?? "";
  openForm(need("#role-delete-dialog", HTMLDialogElement), async () => {
    try {
      await call("DELETE", `/roles/${row.dataset.roleId}?successor_id=${successor.value}`);
    } catch (error) {
      note.replaceChildren(icon("warning"), make("span", {}, explain(error)));
      note.hidden = false;
      return false;
    }
    toast(done);
    return true;
  });
}

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-role-act]");
  if (!button) return;
  const row = closest(button, "tr[data-role-id]");
  if (button.dataset.roleAct === "new") edit(null);
  if (button.dataset.roleAct === "edit" && row) edit(row);
  if (button.dataset.roleAct === "delete" && row) void remove(row);
});
