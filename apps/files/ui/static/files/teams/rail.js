/** The team folders in the rail: shown beside one's own files, kept true while others make and close them, and places to drop rows. */

import { get } from "../../js/api.js";
import { make } from "../../js/dom.js";

/** @typedef {{id: string, name: string, revision: number, capabilities: string[]}} Team */

/** Between two looks: whoever uploads a thousand files makes a thousand heads. */
const REST_MS = 3000;
/** More of them make no rail any more; the page of team folders lists all. */
const SHOWN = 12;

let looking = false;
let due = false;

const rail = () => document.getElementById("side-teams");

/** Mark the one that the page is about. */
export function markTeam() {
  const here = document.getElementById("main")?.dataset.teamId ?? "";
  for (const link of rail()?.querySelectorAll("a") ?? []) {
    if (here && link.dataset.dropFolder === here) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

/** @param {Team[]} teams */
function show(teams) {
  const list = rail();
  if (!list) return;
  const shown = teams.slice(0, SHOWN);
  const same = shown.map((team) => `${team.id} ${team.name}`).join() === [...list.querySelectorAll("a")].map((link) => `${link.dataset.dropFolder} ${link.textContent}`).join();
  if (!same) {
    list.replaceChildren(
      ...shown.map((team) =>
        make("li", {}, make("a", { class: "side-link", href: `/files/${team.id}/`, title: team.name, "data-drop-folder": team.id, "data-drop-name": team.name }, make("bdi", {}, team.name))),
      ),
    );
    /** @type {any} */ (window).htmx?.process(list);
  }
  list.hidden = !shown.length;
  markTeam();
}

/** Let rows of a team folder be dropped on one's own files: that page does not know which folder this is. */
async function nameOwnRoot() {
  const link = document.querySelector("[data-drop-root]");
  if (link instanceof HTMLElement && !link.dataset.rootId) link.dataset.rootId = (await get("/me")).root_id;
}

/** Read which there are, once at a time, and tell the page of them if they are others than before. */
export async function lookForTeams() {
  due = true;
  if (looking || document.hidden || !rail()) return;
  looking = true;
  due = false;
  try {
    const { items } = await get("/team-folders");
    show(items);
    if (items.length) await nameOwnRoot();
    document.dispatchEvent(new CustomEvent("bitvault:teams", { detail: items }));
  } catch {
    // The next head leads here again.
  } finally {
    setTimeout(() => {
      looking = false;
      if (due) void lookForTeams();
    }, REST_MS);
  }
}
