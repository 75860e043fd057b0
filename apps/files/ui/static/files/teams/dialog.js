/** The dialog in which a team folder is made and managed: its name, and its shares: what everyone may do, and who may do what beyond that. */

import { call, explain, get } from "../../js/api.js";
import { showFieldError } from "../../js/dialogs.js";
import { announce, icon, make, need } from "../../js/dom.js";
import { fill, gettext } from "../../js/i18n.js";

/** @typedef {import("./rail.js").Team} Team */
/** @typedef {{id: string, name: string, email: string}} Person */
/** @typedef {{saved?: Team, end?: Team}} Outcome */

/** @typedef {{principal: {type: string, id: string | null, name: string, email: string | null}, role: string, expires_at: string | null}} Share */

const ROLES = [
  ["previewer", gettext("Can preview")],
  ["viewer", gettext("Can view")],
  ["commenter", gettext("Can comment")],
  ["uploader", gettext("Can only upload")],
  ["contributor", gettext("Can add")],
  ["editor", gettext("Can edit")],
  ["manager", gettext("Can manage")],
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
    /** @type {Promise<{items: Share[]}>} */ (teamId ? get(`/nodes/${teamId}/shares`) : { items: [] }),
    readPeople(),
  ]);
  const forEveryone = listed.items.find((share) => share.principal.type === "everyone");
  const forOthers = listed.items.filter((share) => share.principal.type === "group");
  /** @type {Map<string, Person & {role: string, expiresAt: string | null}>} */
  const chosen = new Map();
  for (const { principal, role, expires_at: expiresAt } of listed.items)
    if (principal.type === "user" && principal.id) chosen.set(principal.id, { id: principal.id, name: principal.name, email: principal.email ?? "", role, expiresAt });

  const offer = () => {
    const left = people.filter((person) => !chosen.has(person.id));
    adding.replaceChildren(make("option", { value: "" }, left.length || chosen.size ? gettext("Add somebody…") : gettext("There is nobody to add")));
    for (const person of left) adding.append(make("option", { value: person.id }, person.name === person.email ? person.email : `${person.name} (${person.email})`));
    adding.disabled = !left.length;
  };

  /** @param {Person & {role: string}} person */
  const line = (person) => {
    const role = make("select", { class: "input", "aria-label": fill(gettext("What %(name)s may do"), { name: person.name }) });
    for (const [value, label] of ROLES) role.append(make("option", { value }, label));
    role.value = person.role;
    role.addEventListener("change", () => (person.role = role.value));
    const remove = make("button", { class: "icon-button", type: "button", title: gettext("Remove"), "aria-label": fill(gettext("Remove %(name)s"), { name: person.name }) }, icon("x"));
    const item = make(
      "li",
      { class: "team-person" },
      make("span", { class: "avatar", "aria-hidden": "true" }, initials(person.name)),
      make("span", { class: "team-lines" }, make("b", {}, person.name), make("small", {}, person.email)),
      role,
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
  everyone.replaceChildren(make("option", { value: "none" }, gettext("Cannot see it")), ...ROLES.map(([value, label]) => make("option", { value }, label)));
  everyone.value = forEveryone?.role ?? "none";
  list.replaceChildren(...[...chosen.values()].map(line));
  offer();
  showFieldError(name, "");
  dialog.showModal();
  name.focus();
  if (!team) name.select();

  /** What is saved goes on from what a first attempt has saved, when the second part of it was refused. */
  let present = team;
  const save = async () => {
    const body = { name: name.value.trim() };
    if (!present) present = await call("POST", "/team-folders", { body });
    else if (present.name !== body.name) present = await call("PATCH", `/team-folders/${present.id}`, { body, revision: present.revision });
    const shares = [
      ...forOthers.map(({ principal: { type, id }, role, expires_at }) => ({ principal: { type, id }, role, expires_at })),
      ...[...chosen.values()].map((person) => ({ principal: { type: "user", id: person.id }, role: person.role, expires_at: person.expiresAt })),
    ];
    const until = everyone.value === forEveryone?.role ? forEveryone.expires_at : null;
    if (everyone.value !== "none") shares.push({ principal: { type: "everyone", id: null }, role: everyone.value, expires_at: until });
    await call("PUT", `/nodes/${present.id}/shares`, { body: { shares } });
    return present;
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
      const added = { ...person, role: "editor", expiresAt: null };
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
