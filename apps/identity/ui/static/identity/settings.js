/** The page of one's own account: end sessions, make and revoke tokens, change the password. */

import { call, explain, Problem } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { confirmAction, openForm, Refusal, showFieldError, showSecret } from "../js/dialogs.js";
import { closest, need } from "../js/dom.js";
import { showChoice } from "../js/theme.js";
import { toast } from "../js/toast.js";
import { fill, gettext } from "../js/i18n.js";

const DAY_MS = 86_400_000;

/** Show a part of the page as the server has it now. @param {string} selector */
const renew = (selector) => /** @type {any} */ (window).htmx.ajax("GET", location.pathname, { target: selector, select: selector, swap: "outerHTML" });

function newToken() {
  openForm("#token-dialog", async (form) => {
    const data = new FormData(form);
    const input = need("#token-name", HTMLInputElement);
    const scopes = data.getAll("scope");
    if (!String(data.get("name")).trim()) throw new Refusal(input, gettext("Give it a name that says what uses it."));
    if (!scopes.length) throw new Refusal(input, gettext("Choose at least one thing that it may do."));
    const expires = new Date(Date.now() + Number(data.get("days")) * DAY_MS).toISOString();
    let made;
    try {
      made = await call("POST", "/tokens", { body: { name: data.get("name"), scopes, expires_at: expires } });
    } catch (error) {
      throw new Refusal(input, explain(error));
    }
    void offerToken(made.token);
  });
}

/** @param {string} secret shown once */
async function offerToken(secret) {
  await showSecret({ title: gettext("Your new token"), text: gettext("Copy it now. It is shown this once and kept nowhere."), secret });
  await renew("#tokens");
}

function changePassword() {
  openForm("#password-dialog", async (form) => {
    const current = need("#current-password", HTMLInputElement, form);
    const fresh = need("#new-password", HTMLInputElement, form);
    if (!current.value) throw new Refusal(current, gettext("Type your current password."));
    if (!fresh.value) throw new Refusal(fresh, gettext("Type a new password."));
    try {
      await call("POST", "/auth/password", {
        body: { current_password: current.value, new_password: fresh.value },
        ownRefusal: "identity.invalid_credentials",
      });
    } catch (error) {
      const weak = error instanceof Problem && error.code === "identity.weak_password";
      throw new Refusal(weak ? fresh : current, explain(error));
    }
    toast(gettext("Password changed. Other sessions and tokens have ended."));
    await renew("#sessions");
  });
}

/** @param {HTMLElement} row @param {string} path @param {{title: string, text: string, accept: string}} question @param {string} part */
async function endThing(row, path, question, part) {
  if (!(await confirmAction({ ...question, danger: true }))) return;
  try {
    await call("DELETE", `${path}/${row.dataset.id}`);
  } catch (error) {
    if (!(error instanceof Problem && error.status === 404)) return void toast(explain(error), { failed: true });
  }
  await renew(part);
}

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-settings]");
  if (!button) return;
  const row = closest(button, "[data-id]");
  switch (button.dataset.settings) {
    case "new-token":
      return newToken();
    case "change-password":
      return changePassword();
    case "end-session":
      if (row) void endThing(row, "/sessions", { title: fill(gettext("Sign out “%(title)s”?"), { title: row.dataset.title }), text: gettext("That browser is signed out at once."), accept: gettext("Sign out") }, "#sessions");
      return;
    case "revoke-token":
      if (row) void endThing(row, "/tokens", { title: fill(gettext("Revoke “%(title)s”?"), { title: row.dataset.title }), text: gettext("Programs that use it stop working at once."), accept: gettext("Revoke") }, "#tokens");
  }
});
/** Offer every time zone that the browser knows, with the chosen one as it is. */
function offerZones() {
  const select = document.querySelector("select[data-zones]");
  if (!(select instanceof HTMLSelectElement) || select.length > 2) return;
  for (const zone of Intl.supportedValuesOf("timeZone")) {
    if (zone !== select.dataset.chosen) select.add(new Option(zone.replaceAll("_", " "), zone));
  }
}

/** @param {HTMLFormElement} form */
async function saveProfile(form) {
  const data = new FormData(form);
  const name = need("#profile-name", HTMLInputElement, form);
  showFieldError(name, "");
  try {
    await call("PATCH", "/me", { body: { name: data.get("name"), locale: data.get("locale"), time_zone: data.get("time_zone") } });
  } catch (error) {
    showFieldError(name, explain(error));
    return name.focus();
  }
  // The whole page is in the language, and by the zone, that was chosen.
  location.reload();
}

onSubmit("#profile-form", saveProfile);
document.addEventListener("bitvault:page", () => {
  showChoice();
  offerZones();
});
offerZones();
