/** The dialog that shows what a file held before, and leads back there. */

import { call, explain, get } from "../../js/api.js";
import { whileBusy } from "../../js/busy.js";
import { askName, confirmAction } from "../../js/dialogs.js";
import { announce, icon, make, need } from "../../js/dom.js";
import { bytes, fillTimes, when } from "../../js/format.js";
import { toast } from "../../js/toast.js";
import { mayWrite, placeNode } from "./rows.js";
import { fill, gettext } from "../../js/i18n.js";

/** @typedef {import("./rows.js").Entry} Entry */
/**
 * @typedef {{
 *   id: string, is_current: boolean, size_bytes: number, created_at: string, author: {id: string, name: string, kind: "person" | "link"},
 *   made_on: string, label: string, pinned: boolean, restored_from_id: string | null,
 * }} Version
 */

/** @type {Entry | null} whose versions are shown */
let file = null;
/** @type {Version[]} */
let versions = [];
let cursor = "";

const dialog = () => need("#versions-dialog", HTMLDialogElement);
const addressOf = (/** @type {Version} */ version) => `/nodes/${file?.id}/versions/${version.id}`;
const momentOf = (/** @type {Version} */ version) => when(new Date(version.created_at));

/** @param {string} text */
function showError(text) {
  const note = need("#versions-error", HTMLElement);
  note.replaceChildren(icon("warning"), make("span", {}, text));
  note.hidden = !text;
}

/** @param {Version} version @returns {string} who made it, on what, and how large it is */
function describe(version) {
  const ways = { web: gettext("in the browser"), API: gettext("by a program"), link: gettext("through a link") };
  const where = ways[/** @type {keyof typeof ways} */ (version.made_on)] ?? (version.made_on && `on ${version.made_on}`);
  const nobody = version.author.kind === "link" ? gettext("A visitor") : gettext("A former member");
  return [[version.author.name || nobody, where].filter(Boolean).join(", "), bytes(version.size_bytes)].join(" · ");
}

/**
 * @param {string} act @param {string} name @param {string} symbol
 * @returns {HTMLElement}
 */
const button = (act, name, symbol) => make("button", { class: "icon-button icon-button-s", type: "button", "data-act": act, title: name, "aria-label": name }, icon(symbol, "icon icon-s"));

/** @param {Version} version @returns {HTMLElement} */
function line(version) {
  const moment = make("time", { datetime: version.created_at, "data-when": "" });
  const head = make("span", { class: "version-head" }, moment);
  if (version.is_current) head.append(make("span", { class: "badge" }, gettext("Current")));
  if (version.pinned) head.append(make("span", { class: "badge" }, gettext("Pinned")));
  if (version.restored_from_id) head.append(make("span", { class: "version-note" }, gettext("Restored")));
  const lines = make("span", { class: "version-lines" }, head, make("small", {}, describe(version)));
  if (version.label) lines.prepend(make("b", {}, version.label));
  const acts = make("span", { class: "version-acts" });
  if (mayWrite() && !version.is_current) acts.append(make("button", { class: "button", type: "button", "data-act": "restore" }, gettext("Restore")));
  acts.append(button("download", gettext("Download this version"), "download"));
  if (mayWrite()) {
    acts.append(button("label", version.label ? gettext("Change the name of this version") : gettext("Name this version"), "pencil"));
    acts.append(button("pin", version.pinned ? gettext("Unpin: it may be deleted") : gettext("Pin: keep it until it is unpinned"), version.pinned ? "pin-off" : "pin"));
    if (!version.is_current) acts.append(button("delete", gettext("Delete this version permanently"), "trash"));
  }
  const item = make("li", { class: "version", "data-id": version.id }, lines, acts);
  fillTimes(item);
  return item;
}

function draw() {
  const list = need("#versions-list", HTMLElement);
  const inFocus = document.activeElement instanceof HTMLElement && list.contains(document.activeElement) ? document.activeElement : null;
  const id = inFocus?.closest("li")?.dataset.id;
  list.replaceChildren(...versions.map(line));
  need("#versions-more", HTMLButtonElement).hidden = !cursor;
  if (inFocus) (list.querySelector(`[data-id="${id}"] [data-act="${inFocus.dataset.act}"]`) ?? list).focus();
}

