/** The dialog in which somebody asks for files: what, until when, how much; and then the address to send around. */

import { call, explain, get, Problem } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { showFieldError } from "../js/dialogs.js";
import { closest, need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";
import { qrOf } from "./qr.js";
import { copy } from "./words.js";

/** @typedef {import("./words.js").Link} Link */
/** @typedef {{id: string, name: string, kind: string, capabilities: string[]}} Folder */

const MB = 1024 * 1024;
const GB = 1024 * MB;

/** @type {Folder | null} */
let folder = null;
/** @type {Link | null} the link that is changed; none: one is made */
let changing = null;
/** @type {(made: Link) => void} */
let onDone = () => {};

const dialog = () => need("#request-dialog", HTMLDialogElement);
/** @param {string} name */
const field = (name) => need(`#request-${name}`, HTMLInputElement);
/** @param {string} name */
const choice = (name) => need(`#request-${name}`, HTMLSelectElement);

/** Ask for files into a folder, by its id. @param {string} folderId */
export async function requestFiles(folderId) {
  try {
    const node = await get(`/nodes/${folderId}`);
    if (!["share", "add"].every((one) => node.capabilities.includes(one))) {
      return void toast(fill(gettext("You may not ask for files into “%(name)s”: that takes the right to share it."), { name: node.name }), { failed: true });
    }
    openRequest(node);
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

/**
 * @param {Folder} node
 * @param {Link | null} [link] that is to be changed
 * @param {(link: Link) => void} [done]
 */
export function openRequest(node, link = null, done = () => {}) {
  folder = node;
  changing = link;
  onDone = done;
  const request = link?.request;
  need("#request-dialog-title", HTMLElement).textContent = fill(link ? gettext("Change the request into “%(name)s”") : gettext("Request files into “%(name)s”"), { name: node.name });
  field("title").value = request?.title ?? "";
  need("#request-text", HTMLTextAreaElement).value = request?.text ?? "";
  field("deadline").value = request?.deadline ? toField(new Date(request.deadline)) : "";
  field("starts_at").value = link?.starts_at ? toField(new Date(link.starts_at)) : "";
  choice("grace_hours").value = String(request?.grace_hours ?? 0);
  field("ask_name").checked = request?.ask_name ?? true;
  field("ask_email").checked = request?.ask_email ?? false;
  field("folder_per_sender").checked = request?.folder_per_sender ?? false;
  field("max_file_bytes").value = inUnits(request?.max_file_bytes, MB);
  field("max_files").value = request?.max_files ? String(request.max_files) : "";
  field("max_total_bytes").value = inUnits(request?.max_total_bytes, GB);
  const accepts = (request?.accepts ?? []).join(",");
  choice("types").value = accepts;
  if (choice("types").value !== accepts) choice("types").value = "own";
  field("accepts").value = (request?.accepts ?? []).join(", ");
  field("password").value = "";
  need("#request-password-hint", HTMLElement).textContent = link?.has_password ? gettext("It has one. Type another one to change it, or a single “-” to take it away.") : gettext("At least 8 characters.");
  need("#request-more", HTMLDetailsElement).open = Boolean(accepts || request?.max_file_bytes || request?.max_files || request?.max_total_bytes || link?.has_password || link?.starts_at);
  need("#request-submit", HTMLButtonElement).textContent = link ? gettext("Save") : gettext("Make the request");
  clearErrors();
  showStep(null);
  showDependent();
  if (!dialog().open) dialog().showModal();
  field("title").focus();
}

/** @param {number | null | undefined} count @param {number} unit @returns {string} */
const inUnits = (count, unit) => (count ? String(Number((count / unit).toFixed(3))) : "");

/** @param {Date} date @returns {string} as a field of date and time takes it, here */
const toField = (date) => new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

function clearErrors() {
  for (const name of ["title", "deadline", "starts_at", "accepts", "password"]) showFieldError(field(name), "");
  showError("");
}

/** @param {string} text */
function showError(text) {
  const line = need("#request-error", HTMLElement);
  line.textContent = text;
  line.hidden = !text;
}

function showDependent() {
  need("#request-grace-field", HTMLElement).hidden = !field("deadline").value;
  need("#request-accepts-field", HTMLElement).hidden = choice("types").value !== "own";
}

/** @param {string | null} address what was made; none: the fields */
function showStep(address) {
  need("#request-fields", HTMLElement).hidden = address !== null;
  need("#request-made", HTMLElement).hidden = address === null;
  need("#request-submit", HTMLButtonElement).hidden = address !== null;
  need("#request-close", HTMLButtonElement).textContent = address === null ? gettext("Cancel") : gettext("Done");
  field("address").value = address ?? "";
  need("#request-said", HTMLElement).textContent = "";
  need("#request-qr", HTMLElement).replaceChildren();
}

/** @returns {Record<string, unknown>} what is asked for */
function read() {
  const number = (/** @type {string} */ name, unit = 1) => (field(name).value ? Math.round(Number(field(name).value) * unit) : null);
  const types = choice("types").value === "own" ? field("accepts").value : choice("types").value;
  const deadline = field("deadline").value;
  return {
    title: field("title").value.trim(),
    text: need("#request-text", HTMLTextAreaElement).value.trim(),
    deadline: deadline ? new Date(deadline).toISOString() : null,
    grace_hours: deadline ? Number(choice("grace_hours").value) : 0,
    ask_name: field("ask_name").checked,
    ask_email: field("ask_email").checked,
    folder_per_sender: field("folder_per_sender").checked,
    max_file_bytes: number("max_file_bytes", MB),
    max_files: number("max_files"),
    max_total_bytes: number("max_total_bytes", GB),
    accepts: types
      .split(/[\s,;]+/u)
      .filter(Boolean)
      .map((one) => (/^[a-z0-9]/iu.test(one) && !one.includes("/") ? `.${one}` : one)),
  };
}

/** @returns {string | null} from when on files are taken */
const readStart = () => (field("starts_at").value ? new Date(field("starts_at").value).toISOString() : null);

async function submit() {
  if (!folder) return;
  clearErrors();
  if (!field("title").value.trim()) {
    showFieldError(field("title"), gettext("Say what you ask for."));
    return field("title").focus();
  }
  const password = field("password").value;
  try {
    if (changing) {
      /** @type {Record<string, unknown>} */
      const body = { request: read() };
      if (password) body.password = password === "-" ? null : password;
      if (field("starts_at").value !== (changing.starts_at ? toField(new Date(changing.starts_at)) : "")) body.starts_at = readStart();
      const changed = await call("PATCH", `/links/${changing.id}`, { body });
      dialog().close();
      toast(gettext("The request is changed."));
      return onDone(changed);
    }
    const made = await call("POST", `/nodes/${folder.id}/links`, { body: { kind: "upload", password: password || null, starts_at: readStart(), request: read() } });
    showStep(made.url);
    onDone(made);
    await copyAddress(true);
    await drawQr(made);
  } catch (error) {
    showProblem(error);
  }
}

/** @param {Link} made */
async function drawQr(made) {
  try {
    need("#request-qr", HTMLElement).replaceChildren(await qrOf(made, made.url ?? "", made.request?.title ?? ""));
  } catch (error) {
    console.warn("The code could not be drawn.", error);
  }
}

/** @param {unknown} error shown beside the field that it is about */
function showProblem(error) {
  const about = error instanceof Problem ? ({ expires_at: "deadline" }[error.facts.field] ?? error.facts.field) : "";
  const input = document.getElementById(`request-${about}`);
  if (!(input instanceof HTMLInputElement)) return showError(explain(error));
  const more = input.closest("details");
  if (more) more.open = true;
  if (input.hasAttribute("aria-describedby")) showFieldError(input, explain(error));
  else showError(explain(error));
  input.focus();
}

/** @param {boolean} [first] */
async function copyAddress(first = false) {
  const done = await copy(field("address").value, field("address"));
  need("#request-said", HTMLElement).textContent = done ? gettext("The address is copied.") : first ? "" : gettext("Press Ctrl+C to copy the address.");
  if (first) need('[data-request-act="copy"]', HTMLElement).focus();
}

/** Listen from now on. */
export function startRequests() {
  document.addEventListener("bitvault:command", (event) => {
    const { command, entries } = /** @type {CustomEvent<{command: string, entries: {id: string}[]}>} */ (event).detail;
    if (command === "request-files" && entries.length === 1) void requestFiles(entries[0].id);
  });
  onSubmit("#request-form", submit);
  document.addEventListener("input", (event) => {
    if (closest(event.target, "#request-form")) showDependent();
  });
  document.addEventListener("click", (event) => {
    const act = closest(event.target, "[data-request-act]")?.dataset.requestAct;
    if (act === "close") dialog().close();
    if (act === "copy") void copyAddress();
  });
}
