/** The page of a vault's people: invite, send again, withdraw; give a role, deactivate, remove with a successor. */

import { call, explain, get } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { confirmAction } from "../js/dialogs.js";
import { closest, icon, make, need } from "../js/dom.js";
import { counted, fill, gettext } from "../js/i18n.js";
import { findBy } from "../js/lookup.js";
import { toast } from "../js/toast.js";
import { setPicture } from "./avatars.js";

/** @type {HTMLElement | null} the row whose menu is open, or was last */
let chosen = null;

/** Show the parts of the page as the server has them now. @param {...string} parts */
async function renew(...parts) {
  const htmx = /** @type {any} */ (window).htmx;
  for (const part of parts) await htmx.ajax("GET", location.pathname + location.search, { target: part, select: part, swap: "outerHTML" });
}

/** @param {string} selector @param {string} text */
function showError(selector, text) {
  const note = need(selector, HTMLElement);
  note.replaceChildren(icon("warning"), make("span", {}, text));
  note.hidden = !text;
}

/**
 * Open a dialog whose form is sent by `send`; it stays open while that tells of something wrong.
 *
 * @param {string} selector
 * @param {() => Promise<boolean>} send whether it is done
 */
function openDialog(selector, send) {
  const dialog = need(selector, HTMLDialogElement);
  const form = need("form", HTMLFormElement, dialog);
  const controller = new AbortController();
  const { signal } = controller;
  need('[data-role="cancel"]', HTMLButtonElement, dialog).addEventListener("click", () => dialog.close(), { signal });
  dialog.addEventListener("close", () => controller.abort(), { once: true });
  onSubmit(
    form,
    async () => {
      if (await send()) dialog.close();
    },
    { signal },
  );
  dialog.showModal();
}

/** Name a role as the server takes it: a built-in one by its key, one of the vault's own by its id. @param {string} role @returns {Record<string, string>} */
const naming = (role) => (role.includes("-") ? { role_id: role } : { role });

function invite() {
  const emails = need("#invite-emails", HTMLTextAreaElement);
  const role = need("#invite-role", HTMLSelectElement);
  const message = need("#invite-message", HTMLTextAreaElement);
  emails.value = message.value = "";
  showError("#invite-error", "");
  openDialog("#invite-dialog", async () => {
    const wanted = [...new Set(emails.value.split(/[\s,;]+/u).filter(Boolean))];
    if (!wanted.length) {
      showError("#invite-error", gettext("Enter at least one e-mail address."));
      emails.focus();
      return false;
    }
    /** @type {[string, string][]} */
    const refused = [];
    for (const email of wanted) {
      try {
        await call("POST", "/invitations", { body: { email, ...naming(role.value), message: message.value } });
      } catch (error) {
        refused.push([email, explain(error)]);
      }
    }
    const sent = wanted.length - refused.length;
    if (sent) {
      toast(counted("%(count)s invitation sent.", "%(count)s invitations sent.", sent));
      await renew("#invitations");
    }
    if (!refused.length) return true;
    emails.value = refused.map(([email]) => email).join("\n");
    showError("#invite-error", refused.map(([email, why]) => `${email}: ${why}`).join(" "));
    emails.focus();
    return false;
  });
  emails.focus();
}

/** @param {HTMLElement} row */
async function remove(row) {
  const successor = need("#remove-successor", HTMLSelectElement);
  const own = need("#main", HTMLElement).dataset.userId;
  need("#remove-title", HTMLElement).textContent = fill(gettext("Remove %(name)s?"), { name: row.dataset.name ?? "" });
  showError("#remove-error", "");
  const isGuest = row.dataset.role === "guest";
  need("#remove-guest", HTMLElement).hidden = !isGuest;
  for (const part of ["#remove-member", "#remove-heir"]) need(part, HTMLElement).hidden = isGuest;
  if (isGuest) return openDialog("#remove-dialog", () => putOut(row, "", fill(gettext("%(name)s was removed."), { name: row.dataset.name ?? "" })));
  let people;
  try {
    people = (await get("/members?state=active&limit=1000")).items;
  } catch (error) {
    return void toast(explain(error), { failed: true });
  }
  const heirs = people.filter((/** @type {any} */ one) => one.user.id !== row.dataset.userId && one.role !== "viewer");
  heirs.sort((/** @type {any} */ one, /** @type {any} */ other) => Number(other.user.id === own) - Number(one.user.id === own) || (one.user.name || one.user.email).localeCompare(other.user.name || other.user.email));
  successor.replaceChildren(...heirs.map((/** @type {any} */ one) => make("option", { value: one.user.id }, one.user.name ? `${one.user.name} (${one.user.email})` : one.user.email)));
  openDialog("#remove-dialog", () => {
    const done = fill(gettext("%(name)s was removed. Their files go to %(successor)s."), { name: row.dataset.name ?? "", successor: successor.selectedOptions[0]?.textContent ?? "" });
    return putOut(row, `?successor_id=${successor.value}`, done);
  });
}