/** Read from the newest on, or what follows what is shown. @param {boolean} [more] */
async function read(more = false) {
  if (!file) return;
  const asked = file.id;
  const page = await get(`/nodes/${asked}/versions?limit=50${more && cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  if (file?.id !== asked) return;
  versions = more ? [...versions, ...page.items] : page.items;
  cursor = page.next_cursor ?? "";
  draw();
}

/** Bring a version back and leave: an open dialog would keep the pointer from "Undo". @param {Version} version */
async function restore(version) {
  const before = versions.find((one) => one.is_current);
  const entry = /** @type {Entry} */ (file);
  placeNode(await call("POST", `${addressOf(version)}/restore`), { fresh: true });
  dialog().close();
  toast(fill(gettext("“%(name)s” restored to the version of %(moment)s."), { name: entry.name, moment: momentOf(version) }), { action: gettext("Undo"), undo: true, run: () => void takeBack(entry, before) });
}

/** @param {Entry} entry @param {Version | undefined} before what was current */
async function takeBack(entry, before) {
  if (!before) return;
  try {
    placeNode(await call("POST", `/nodes/${entry.id}/versions/${before.id}/restore`), { fresh: true });
    announce(fill(gettext("%(name)s is as it was before"), { name: entry.name }));
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

/** @param {Version} version */
async function label(version) {
  const changed = await askName({
    title: gettext("Name this version"),
    label: gettext("Name"),
    value: version.label,
    accept: gettext("Save"),
    submit: (text) => call("PATCH", addressOf(version), { body: { label: text } }),
  });
  if (changed) take(changed);
}

/** @param {Version} version shown instead of what was known of it */
function take(version) {
  versions = versions.map((one) => (one.id === version.id ? version : one));
  draw();
}

/** @param {Version} version */
async function remove(version) {
  const sure = await confirmAction({
    title: gettext("Delete this version permanently?"),
    text: fill(gettext("The content of “%(name)s” as of %(moment)s cannot be brought back then. The file and its other versions stay."), { name: file?.name, moment: momentOf(version) }),
    accept: gettext("Delete permanently"),
    danger: true,
  });
  if (!sure) return;
  await call("DELETE", addressOf(version));
  versions = versions.filter((one) => one.id !== version.id);
  draw();
  announce(gettext("Version deleted"));
}

/** @param {Version} version */
function download(version) {
  const link = make("a", { href: `/api/v1/nodes/${file?.id}/content?version_id=${version.id}`, download: "", "hx-boost": "false" });
  dialog().append(link);
  link.click();
  link.remove();
}

/** @type {Record<string, (version: Version) => unknown>} */
const ACTS = {
  restore,
  label,
  download,
  delete: remove,
  pin: async (version) => take(await call("PATCH", addressOf(version), { body: { pinned: !version.pinned } })),
};

/** @param {Event} event */
async function press(event) {
  const pressed = event.target instanceof Element ? event.target.closest("button") : null;
  if (!pressed) return;
  if (pressed.dataset.role === "cancel") return dialog().close();
  const version = versions.find((one) => one.id === pressed.closest("li")?.dataset.id);
  const act = pressed.dataset.role === "more" ? () => read(true) : version && ACTS[pressed.dataset.act ?? ""];
  if (!act) return;
  showError("");
  await whileBusy(pressed, () => act(/** @type {Version} */ (version))).catch((error) => showError(explain(error)));
}

/** Show the versions of a file; the dialog is there at once, its lines follow. @param {Entry} entry */
export function showVersions(entry) {
  const shown = dialog();
  file = entry;
  [versions, cursor] = [[], ""];
  need("#versions-file", HTMLElement).textContent = entry.name;
  showError("");
  draw();
  if (shown.dataset.ready === undefined) {
    shown.dataset.ready = "";
    shown.addEventListener("click", press);
    shown.addEventListener("close", () => {
      file = null;
    });
  }
  shown.showModal();
  read().catch((error) => showError(explain(error)));
}
