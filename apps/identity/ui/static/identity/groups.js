/** The pages of groups: make, rename and delete them, put people in and take them out. */

import { call, explain, get } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { askName, confirmAction, showFieldError } from "../js/dialogs.js";
import { closest, icon, make, need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** Show a part of the page as the server has it now. @param {string} part */
const renew = (part) => /** @type {any} */ (window).htmx.ajax("GET", location.pathname, { target: part, select: part, swap: "outerHTML" });

function makeGroup() {
  const dialog = need("#group-dialog", HTMLDialogElement);
  const form = need("form", HTMLFormElement, dialog);
  const name = need("#group-name", HTMLInputElement);
  const parent = need("#group-parent", HTMLSelectElement);
  const controller = new AbortController();
  const { signal } = controller;
  form.reset();
  showFieldError(name, "");
  need('[data-role="cancel"]', HTMLButtonElement, dialog).addEventListener("click", () => dialog.close(), { signal });
  dialog.addEventListener("close", () => controller.abort(), { once: true });
  onSubmit(
    form,
    async () => {
      try {
        await call("POST", "/groups", { body: { name: name.value, ...(parent.value ? { parent_id: parent.value } : {}) } });
      } catch (error) {
        showFieldError(name, explain(error));
        return name.focus();
      }
      dialog.close();
      await renew("#main");
    },
    { signal },
  );
  dialog.showModal();
  name.focus();
}

/** @param {HTMLElement} row */
async function rename(row) {
  const submit = (/** @type {string} */ name) => call("PATCH", `/groups/${row.dataset.groupId}`, { body: { name } });
  if (await askName({ title: gettext("Rename group"), label: gettext("Name"), value: row.dataset.name, accept: gettext("Rename"), submit })) await renew("#main");
}

/** @param {HTMLElement} row */
async function remove(row) {
  const question = {
    title: fill(gettext("Delete the group “%(name)s”?"), { name: row.dataset.name ?? "" }),
    text: gettext("What was opened to the group is closed to its people at once. The people themselves stay in the vault."),
    accept: gettext("Delete group"),
    danger: true,
  };
  if (await confirmAction(question)) await tell("DELETE", `/groups/${row.dataset.groupId}`, undefined, "#main");
}

/** @param {string} method @param {string} path @param {unknown} body @param {string} part */
async function tell(method, path, body, part) {
  try {
    await call(method, path, { body });
  } catch (error) {
    toast(explain(error), { failed: true });
  }
  await renew(part);
}

const groupPath = () => `/groups/${need("#main", HTMLElement).dataset.groupId}/members`;

/** Offer whom one can put into the group. */
async function offerPeople() {
  const select = document.querySelector("#group-person");
  if (!(select instanceof HTMLSelectElement)) return;
  const inside = new Set([...document.querySelectorAll("#group-people [data-user-id]")].map((row) => /** @type {HTMLElement} */ (row).dataset.userId));
  try {
    const people = (await get("/members?state=active&limit=1000")).items.filter((/** @type {any} */ one) => !inside.has(one.user.id));
    select.replaceChildren(...people.map((/** @type {any} */ one) => make("option", { value: one.user.id }, one.user.name ? `${one.user.name} (${one.user.email})` : one.user.email)));
    need('#group-adding [data-role="add"]', HTMLButtonElement).disabled = !people.length;
  } catch (error) {
    const note = need("#group-error", HTMLElement);
    note.replaceChildren(icon("warning"), make("span", {}, explain(error)));
    note.hidden = false;
  }
}

onSubmit("#group-adding", async () => {
  const person = need("#group-person", HTMLSelectElement).value;
  if (!person) return;
  await tell("PUT", `${groupPath()}/${person}`, {}, "#group-people");
  await offerPeople();
});

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-group-act]");
  if (!button) return;
  const group = closest(button, "tr[data-group-id]");
  const person = closest(button, "tr[data-user-id]");
  switch (button.dataset.groupAct) {
    case "new":
      return makeGroup();
    case "rename":
      if (group) void rename(group);
      return;
    case "delete":
      if (group) void remove(group);
      return;
    case "manage":
      if (person) void tell("PUT", `${groupPath()}/${person.dataset.userId}`, { is_manager: person.dataset.manages !== "yes" }, "#group-people");
      return;
    case "take-out":
      if (person) void tell("DELETE", `${groupPath()}/${person.dataset.userId}`, undefined, "#group-people").then(offerPeople);
  }
});

document.addEventListener("bitvault:page", () => void offerPeople());
void offerPeople();