/** @param {HTMLElement} row @param {string} query @param {string} done @returns {Promise<boolean>} whether they are out */
async function putOut(row, query, done) {
  try {
    await call("DELETE", `/members/${row.dataset.memberId}${query}`);
  } catch (error) {
    showError("#remove-error", explain(error));
    return false;
  }
  toast(done);
  await renew("#people", "#guests");
  return true;
}

/** @param {HTMLElement} row @param {Record<string, string>} changes @param {string} done */
async function change(row, changes, done) {
  try {
    await call("PATCH", `/members/${row.dataset.memberId}`, { body: changes });
    toast(done);
  } catch (error) {
    toast(explain(error), { failed: true });
  }
  await renew("#people", "#guests");
}

/** @param {HTMLElement} row @param {string} role @param {string} label */
async function changeRole(row, role, label) {
  const name = row.dataset.name ?? "";
  if (role === row.dataset.role) return;
  const question = {
    title: fill(gettext("Make %(name)s an owner?"), { name }),
    text: gettext("Owners decide about everything in the vault, and about the other owners."),
    accept: gettext("Make owner"),
  };
  if (role === "owner" && !(await confirmAction(question))) return;
  await change(row, naming(role), fill(gettext("%(name)s is now: %(role)s."), { name, role: label }));
}

/** @param {HTMLElement} row */
async function deactivate(row) {
  const name = row.dataset.name ?? "";
  const question = {
    title: fill(gettext("Deactivate %(name)s?"), { name }),
    text: gettext("They are signed out at once and cannot come in until you reactivate them. Their files stay as they are."),
    accept: gettext("Deactivate"),
    danger: true,
  };
  if (await confirmAction(question)) await change(row, { state: "deactivated" }, fill(gettext("%(name)s is deactivated."), { name }));
}

/** @param {HTMLElement} row @param {"POST" | "DELETE"} method @param {string} path @param {string} done */
async function tellInvitation(row, method, path, done) {
  try {
    await call(method, `/invitations/${row.dataset.invitationId}${path}`);
    toast(done);
  } catch (error) {
    toast(explain(error), { failed: true });
  }
  await renew("#invitations");
}

/** @param {HTMLElement} row */
async function removePicture(row) {
  const name = row.dataset.name ?? "";
  const sure = await confirmAction({
    title: fill(gettext("Remove the picture of %(name)s?"), { name }),
    text: gettext("Initials stand in its place everywhere in this vault. They can choose another one; this one does not come back."),
    accept: gettext("Remove"),
    danger: true,
  });
  if (!sure) return;
  try {
    await call("DELETE", `/members/${row.dataset.memberId}/picture`);
  } catch (error) {
    return void toast(explain(error), { failed: true });
  }
  setPicture(row.dataset.userId ?? "", "");
  toast(fill(gettext("The picture of %(name)s is removed."), { name }));
}

/** @param {HTMLElement} row offers in the menu what makes sense for it */
function prepareMenu(row) {
  const own = row.dataset.userId === need("#main", HTMLElement).dataset.userId;
  const active = row.dataset.state === "active";
  for (const item of document.querySelectorAll("#member-menu [data-member-act]")) {
    if (!(item instanceof HTMLElement)) continue;
    const act = item.dataset.memberAct;
    if (act === "role") item.setAttribute("aria-checked", String(item.dataset.role === row.dataset.role));
    if (act === "deactivate") item.hidden = !active || own;
    if (act === "reactivate") item.hidden = active;
    if (act === "remove-picture") item.hidden = own || !row.querySelector(".avatar img");
  }
}

document.addEventListener(
  "click",
  (event) => {
    const button = closest(event.target, '[data-menu="member-menu"]');
    if (!button) return;
    chosen = closest(button, "[data-member-id]");
    if (chosen) prepareMenu(chosen);
  },
  { capture: true },
);

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-member-act]");
  if (!button) return;
  const invitation = closest(button, "[data-invitation-id]");
  const title = invitation?.dataset.title ?? "";
  switch (button.dataset.memberAct) {
    case "invite":
      return invite();
    case "resend":
      if (invitation) void tellInvitation(invitation, "POST", "/resend", fill(gettext("Sent again to %(email)s."), { email: title }));
      return;
    case "withdraw":
      if (invitation) void tellInvitation(invitation, "DELETE", "", fill(gettext("The invitation of %(email)s is withdrawn."), { email: title }));
      return;
    case "role":
      if (chosen) void changeRole(chosen, button.dataset.role ?? "", button.textContent?.trim() ?? "");
      return;
    case "remove-picture":
      if (chosen) void removePicture(chosen);
      return;
    case "deactivate":
      if (chosen) void deactivate(chosen);
      return;
    case "reactivate":
      if (chosen) void change(chosen, { state: "active" }, fill(gettext("%(name)s is active again."), { name: chosen.dataset.name ?? "" }));
      return;
    case "remove":
      if (chosen) void remove(chosen);
  }
});

findBy("person", async (text, most) => {
  const found = await get(`/members?limit=${most}&q=${encodeURIComponent(text)}`);
  return found.items.map((/** @type {{user: {id: string, name: string, email: string}}} */ one) => ({
    id: one.user.id,
    label: one.user.name && one.user.email ? `${one.user.name} (${one.user.email})` : one.user.name || one.user.email,
  }));
});
