/** What the buttons of team folders do, and the page that lists them. */

import { call, explain } from "../../js/api.js";
import { askName, confirmAction } from "../../js/dialogs.js";
import { closest } from "../../js/dom.js";
import { fillTimes } from "../../js/format.js";
import { sectionLink } from "../../js/sections.js";
import { toast } from "../../js/toast.js";
import { lookForTeams, markTeam } from "./rail.js";
import { closeDialog, shownTeam, startTeamSection } from "./section.js";
import { fill, gettext } from "../../js/i18n.js";

/** @typedef {import("./rail.js").Team} Team */

const onPage = () => document.querySelector('#main[data-page="teams"]') !== null;

/** Show the page as the server has it, without a journey: uploads go on, and so does whatever is typed elsewhere. */
async function renew() {
  const path = location.pathname + location.search;
  await /** @type {any} */ (window).htmx.ajax("GET", path, { target: "#main", select: "#main", swap: "outerHTML" });
  dress();
  void lookForTeams();
}

/** Give the times on the page their words. */
function dress() {
  const page = document.querySelector("#teams");
  if (page instanceof HTMLElement) fillTimes(page);
}

/** @param {() => Promise<unknown>} act @param {string} done what is said when it worked */
async function carryOut(act, done) {
  try {
    await act();
    toast(done);
  } catch (error) {
    toast(explain(error), { failed: true });
  }
  if (onPage()) await renew();
  else void lookForTeams();
}

/** Ask for a name, make the folder, and let people be chosen. */
async function make() {
  const made = await askName({
    title: gettext("New team folder"),
    label: gettext("Folder name"),
    accept: gettext("Create"),
    submit: (name) => call("POST", "/team-folders", { body: { name } }),
  });
  if (!made) return;
  await renew();
  document.querySelector(/** @type {"a"} */ (`.team[data-team-id="${made.id}"] a`))?.focus();
  share(made.id);
}

/** @param {string} nodeId whose dialog of shares is opened */
const share = (nodeId) => document.dispatchEvent(new CustomEvent("bitvault:share", { detail: { nodeId } }));

/** End the folder that the dialog of shares shows. */
async function end() {
  const team = shownTeam();
  if (!team) return;
  const sure = await confirmAction({
    title: fill(gettext("End “%(name)s”?"), { name: team.name }),
    text: gettext("Nobody sees it or what is in it any more. For 30 days you can bring it back; then it is deleted permanently."),
    accept: gettext("End folder"),
    danger: true,
  });
  if (!sure) return;
  try {
    await call("DELETE", `/team-folders/${team.id}`, { revision: team.revision });
  } catch (error) {
    return void toast(explain(error), { failed: true });
  } finally {
    closeDialog();
  }
  toast(fill(gettext("“%(name)s” has ended."), { name: team.name }), { action: gettext("Undo"), undo: true, run: () => void bringBack(team) });
  if (onPage()) await renew();
  else sectionLink("teams")?.click();
}

/** @param {{id: string, name: string}} team */
const bringBack = (team) => carryOut(() => call("POST", `/team-folders/${team.id}/restore`, { body: {} }), fill(gettext("“%(name)s” is back."), { name: team.name }));

/** @param {{id: string, name: string}} team */
async function deletePermanently(team) {
  const sure = await confirmAction({
    title: fill(gettext("Delete “%(name)s” permanently?"), { name: team.name }),
    text: gettext("Everything in it goes too. This cannot be undone."),
    accept: gettext("Delete permanently"),
    danger: true,
  });
  if (sure) await carryOut(() => call("DELETE", `/trash/${team.id}`), fill(gettext("“%(name)s” is deleted permanently."), { name: team.name }));
}

/** Listen from now on. */
export function startTeams() {
  document.addEventListener("click", (event) => {
    const button = closest(event.target, "[data-team-act]");
    if (!button) return;
    const act = button.dataset.teamAct;
    const { teamId = "", teamName = "" } = closest(button, ".team")?.dataset ?? {};
    const team = { id: teamId, name: teamName };
    if (act === "new") void make();
    if (act === "settings") share(button.dataset.teamId ?? "");
    if (act === "end") void end();
    if (act === "restore") void bringBack(team);
    if (act === "delete") void deletePermanently(team);
  });
  startTeamSection();
  document.addEventListener("bitvault:share-closed", () => void lookForTeams());
  document.addEventListener("bitvault:head", () => void lookForTeams());
  document.addEventListener("bitvault:teams", (event) => {
    const shown = [...document.querySelectorAll(".teams > .teams-list .team")].map((team) => `${team.getAttribute("data-team-id")} ${team.getAttribute("data-state")}`);
    const there = /** @type {CustomEvent<Team[]>} */ (event).detail.map(({ id, revision, capabilities }) => `${id} ${[revision, ...capabilities].join(" ")}`);
    if (onPage() && shown.join() !== there.join() && !document.querySelector("dialog[open]")) void renew();
  });
  document.addEventListener("bitvault:page", () => {
    markTeam();
    dress();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void lookForTeams();
  });
  dress();
  void lookForTeams();
}
