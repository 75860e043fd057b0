/** The section of links in the dialog in which a node is shared: make one, copy it, change it, end it. */

import { call, explain, get, Problem } from "../js/api.js";
import { onSubmit, whileBusy } from "../js/busy.js";
import { closest, icon, make, need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { logOf } from "./log.js";
import { qrOf } from "./qr.js";
import { openRequest } from "./request.js";
import { copy, factsOf, titleOf } from "./words.js";

/** @typedef {import("./words.js").Link} Link */
/** @typedef {(text: string, takeBack?: (() => Promise<unknown>) | null, failed?: boolean) => void} Say */
/** @typedef {{policies: {share_outside: string, links_allowed: boolean, link_password_required: boolean, expiry_required: boolean, longest_days: number | null}, permitted: {make_links: boolean}}} Rules */
/** @typedef {{node: {id: string, kind: string, name: string, capabilities: string[]}, mayShare: boolean, rules: Rules, say: Say}} Opened */

const DAY_MS = 86_400_000;

/** @type {Opened | null} */
let shown = null;
/** @type {Link[]} */
let links = [];
/** The addresses of links that were made while the dialog is open: the server tells each of them once. @type {Map<string, string>} */
const addresses = new Map();
/** @type {Link | null} the link that the form changes; none: it makes a new one */
let changing = null;

const section = () => need("#links-section", HTMLElement);
const form = () => need("#links-form", HTMLFormElement);
/** @param {string} name */
const field = (name) => need(`#link-${name}`, HTMLInputElement);

/** @param {Opened} opened */
async function open(opened) {
  shown = opened;
  links = [];
  addresses.clear();
  closeForm();
  need('[data-link-act="request"]', HTMLElement).hidden = opened.node.kind !== "folder" || !opened.node.capabilities.includes("add");
  if (!opened.node.capabilities.includes("share")) return;
  const refusal = refusalOf(opened);
  need("#links-refusal", HTMLElement).textContent = refusal;
  need("#links-refusal", HTMLElement).hidden = !refusal;
  need('[data-link-act="new"]', HTMLButtonElement).hidden = refusal !== "";
  if (refusal) need('[data-link-act="request"]', HTMLElement).hidden = true;
  await refresh();
  section().hidden = shown !== opened;
}

/** @param {Opened} opened @returns {string} why no link can be made, by the rules of the vault */
function refusalOf({ mayShare, rules }) {
  if (!rules.policies.links_allowed) return gettext("By the rules of this vault there are no links, and those that were made open nothing.");
  if (!rules.permitted.make_links) return rules.policies.share_outside === "nobody" ? gettext("By the rules of this vault nothing is shared with people outside.") : gettext("By the rules of this vault only administrators make links.");
  return mayShare ? "" : gettext("By the rules of this vault only the owner makes links.");
}

/** Say what a link needs here, and how late it may end. @param {Link | null} link */
function showRules(link) {
  const { policies } = /** @type {Opened} */ (shown).rules;
  const days = policies.longest_days;
  need('label[for="link-password"]', HTMLElement).textContent = policies.link_password_required ? gettext("Password") : gettext("Password (optional)");
  need('label[for="link-until"]', HTMLElement).textContent = days !== null || policies.expiry_required ? gettext("Until") : gettext("Until (optional)");
  const latest = days === null ? null : new Date(Date.now() + days * DAY_MS);
  field("until").max = latest ? toField(latest) : "";
  if (latest && !link) field("until").value = toField(latest);
  const hint = need("#link-until-hint", HTMLElement);
  hint.textContent = latest ? fill(gettext("The rules of this vault allow at most %(days)s days."), { days: String(days) }) : policies.expiry_required ? gettext("The rules of this vault ask for an end.") : "";
  hint.hidden = !hint.textContent;
}

async function refresh() {
  const node = shown?.node;
  if (!node) return;
  try {
    const page = await get(`/nodes/${node.id}/links`);
    if (shown?.node.id !== node.id) return;
    links = page.items;
  } catch (error) {
    return void shown?.say(explain(error), null, true);
  }
  show();
}

function show() {
  need("#links-none", HTMLElement).hidden = links.length > 0 || !form().hidden || !need("#links-refusal", HTMLElement).hidden;
  need("#links-list", HTMLUListElement).replaceChildren(...links.map(lineOf));
}

/** @param {Link} link @returns {string | undefined} its address, where it can be told */
const addressOf = (link) => addresses.get(link.id) ?? (link.slug ? `${location.origin}/s/${link.slug}` : undefined);

/** @param {Link} link */
function lineOf(link) {
  const title = titleOf(link);
  const line = make("li", { class: "links-line", "data-link-id": link.id });
  const facts = factsOf(link);
  line.append(icon(link.request ? "user-in" : "link"), make("div", { class: "links-words" }, make("b", {}, title), ...(facts ? [make("small", {}, facts)] : [])));
  const address = addressOf(link);
  line.append(
    button("eye", "log", fill(gettext("What was done through %(name)s"), { name: title })),
    button("settings", "change", fill(gettext("Change %(name)s"), { name: title })),
    button("x", "end", fill(gettext("End %(name)s"), { name: title })),
  );
  if (address) {
    const box = make("div", { class: "links-address" });
    const input = make("input", { class: "input", type: "text", readonly: "", value: address, "aria-label": fill(gettext("Address of %(name)s"), { name: title }) });
    const copying = make("button", { class: "button", type: "button", "data-link-act": "copy" }, gettext("Copy"));
    const drawing = make("button", { class: "button", type: "button", "data-link-act": "qr", "aria-expanded": "false" }, gettext("QR code"));
    box.append(input, copying, drawing);
    line.append(box);
  }
  return line;
}

/** @param {string} name @param {string} act @param {string} label */
function button(name, act, label) {
  return make("button", { class: "icon-button", type: "button", "data-link-act": act, "aria-label": label, title: label }, icon(name));
}

/**
 * Show something below a link's line, or take it away.
 *
 * @param {HTMLElement} pressed
 * @param {string} kind the class of what is shown
 * @param {() => Promise<HTMLElement>} bring
 */
async function toggle(pressed, kind, bring) {
  const line = closest(pressed, ".links-line");
  const shownAlready = line?.querySelector(`.${kind}`);
  if (shownAlready) {
    shownAlready.remove();
    return pressed.setAttribute("aria-expanded", "false");
  }
  if (!line) return;
  await whileBusy(pressed, async () => {
    try {
      line.append(await bring());
      pressed.setAttribute("aria-expanded", "true");
      line.lastElementChild?.scrollIntoView({ block: "nearest" });
    } catch (error) {
      shown?.say(explain(error), null, true);
    }
  });
}

// --- making and changing ---------------------------------------------------------------------------------------------------------

/** @param {Link | null} link */
function openForm(link) {
  changing = link;
  // Nobody gives what they do not have.
  need('#link-kind option[value="edit"]', HTMLOptionElement).disabled = !["add", "edit"].every((one) => shown?.node.capabilities.includes(one));
  need("#link-kind", HTMLSelectElement).value = link?.kind ?? "download";
  field("name").value = link?.name ?? "";
  field("password").value = "";
  need("#link-password-hint", HTMLElement).textContent = link?.has_password ? gettext("It has one. Type another one to change it, or a single “-” to take it away.") : gettext("At least 8 characters.");
  field("from").value = link?.starts_at ? toField(new Date(link.starts_at)) : "";
  field("until").value = link?.expires_at ? toField(new Date(link.expires_at)) : "";
  field("until").min = toField(new Date());
  field("limit").value = link?.download_limit ? String(link.download_limit) : "";
  field("slug").value = "";
  need("#link-slug-field", HTMLElement).hidden = link !== null;
  need("#link-submit", HTMLButtonElement).textContent = link ? gettext("Save") : gettext("Make link");
  showRules(link);
  showError("");
  showKind();
  form().hidden = false;
  show();
  form().scrollIntoView({ block: "nearest" });
  need("#link-kind", HTMLSelectElement).focus();
}

function closeForm() {
  changing = null;
  form().hidden = true;
}

function showKind() {
  need("#link-limit-field", HTMLElement).hidden = need("#link-kind", HTMLSelectElement).value === "view";
}

/** @param {string} text */
function showError(text) {
  const line = need("#link-error", HTMLElement);
  line.textContent = text;
  line.hidden = !text;
}

/** @param {Date} date @returns {string} as a date field takes it */
const toField = (date) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;

/** @param {string} value of a date field @returns {string | null} the end of that day here */
function endOfDay(value) {
  const [year, month, day] = value.split("-").map(Number);
  return value ? new Date(year, month - 1, day, 23, 59, 59).toISOString() : null;
}

/** @param {string} value of a date field @returns {string | null} the beginning of that day here; of today none is needed */
function startOfDay(value) {
  const [year, month, day] = value.split("-").map(Number);
  return value && value !== toField(new Date()) ? new Date(year, month - 1, day).toISOString() : null;
}

/** @returns {Record<string, unknown>} what the form says */
function read() {
  const kind = need("#link-kind", HTMLSelectElement).value;
  const password = field("password").value;
  const until = endOfDay(field("until").value);
  const from = startOfDay(field("from").value);
  /** @type {Record<string, unknown>} */
  const wish = { kind, name: field("name").value.trim(), download_limit: kind === "view" || !field("limit").value ? null : Number(field("limit").value) };
  if (!changing) return { ...wish, starts_at: from, expires_at: until, password: password || null, slug: field("slug").value.trim() || null };
  // A date that was left as it is keeps its time of the day.
  if (field("until").value !== (changing.expires_at ? toField(new Date(changing.expires_at)) : "")) wish.expires_at = until;
  if (field("from").value !== (changing.starts_at ? toField(new Date(changing.starts_at)) : "")) wish.starts_at = from;
  if (password) wish.password = password === "-" ? null : password;
  return wish;
}

async function submit() {
  if (!shown) return;
  try {
    if (changing) {
      await call("PATCH", `/links/${changing.id}`, { body: read() });
      shown.say(gettext("Saved."));
      closeForm();
      await refresh();
    } else await makeLink();
  } catch (error) {
    showError(explain(error));
    const name = error instanceof Problem ? { starts_at: "from", expires_at: "until", download_limit: "limit" }[error.facts.field] ?? error.facts.field : "";
    if (name && document.getElementById(`link-${name}`)) field(name).focus();
  }
}

async function makeLink() {
  if (!shown) return;
  const made = await call("POST", `/nodes/${shown.node.id}/links`, { body: read() });
  addresses.set(made.id, made.url);
  closeForm();
  await refresh();
  const line = document.querySelector(`[data-link-id="${made.id}"]`);
  const input = line?.querySelector("input") ?? null;
  if (await copy(made.url, input)) shown.say(gettext("The link is made and copied. Its address is shown this once."));
  else shown.say(gettext("The link is made. Copy its address now: it is shown this once."));
  /** @type {HTMLElement | null | undefined} */ (line?.querySelector('[data-link-act="copy"]'))?.focus();
}

/** @param {Link} made a request, whose address the server tells once */
function keepRequest(made) {
  if (made.url) addresses.set(made.id, made.url);
  void refresh();
}

// --- what is done with one --------------------------------------------------------------------------------------------------------

/** @param {Link} link @param {HTMLElement} pressed */
async function copyLink(link, pressed) {
  const address = addressOf(link);
  if (!address) return;
  const done = await copy(address, pressed.parentElement?.querySelector("input") ?? null);
  pressed.textContent = done ? gettext("Copied") : gettext("Press Ctrl+C");
  shown?.say(done ? gettext("The address is copied.") : gettext("Press Ctrl+C to copy the address."));
}

/** @param {Link} link */
async function end(link) {
  try {
    await call("DELETE", `/links/${link.id}`);
  } catch (error) {
    return void shown?.say(explain(error), null, true);
  }
  shown?.say(fill(gettext("“%(name)s” has ended: nobody can open it any more."), { name: titleOf(link) }), async () => {
    await call("PATCH", `/links/${link.id}`, { body: { ended: false } });
    await refresh();
  });
  await refresh();
  need('[data-link-act="new"]', HTMLButtonElement).focus();
}

/** Listen from now on. */
export function startSection() {
  document.addEventListener("bitvault:share-opened", (event) => void open(/** @type {CustomEvent<Opened>} */ (event).detail));
  document.addEventListener("bitvault:share-closed", () => {
    shown = null;
    addresses.clear();
  });
  onSubmit("#links-form", submit);
  document.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement && event.target.id === "link-kind") showKind();
  });
  document.addEventListener("click", (event) => {
    const pressed = closest(event.target, "#links-section [data-link-act]");
    if (!pressed) return;
    const id = closest(pressed, "[data-link-id]")?.dataset.linkId;
    const link = links.find((one) => one.id === id);
    switch (pressed.dataset.linkAct) {
      case "new":
        return openForm(null);
      case "cancel":
        closeForm();
        show();
        return need('[data-link-act="new"]', HTMLButtonElement).focus();
      case "copy":
        return void (link && copyLink(link, pressed));
      case "request":
        return void (shown && openRequest(shown.node, null, keepRequest));
      case "change":
        if (link?.request && shown) return openRequest(shown.node, link, () => void refresh());
        return void (link && openForm(link));
      case "log":
        return void (link && toggle(pressed, "links-log", () => logOf(link)));
      case "qr":
        return void (link && toggle(pressed, "links-qr", () => qrOf(link, addressOf(link) ?? "", titleOf(link))));
      case "end":
        return void (link && end(link));
    }
  });
}
