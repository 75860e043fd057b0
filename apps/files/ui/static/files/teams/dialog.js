/** The dialog in which a team folder is made and managed: its name, what everyone may do, and who may do what beyond that. */

import { call, explain, get } from "../../js/api.js";
import { showFieldError } from "../../js/dialogs.js";
import { announce, icon, make, need } from "../../js/dom.js";
import { fill, gettext } from "../../js/i18n.js";

/** @typedef {import("./rail.js").Team} Team */
/** @typedef {{id: string, name: string, email: string}} Person */
/** @typedef {{saved?: Team, end?: Team}} Outcome */

const RIGHTS = [
  ["viewer", gettext("Can view")],
  ["editor", gettext("Can edit")],
];

/** @returns {Promise<Person[]>} who can be chosen: whoever administers reaches every team folder anyway */
async function readPeople() {
  /** @type {Person[]} */
  const people = [];
  let cursor = "";
  do {
    const page = await get(`/members?limit=1000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    for (const { user, role } of page.items) if (role !== "owner" && role !== "admin") people.push({ ...user, name: user.name || user.email });
    cursor = page.next_cursor ?? "";
  } while (cursor);
  return people.sort((a, b) => a.name.localeCompare(b.name));
}

/** @param {string} name @returns {string} */
const initials = (name) =>
  name
    .split(/[\s@.]+/, 2)
    .map((word) => word.charAt(0))
    .join("");

/**
 * Ask for all of it and carry it out; a refusal is shown in the dialog, which stays open.
 *
 * @param {string} [teamId] one that is there; a new one is made without it
 * @returns {Promise<Outcome>} what was saved, or that the folder shall end; neither when the person changed their mind
 */
export async function askTeam(teamId) {
  const dialog = need("#team-dialog", HTMLDialogElement);
  const name = need("#team-name", HTMLInputElement);
  const everyone = need("#team-everyone", HTMLSelectElement);
  const adding = need("#team-add", HTMLSelectElement);
  const list = need("#team-people", HTMLElement);
  const accept = need('[data-role="accept"]', HTMLButtonElement, dialog);
  const [team, listed, people] = await Promise.all([
    /** @type {Promise<Team | null>} */ (teamId ? get(`/team-folders/${teamId}`) : null),
    /** @type {Promise<{items: any[]}>} */ (teamId ? get(`/team-folders/${teamId}/members`) : { items: [] }),
    readPeople(),
  ]);
  /** @type {Map<string, Person & {right: string}>} */
  const chosen = new Map(listed.items.map((one) => [one.user_id, { id: one.user_id, name: one.name || one.email, email: one.email, right: one.right }]));

  const offer = () => {
    const left = people.filter((person) => !chosen.has(person.id));
    adding.replaceChildren(make("option", { value: "" }, left.length || chosen.size ? gettext("Add somebody…") : gettext("There is nobody to add")));
    for (const person of left) adding.append(make("option", { value: person.id }, person.name === person.email ? person.email : `${person.name} (${person.email})`));
    adding.disabled = !left.length;
  };

  /** @param {Person & {right: string}} person */
  const line = (person) => {
    const right = make("select", { class: "input", "aria-label": fill(gettext("What %(name)s may do"), { name: person.name }) });
    for (const [value, label] of RIGHTS) right.append(make("option", { value }, label));
    right.value = person.right;
    right.addEventListener("change", () => (person.right = right.value));
    const remove = make("button", { class: "icon-button", type: "button", title: gettext("Remove"), "aria-label": fill(gettext("Remove %(name)s"), { name: person.name }) }, icon("x"));
    const item = make(
      "li",
      { class: "team-person" },
      make("span", { class: "avatar", "aria-hidden": "true" }, initials(person.name)),
      make("span", { class: "team-lines" }, make("b", {}, person.name), make("small", {}, person.email)),
      right,
      remove,
    );
    remove.addEventListener("click", () => {
      chosen.delete(person.id);
      item.remove();
      offer();
      adding.focus();
      announce(fill(gettext("%(name)s removed"), { name: person.name }));
    });
    return item;
  };

  need("#team-dialog-title", HTMLElement).textContent = team ? fill(gettext("People and settings of %(name)s"), { name: team.name }) : gettext("New team folder");
  accept.textContent = team ? gettext("Save") : gettext("Create");
  need('[data-role="end"]', HTMLElement, dialog).hidden = !team;
  name.value = team?.name ?? "";
  everyone.value = team?.everyone ?? "none";
  list.replaceChildren(...[...chosen.values()].map(line));
  offer();
  showFieldError(name, "");
  dialog.showModal();
  name.focus();
  if (!team) name.select();

  const save = () => {
    const body = { name: name.value.trim(), everyone: everyone.value, members: [...chosen.values()].map((person) => ({ user_id: person.id, right: person.right })) };
    return team ? call("PATCH", `/team-folders/${team.id}`, { body, revision: team.revision }) : call("POST", "/team-folders", { body });
  };

  return new Promise((resolve) => {
    /** @type {Outcome} */
    let outcome = {};
    const controller = new AbortController();
    const { signal } = controller;
    name.addEventListener("input", () => showFieldError(name, ""), { signal });
    // By a button of its own: the arrow keys go through a list that is closed, and must not add whom they pass.
    const add = () => {
      const person = people.find((one) => one.id === adding.value);
      adding.focus();
      if (!person) return;
      const added = { ...person, right: "editor" };
      chosen.set(person.id, added);
      list.append(line(added));
      offer();
      announce(fill(gettext("%(name)s added"), { name: person.name }));
    };
    dialog.addEventListener(
      "click",
      (event) => {
        const role = event.target instanceof Element ? event.target.closest("[data-role]")?.getAttribute("data-role") : null;
        if (role === "add") add();
        if (role === "end" && team) outcome = { end: team };
        if (role === "cancel" || role === "end") dialog.close();
      },
      { signal },
    );
    need("form", HTMLFormElement, dialog).addEventListener(
      "submit",
      async (event) => {
        event.preventDefault();
        if (accept.dataset.busy !== undefined) return;
        if (!name.value.trim()) {
          showFieldError(name, gettext("Type a name."));
          return name.focus();
        }
        accept.dataset.busy = "";
        try {
          outcome = { saved: await save() };
          dialog.close();
        } catch (error) {
          showFieldError(name, explain(error));
          name.focus();
        } finally {
          delete accept.dataset.busy;
        }
      },
      { signal },
    );
    dialog.addEventListener(
      "close",
      () => {
        controller.abort();
        resolve(outcome);
      },
      { once: true },
    );
  });
}
