/** What the dialog of shares says of a team folder besides: its name, and that it can end. */

import { call, explain, get } from "../../js/api.js";
import { onSubmit } from "../../js/busy.js";
import { showFieldError } from "../../js/dialogs.js";
import { need } from "../../js/dom.js";
import { fill, gettext } from "../../js/i18n.js";

/** @typedef {import("./rail.js").Team} Team */
/** @typedef {{node: {id: string, capabilities: string[]}, isRoot: boolean, inTeamFolder: boolean, say: (text: string) => void, setName: (name: string) => void, close: () => void}} Opened */

/** @type {Team | null} */
let team = null;
/** @type {Opened | null} */
let opened = null;

/** @returns {Team | null} the team folder that the dialog shows, to those who manage it */
export const shownTeam = () => team;

/** Close the dialog. */
export const closeDialog = () => opened?.close();

async function rename() {
  const name = need("#team-name", HTMLInputElement);
  if (!team) return;
  if (!name.value.trim()) {
    showFieldError(name, gettext("Type a name."));
    return name.focus();
  }
  try {
    team = await call("PATCH", `/team-folders/${team.id}`, { body: { name: name.value.trim() }, revision: team.revision });
    showFieldError(name, "");
    if (team) {
      opened?.setName(team.name);
      document.dispatchEvent(new CustomEvent("bitvault:renew"));
      opened?.say(fill(gettext("The folder is called “%(name)s” now."), { name: team.name }));
    }
  } catch (error) {
    showFieldError(name, explain(error));
    name.focus();
  }
}

/** @param {Opened} now */
async function show(now) {
  opened = now;
  team = null;
  if (!now.isRoot || !now.inTeamFolder || !now.node.capabilities.includes("manage")) return;
  const read = await get(`/team-folders/${now.node.id}`).catch(() => null);
  if (!read || opened !== now) return;
  team = read;
  const name = need("#team-name", HTMLInputElement);
  name.value = read.name;
  showFieldError(name, "");
  need("#team-section", HTMLElement).hidden = false;
}

/** Listen from now on. */
export function startTeamSection() {
  document.addEventListener("bitvault:share-opened", (event) => void show(/** @type {CustomEvent<Opened>} */ (event).detail));
  onSubmit(need("#team-form", HTMLFormElement), rename);
}
