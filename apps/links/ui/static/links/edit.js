/** A link that lets its visitors edit: upload into its folder, put another version in the place of a file, write small texts, rename. */

import { call } from "../js/api.js";
import { askName } from "../js/dialogs.js";
import { closest, make, need } from "../js/dom.js";
import { whenUntil } from "../js/format.js";
import { fill, gettext } from "../js/i18n.js";
import { fetchText, sendText, TEXT_LIMIT_BYTES } from "../files/editor/content.js";
import { edit, startEditor } from "../files/editor/editor.js";
import { isText } from "../files/types.js";
import { UploadQueue } from "../files/uploads/queue.js";
import { startRules } from "../files/uploads/rules.js";

/** @typedef {import("../files/uploads/queue.js").Item} Item */
/** @typedef {{parent_id?: string, node_id?: string}} Place */

const root = need("#link-edit", HTMLElement);
const path = `/public/links/${root.dataset.token}`;
const input = need("input[type=file]", HTMLInputElement, root);
const list = need('[data-role="sending"]', HTMLElement, root);
const told = need('[data-role="told"]', HTMLElement, root);

/** @param {string} method @param {string} tail @param {Parameters<typeof call>[2]} [options] */
const ask = (method, tail, options = {}) =>
  call(method, path + tail, { ...options, headers: root.dataset.unlock ? { "BitVault-Link-Unlock": root.dataset.unlock } : {} });

/** Where the next files go. @type {Place} */
let place = {};

const queue = new UploadQueue({
  start: (body, key) => ask("POST", "/uploads", { body, key }),
  commit: ({ id, part_hashes }) => ask("POST", `/uploads/${id}/commit`, { body: { part_hashes } }),
  call: (method, tail, options) => ask(method, `/uploads${tail}`, options),
  makeTree: (rootId) => {
    const chosen = rootId.startsWith("file:") ? { node_id: rootId.slice(5) } : { parent_id: rootId };
    return { ensure: () => Promise.resolve(chosen) };
  },
  describe: ({ parentId, name }) => ({ name, .../** @type {Place} */ (/** @type {unknown} */ (parentId)) }),
});

/** @param {Item} item @returns {HTMLElement} */
function lineOf(item) {
  const share = item.size ? Math.floor((100 * item.sent) / item.size) : 0;
  const note = item.state === "done" ? gettext("Uploaded") : item.note || (item.state === "failed" ? gettext("This could not be uploaded.") : `${share} %`);
  const line = make("li", {}, make("span", {}, item.name), make("span", item.state === "failed" ? { "data-failed": "" } : { class: "muted" }, note));
  if (item.state === "failed" || item.state === "paused") {
    const again = make("button", { class: "button button-quiet", type: "button" }, gettext("Try again"));
    again.addEventListener("click", () => queue.resume(item));
    line.append(again);
  }
  return line;
}

startRules();

let timer = 0;
function paint() {
  timer = 0;
  list.replaceChildren(...queue.items.map(lineOf));
  if (!queue.items.length || queue.items.some((item) => item.state !== "done")) return;
  // What lies here now is the server's to say.
  location.reload();
}
for (const name of ["change", "progress"]) queue.addEventListener(name, () => (timer ||= window.setTimeout(paint, 200)));
queue.addEventListener("drop", (event) => {
  const id = /** @type {CustomEvent} */ (event).detail;
  ask("DELETE", `/uploads/${id}`, { keepalive: true }).catch((error) => console.warn("An upload was not given up.", error));
});
addEventListener("online", () => queue.retryOffline());
addEventListener("beforeunload", (event) => {
  if (queue.items.some((item) => item.active || item.state === "waiting")) event.preventDefault();
});

input.addEventListener("change", () => {
  const rootId = place.node_id ? `file:${place.node_id}` : (place.parent_id ?? "");
  const batch = queue.batch({ id: rootId, name: "" });
  for (const file of input.files ?? []) queue.add(batch, file, []);
  told.textContent = input.files?.length ? gettext("Uploading. Keep this page open until it is done.") : "";
  input.value = "";
});

/** @param {HTMLElement} button */
async function rename(button) {
  const { node = "", name = "" } = button.dataset;
  const done = await askName({
    title: fill(gettext("Rename %(name)s"), { name }),
    label: gettext("Name"),
    value: name,
    accept: gettext("Rename"),
    submit: (text) => ask("PATCH", `/nodes/${node}`, { body: { name: text } }),
  });
  if (done) location.reload();
}

// --- texts -------------------------------------------------------------------------------------------------------------------

/** Whether the page shows less than what was saved. */
let isOld = false;

startEditor({
  readNode: (id) => ask("GET", `/nodes/${id}`),
  // The page's own path: its cookie proves the password, where a header would not go along to the store.
  readText: (node) => fetchText(`/s/${root.dataset.token}/content/${node.id}`, `/s/${root.dataset.token}`),
  writeText: async (text, destination) => (await sendText(ask, text, destination)).node,
  placeNode: () => (isOld = true),
  pollSeconds: 15,
});

/** Where one file is shown alone, its page says that it is locked. */
async function tellOfLock() {
  const replace = document.querySelector('.link-file ~ .link-edit [data-edit="replace"]');
  if (!(replace instanceof HTMLElement)) return;
  const node = await ask("GET", `/nodes/${replace.dataset.node}`);
  if (!node.locked_until) return;
  told.textContent = fill(gettext("Somebody has locked this file until %(when)s. It can be changed afterwards."), { when: whenUntil(new Date(node.locked_until)) });
}
tellOfLock().catch((error) => console.warn("Whether the file is locked is not known.", error));
for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-edit="write"]'))) {
  const { name = "", size } = button.dataset;
  button.hidden = !isText(name) || Number(size) > TEXT_LIMIT_BYTES;
}
need("#editor", HTMLDialogElement).addEventListener("close", () => {
  if (isOld) location.reload();
});

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-edit]");
  if (!button) return;
  if (button.dataset.edit === "rename") return void rename(button);
  if (button.dataset.edit === "write") return void edit({ id: button.dataset.node ?? "", name: button.dataset.name ?? "" });
  place = button.dataset.edit === "replace" ? { node_id: button.dataset.node } : { parent_id: root.dataset.folder };
  input.multiple = button.dataset.edit === "upload";
  input.accept = input.multiple ? (root.dataset.accept ?? "") : "";
  input.click();
});
