/** The page of legal holds and retention rules: make, change, lift, and see what each covers. */

import { call, explain, get } from "../../js/api.js";
import { confirmAction, openForm, Refusal } from "../../js/dialogs.js";
import { closest, make, need } from "../../js/dom.js";
import { fillTimes } from "../../js/format.js";
import { fill, gettext } from "../../js/i18n.js";
import { toast } from "../../js/toast.js";
import { offer, requireChoice } from "../../js/lookup.js";

const PAGE = 50;

/** Show the page as the server has it now. */
async function renew() {
  await /** @type {any} */ (window).htmx.ajax("GET", location.pathname, { target: "#retention", select: "#retention", swap: "outerHTML" });
  fillTimes(need("#retention", HTMLElement));
}

const field = (/** @type {string} */ name) => need(`#retention-${name}`, HTMLInputElement);
const target = () => need("#retention-target", HTMLSelectElement);

/** @param {"hold" | "rule"} kind @param {boolean} isNew */
function arrange(kind, isNew) {
  const dialog = need("#retention-dialog", HTMLDialogElement);
  for (const part of dialog.querySelectorAll("[data-only]")) {
    const only = part.getAttribute("data-only");
    /** @type {HTMLElement} */ (part).hidden = only !== (only === "new" ? (isNew ? "new" : "") : kind);
  }
  const key = `${isNew ? "new" : "edit"}${kind === "hold" ? "Hold" : "Rule"}`;
  for (const part of [need("#retention-title", HTMLElement), need('[data-role="accept"]', HTMLElement, dialog)]) part.textContent = part.dataset[key] ?? "";
  arrangeTarget();
}

/** Show the field of what was chosen. */
function arrangeTarget() {
  const chosen = target().value;
  for (const part of document.querySelectorAll("#retention-dialog [data-target]")) /** @type {HTMLElement} */ (part).hidden = part.getAttribute("data-target") !== chosen;
  const owner = need("#retention-dialog [data-owner]", HTMLElement);
  if (chosen === "vault" || chosen === "tag") owner.hidden = true;
  else owner.hidden = need('#retention-dialog [data-only="new"]', HTMLElement).hidden;
}

/** @param {string} name @returns {number | undefined} */
function readDays(name) {
  const input = field(name);
  if (!input.value.trim()) return undefined;
  const days = Number(input.value);
  if (!Number.isInteger(days) || days < 1 || days > 36500) throw new Refusal(input, gettext("Type a whole number of days from 1 to 36,500."));
  return days;
}

/** @param {"hold" | "rule"} kind */
function readCommon(kind) {
  const name = field("name").value.trim();
  if (!name) throw new Refusal(field("name"), gettext("Give it a name."));
  const days = kind === "rule" ? { keep_days: readDays("keep"), delete_after_days: readDays("delete") } : {};
  if (kind === "rule" && !days.keep_days && !days.delete_after_days) throw new Refusal(field("keep"), gettext("Say how long files are kept, when they are moved to trash, or both."));
  if (days.keep_days && days.delete_after_days && days.delete_after_days < days.keep_days) throw new Refusal(field("delete"), gettext("A rule cannot move to trash what it still keeps."));
  return { name, reason: need("#retention-reason", HTMLTextAreaElement).value.trim(), ...days };
}

function readTarget() {
  const chosen = target().value;
  const tells_owner = field("tells").checked;
  if (chosen === "person") return { target: chosen, user_id: requireChoice("#retention-person", gettext("Choose a person from the list.")), tells_owner };
  if (chosen === "folder") return { target: chosen, node_id: requireChoice("#retention-folder", gettext("Choose a folder from the list.")), tells_owner };
  if (chosen === "vault") return { target: chosen };
  const tag = need("#retention-tag", HTMLSelectElement);
  if (!tag.value) throw new Refusal(/** @type {any} */ (tag), gettext("There is no tag yet."));
  return { target: chosen, tag_id: tag.value };
}

/** @param {() => Promise<unknown>} act */
async function send(act) {
  try {
    return await act();
  } catch (error) {
    throw new Refusal(field("name"), explain(error));
  }
}

/** @param {"hold" | "rule"} kind @param {{id: string, name: string} | null} [folder] */
function create(kind, folder = null) {
  openForm("#retention-dialog", async () => {
    const body = { kind, ...readCommon(kind), ...readTarget() };
    const made = /** @type {{id: string, name: string}} */ (await send(() => call("POST", "/retention", { body })));
    const said = kind === "hold" ? gettext("“%(name)s” is on hold.") : gettext("The rule “%(name)s” was created.");
    toast(fill(said, { name: made.name }), { action: gettext("Undo"), undo: true, run: () => void attempt(() => lift(made.id)) });
    await renew();
  });
  if (folder) {
    target().value = "folder";
    offer(field("folder"), folder.id, folder.name);
    field("folder").value = folder.name;
  }
  arrange(kind, true);
  void offerTags();
}

