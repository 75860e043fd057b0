/** The list of who has access to a node: each with what they may do and by what, and what the reader can change of it. */

import { call } from "../js/api.js";
import { icon, make, need, pageFact } from "../js/dom.js";
import { fillTimes } from "../js/format.js";
import { fill, gettext } from "../js/i18n.js";
import { avatarOf, keyOf, nameOf } from "./people.js";
import { labelOf, makeOptions } from "./roles.js";
import { dayOf, endOfDay, named } from "./terms.js";

/** @typedef {import("./dialog.js").Access} Access */
/** @typedef {import("./dialog.js").Entry} Entry */
/** @typedef {import("./dialog.js").Share} Share */
/** @typedef {{carryOut: typeof import("./dialog.js").carryOut, openDialog: typeof import("./dialog.js").openDialog}} Acts */

/** What the dialog around the list does for it. @type {Acts} */
let acts;

/** The arrow keys go through the roles of a closed list one by one: the last one counts. */
const SETTLE_MS = 500;

/** Roles that were chosen and are not sent yet, by share. @type {Map<string, {timer: ReturnType<typeof setTimeout>, send: () => void}>} */
const settling = new Map();

const list = () => need("#share-people", HTMLElement);

/** @param {Access} now */
export function showAccess(now) {
  const focused = document.activeElement?.getAttribute("data-share-control");
  const line = document.activeElement?.closest("[data-key]")?.getAttribute("data-key");
  list().replaceChildren(...now.items.map((entry) => makeLine(entry, now)));
  fillTimes(list());
  if (focused && line) {
    const again = list().querySelector(`[data-key="${CSS.escape(line)}"] [data-share-control="${focused}"]`);
    if (again instanceof HTMLElement) again.focus();
    else need("#share-title", HTMLElement).closest("dialog")?.querySelector(/** @type {"button"} */ ("#share-said button, .dialog-foot button"))?.focus();
  }
}

/** @param {Entry} entry @param {Access} now @returns {boolean} whether the reader may change or end it here */
const mayChange = (entry, now) => entry.share !== null && !entry.through && now.node.capabilities.includes("share") && entry.capabilities.every((name) => now.node.capabilities.includes(name));

/** @param {Entry} entry @param {Access} now @returns {HTMLElement} */
function makeLine(entry, now) {
  const { share, principal, through } = entry;
  const key = `${entry.source} ${principal ? keyOf(principal) : ""} ${through?.id ?? ""}`;
  if (!principal) {
    return make(
      "li",
      { class: "share-person", "data-key": key },
      make("span", { class: "avatar avatar-square", "aria-hidden": "true" }, icon("key", "icon icon-s")),
      make("span", { class: "share-lines" }, make("b", {}, gettext("Owners and administrators")), make("small", {}, gettext("manage every team folder"))),
      make("span", { class: "share-role" }, labelOf(entry.role)),
    );
  }
  const isSelf = principal.type === "user" && principal.id === pageFact("user");
  const name = make("b", {}, make("bdi", {}, nameOf(principal)));
  if (isSelf) name.append(" ", make("span", { class: "muted" }, gettext("(you)")));
  const lines = make("span", { class: "share-lines" }, name);
  const words = principal.type === "group" ? gettext("Group") : principal.email && principal.email !== principal.name ? principal.email : "";
  const small = make("small", {}, words);
  if (principal.is_guest) addPart(small, make("span", {}, principal.type === "email" ? gettext("invited as a guest") : gettext("Guest")));
  if (share?.expires_at) addPart(small, make("time", { datetime: share.expires_at, "data-when": "until" }));
  if (small.childNodes.length) lines.append(small);
  if (through) lines.append(make("small", {}, makeThrough(through)));
  const item = make("li", { class: "share-person", "data-key": key }, avatarOf(principal), lines);
  if (share && mayChange(entry, now)) item.append(...makeControls(share, now, isSelf));
  else {
    item.append(make("span", { class: "share-role" }, labelOf(entry.role)));
    if (share && isSelf && !through) item.append(makeButton("leave", "sign-out", gettext("Leave"), () => leave(share, now)));
  }
  return item;
}

/** @param {HTMLElement} line @param {HTMLElement} part */
function addPart(line, part) {
  if (line.textContent) line.append(" · ");
  line.append(part);
}

