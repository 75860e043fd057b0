/** One's own links on "Shared by me": which there are, how often they were used, and their end. */

import { call, explain, get } from "../js/api.js";
import { closest, icon, make } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";
import { factsOf, titleOf } from "./words.js";

/** @typedef {import("./words.js").Link} Link */
/** @typedef {{link: Link, node: {id: string, kind: string, name: string}}} Item */

/** @type {Item[]} */
let items = [];
/** @type {string | null} */
let next = null;

const page = () => document.querySelector('#main[data-page="shared-by-me"]');

async function renew() {
  if (!page()) return;
  try {
    const first = await get("/links");
    items = first.items;
    next = first.next_cursor;
  } catch (error) {
    return void toast(explain(error), { failed: true });
  }
  show();
}

async function more() {
  if (!next) return;
  const further = await get(`/links?cursor=${encodeURIComponent(next)}`);
  items = [...items, ...further.items];
  next = further.next_cursor;
  show();
}

function show() {
  const main = page();
  if (!main) return;
  main.querySelector("#my-links")?.remove();
  if (!items.length) return;
  const list = make("ul", { class: "my-links-list", "aria-labelledby": "my-links-title" }, ...items.map(lineOf));
  const section = make("section", { class: "my-links", id: "my-links" }, make("h2", { id: "my-links-title" }, gettext("Links")), list);
  if (next) section.append(make("button", { class: "button", type: "button", "data-my-link-act": "more" }, gettext("Show more")));
  main.append(section);
}

/** @param {Item} item */
function lineOf({ link, node }) {
  const words = [titleOf(link), factsOf(link)].filter(Boolean).join(" · ");
  const settings = fill(gettext("Links to %(name)s"), { name: node.name });
  const ending = fill(gettext("End the link to %(name)s"), { name: node.name });
  return make(
    "li",
    { class: "links-line", "data-my-link-id": link.id },
    icon(node.kind === "folder" ? "type-folder" : "type-file"),
    make("div", { class: "links-words" }, make("b", {}, make("bdi", {}, node.name)), make("small", {}, words)),
    make("button", { class: "icon-button", type: "button", "data-share-node": link.node_id, "aria-label": settings, title: settings }, icon("settings")),
    make("button", { class: "icon-button", type: "button", "data-my-link-act": "end", "aria-label": ending, title: ending }, icon("x")),
  );
}

/** @param {Item} item */
async function end({ link, node }) {
  try {
    await call("DELETE", `/links/${link.id}`);
  } catch (error) {
    return void toast(explain(error), { failed: true });
  }
  toast(fill(gettext("The link to “%(name)s” has ended."), { name: node.name }), { action: gettext("Undo"), undo: true, run: () => void goOn(link) });
  await renew();
}

/** @param {Link} link */
async function goOn(link) {
  try {
    await call("PATCH", `/links/${link.id}`, { body: { ended: false } });
  } catch (error) {
    toast(explain(error), { failed: true });
  }
  await renew();
}

/** Listen from now on. */
export function startMine() {
  document.addEventListener("click", (event) => {
    const pressed = closest(event.target, "[data-my-link-act]");
    if (!pressed) return;
    if (pressed.dataset.myLinkAct === "more") return void more().catch((error) => toast(explain(error), { failed: true }));
    const id = closest(pressed, "[data-my-link-id]")?.dataset.myLinkId;
    const item = items.find((one) => one.link.id === id);
    if (item) void end(item);
  });
  for (const name of ["bitvault:page", "bitvault:share-closed"]) document.addEventListener(name, () => void renew());
  void renew();
}