/** Fill the list of tags. */
async function offerTags() {
  const found = await get("/tags");
  const list = need("#retention-tag", HTMLSelectElement);
  list.replaceChildren(...found.items.map((/** @type {{id: string, name: string}} */ tag) => new Option(tag.name, tag.id)));
}

/** @param {HTMLElement} row */
function edit(row) {
  const kind = row.dataset.kind === "hold" ? "hold" : "rule";
  const { policy, name = "", reason = "", keep = "", delete: deletes = "" } = row.dataset;
  openForm("#retention-dialog", async () => {
    const body = readCommon(kind);
    await send(() => call("PATCH", `/retention/${policy}`, { body }));
    toast(fill(gettext("“%(name)s” was changed."), { name: body.name }));
    await renew();
  });
  field("name").value = name;
  need("#retention-reason", HTMLTextAreaElement).value = reason;
  field("keep").value = keep;
  field("delete").value = deletes;
  arrange(kind, false);
}

/** @param {string} id */
async function lift(id) {
  await call("DELETE", `/retention/${id}`);
  await renew();
}

/** @param {HTMLElement} row */
async function askToLift(row) {
  const isHold = row.dataset.kind === "hold";
  const facts = { name: row.dataset.name ?? "" };
  const sure = await confirmAction({
    title: fill(gettext("Lift “%(name)s”?"), facts),
    text: isHold
      ? gettext("What it kept can be deleted permanently again, and what was due in the trash meanwhile is deleted within a day. A lifted hold does not come back; make a new one instead.")
      : gettext("It keeps nothing and moves nothing to trash any more. A lifted rule does not come back; make a new one instead."),
    accept: isHold ? gettext("Lift hold") : gettext("Lift rule"),
    danger: true,
  });
  if (!sure) return;
  await lift(row.dataset.policy ?? "");
  toast(fill(gettext("“%(name)s” was lifted."), facts));
}

/** @param {string} id @param {string} [cursor] */
async function showCovered(id, cursor = "") {
  const found = await get(`/retention/${id}/nodes?limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  const list = need("#retention-covered", HTMLElement);
  if (!cursor) list.replaceChildren();
  for (const one of found.items) list.append(lineOf(one));
  if (!list.children.length) list.append(make("li", {}, gettext("Nothing yet.")));
  const more = need("#retention-more", HTMLElement);
  more.hidden = !found.next_cursor;
  Object.assign(more.dataset, { policy: id, cursor: found.next_cursor ?? "" });
}

/** @param {{name: string, path: string, by: string, left_at: string | null}} node */
function lineOf(node) {
  const why = node.left_at ? gettext("had the tag") : node.by === "moved" ? gettext("was moved out of what is covered") : "";
  const line = make("li", {}, make("bdi", {}, node.path ? node.path.replaceAll("/", " / ") : gettext("Something that you cannot see")));
  if (why) line.append(make("small", {}, why));
  return line;
}

/** @param {() => Promise<void>} run */
async function attempt(run) {
  try {
    await run();
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-retention]");
  if (!button) return;
  const row = closest(button, "[data-policy]");
  switch (button.dataset.retention) {
    case "new-hold":
      return create("hold");
    case "new-rule":
      return create("rule");
    case "edit":
      return row ? edit(row) : undefined;
    case "lift":
      return row ? void attempt(() => askToLift(row)) : undefined;
    case "covers":
      need("#retention-covers", HTMLDialogElement).showModal();
      return void attempt(() => showCovered(row?.dataset.policy ?? ""));
    case "more":
      return void attempt(() => showCovered(button.dataset.policy ?? "", button.dataset.cursor));
  }
});

document.addEventListener("change", (event) => {
  if (closest(event.target, "#retention-target")) arrangeTarget();
});

// A folder that was chosen in a list is put on hold from here.
document.addEventListener("bitvault:command", (event) => {
  const { command, entries } = /** @type {CustomEvent<{command: string, entries: {id: string, name: string}[]}>} */ (event).detail;
  if (command !== "hold" || entries.length !== 1) return;
  location.assign(`/settings/retention/?${new URLSearchParams({ folder: entries[0].id, name: entries[0].name })}`);
});

/** Open the form for what the address names. */
function openAsked() {
  const asked = new URLSearchParams(location.search);
  const [id, name] = [asked.get("folder"), asked.get("name")];
  if (!id || !name || !document.querySelector("#retention")) return;
  history.replaceState(history.state, "", location.pathname);
  create("hold", { id, name });
}

document.addEventListener("bitvault:page", openAsked);
openAsked();