/** @param {{id: string, name: string | null}} through @returns {HTMLElement} */
function makeThrough({ id, name }) {
  if (name === null) return make("span", {}, gettext("through a folder above"));
  const button = make("button", { class: "share-through", type: "button", title: gettext("Show who has access to that folder") }, fill(gettext("through “%(name)s”"), { name }));
  button.addEventListener("click", () => void acts.openDialog(id));
  return button;
}

/** @param {string} control @param {string} symbol @param {string} label @param {() => void} act @returns {HTMLButtonElement} */
function makeButton(control, symbol, label, act) {
  const button = make("button", { class: "icon-button", type: "button", title: label, "aria-label": label, "data-share-control": control }, icon(symbol));
  button.addEventListener("click", act);
  return button;
}

/** @param {Share} share @param {Access} now @param {boolean} isSelf @returns {HTMLElement[]} */
function makeControls(share, now, isSelf) {
  const name = nameOf(share.principal);
  const role = make("select", { class: "input", "aria-label": fill(gettext("What %(name)s may do"), { name }), "data-share-control": "role" });
  role.append(...makeOptions(now.node, share.role));
  role.value = share.role;
  role.addEventListener("change", () => {
    clearTimeout(settling.get(share.id)?.timer);
    const send = () => void changeRole(share, role.value);
    settling.set(share.id, { timer: setTimeout(send, SETTLE_MS), send });
  });
  const until = make("input", { class: "input", type: "date", "aria-label": fill(gettext("Until when %(name)s has access"), { name }), "data-share-control": "until", min: dayOf(new Date().toISOString()), hidden: "" });
  until.value = dayOf(share.expires_at);
  until.addEventListener("change", () => void changeEnd(share, endOfDay(until.value)));
  const calendar = makeButton("calendar", "calendar", share.expires_at ? fill(gettext("Change the end for %(name)s"), { name }) : fill(gettext("Set an end for %(name)s"), { name }), () => {
    until.hidden = !until.hidden;
    calendar.setAttribute("aria-expanded", String(!until.hidden));
    if (!until.hidden) until.focus();
  });
  calendar.setAttribute("aria-expanded", "false");
  const remove = isSelf ? makeButton("remove", "x", gettext("Leave"), () => leave(share, now)) : makeButton("remove", "x", fill(gettext("Remove %(name)s"), { name }), () => void end(share, now));
  return [role, calendar, remove, until];
}

/** @param {Share} share @param {string} role */
async function changeRole(share, role) {
  settling.delete(share.id);
  if (role === share.role) return;
  const change = (/** @type {string} */ wanted) => () => call("PATCH", `/shares/${share.id}`, { body: { role: wanted } });
  await acts.carryOut(change(role), fill(gettext("%(name)s: %(role)s."), { name: nameOf(share.principal), role: labelOf(role) }), change(share.role));
}

/** @param {Share} share @param {string | null} moment */
async function changeEnd(share, moment) {
  const change = (/** @type {string | null} */ wanted) => () => call("PATCH", `/shares/${share.id}`, { body: { expires_at: wanted } });
  const name = nameOf(share.principal);
  const said = moment ? gettext("%(name)s has access until the day that you chose.") : gettext("%(name)s has access without an end.");
  await acts.carryOut(change(moment), fill(said, { name }), change(share.expires_at));
}

/** @param {Share} share @param {Access} now */
async function end(share, now) {
  const body = { principal: named(share.principal), role: share.role, expires_at: share.expires_at, notify: false };
  const left = now.items.some((entry) => entry.through && entry.principal && keyOf(entry.principal) === keyOf(share.principal));
  const said = left ? gettext("%(name)s has access only through a folder above now.") : gettext("%(name)s has no access any more.");
  await acts.carryOut(
    () => call("DELETE", `/shares/${share.id}`),
    fill(said, { name: nameOf(share.principal) }),
    () => call("POST", `/nodes/${now.node.id}/shares`, { body }),
  );
}

/** @param {Share} share @param {Access} now */
function leave(share, now) {
  document.dispatchEvent(new CustomEvent("bitvault:leave-share", { detail: { shareId: share.id, name: now.node.name } }));
}

/** Listen from now on. @param {Acts} given */
export function startAccess(given) {
  acts = given;
  // Whoever chooses and closes at once has chosen.
  document.addEventListener("bitvault:share-closed", () => {
    for (const { timer, send } of [...settling.values()]) {
      clearTimeout(timer);
      send();
    }
  });
}
