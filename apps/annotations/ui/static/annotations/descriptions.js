/** Descriptions of folders: read above the list, written there or in the details panel, and shown as they are now while others change them. */

import { call, explain, get, Problem } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { closest, make } from "../js/dom.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const SECTION = "annotations.description";
const LIMIT = "5000";
/** After a change somewhere in the vault the text is doubtful; a busy team must not bring everybody in the same moment. */
const REST_MS = 3000;
const MISMATCH = "annotations.description_mismatch";

/** @typedef {{id: string, text: string, revision: number}} State */

let resting = 0;
/** The place whose button gets the focus once it is shown anew. */
let wanted = "";

/** @returns {HTMLElement | null} the place above the list */
const onPage = () => document.getElementById("folder-description");

/** @param {HTMLElement} holder @returns {State} */
const stateOf = (holder) => ({ id: holder.dataset.description ?? "", text: holder.dataset.text ?? "", revision: Number(holder.dataset.revision) });

/** @param {State} known what is there now @param {string} text none: it is removed @returns {Promise<State>} what is there then */
async function send({ id, text: before, revision }, text) {
  const expected = before ? { revision } : {};
  if (!text) {
    await call("DELETE", `/nodes/${id}/description`, expected);
    return { id, text, revision: revision + 1 };
  }
  const made = await call("PUT", `/nodes/${id}/description`, { body: { text }, ...expected });
  return { id, text: made.text, revision: made.revision };
}

/** Show it anew wherever it is shown, and not where somebody writes. */
async function renew() {
  document.dispatchEvent(new CustomEvent("bitvault:details-changed", { detail: { section: SECTION } }));
  await renewPage();
}

async function renewPage() {
  const shown = onPage();
  if (!shown || shown.querySelector("form")) return;
  const answer = await fetch(`/annotations/description?ids=${shown.dataset.description}`, { credentials: "same-origin", cache: "no-store", headers: { Accept: "text/html", "HX-Request": "true" } }).catch(() => null);
  // Where the folder is gone, or the session has ended, the list says so.
  if (!answer || answer.status !== 200 || !shown.isConnected || shown.querySelector("form")) return;
  const made = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("folder-description");
  if (!made || made.dataset.description !== shown.dataset.description) return;
  const editable = [made, shown].map((one) => one.querySelector('[data-description-act="edit"]') !== null);
  if (made.dataset.revision !== shown.dataset.revision || editable[0] !== editable[1]) {
    const focused = shown.contains(document.activeElement);
    shown.replaceWith(made);
    look();
    if (focused) focusOn(made);
  }
  if (wanted === made.id) focusOn(onPage() ?? made);
}

/** @param {ParentNode} holder */
function focusOn(holder) {
  wanted = "";
  const button = holder.querySelector('[data-description-act="edit"]');
  if (button instanceof HTMLElement) button.focus({ preventScroll: true });
}

/** A long text is shown in part; whether it is long the browser knows alone. */
function look() {
  const text = onPage()?.querySelector("[data-description-text]");
  const more = onPage()?.querySelector('[data-description-act="more"]');
  if (!(text instanceof HTMLElement) || !(more instanceof HTMLElement)) return;
  if (more.getAttribute("aria-expanded") === "true") return;
  more.hidden = text.scrollHeight <= text.clientHeight + 1;
  onPage()?.toggleAttribute("data-long", !more.hidden);
}

/** @param {State} before @param {State} after */
function offerUndo(before, after) {
  toast(after.text ? gettext("Description saved.") : gettext("Description removed."), {
    action: gettext("Undo"),
    undo: true,
    run: () => void send(after, before.text).then(renew, (error) => toast(explain(error), { failed: true })),
  });
}

/** Let the description be written in its place. @param {HTMLElement} holder */
function open(holder) {
  let known = stateOf(holder);
  const field = make("textarea", { class: "input", name: "text", rows: "6", maxlength: LIMIT, dir: "auto", "aria-label": gettext("Description") });
  field.value = known.text;
  const hint = make("p", { class: "field-hint" }, gettext("Markdown: **bold**, *italic*, # heading, - list, [link](https://…)"));
  const refusal = make("p", { class: "field-error", role: "alert" });
  refusal.hidden = true;
  const save = make("button", { class: "button button-primary", type: "submit" }, gettext("Save"));
  const cancel = make("button", { class: "button button-quiet", type: "button" }, gettext("Cancel"));
  const form = make("form", { class: "description-form", novalidate: "", "hx-boost": "false" }, field, hint, refusal, make("div", { class: "description-form-foot" }, save, cancel));
  form.dataset.dirty = "";
  const before = [...holder.childNodes];
  const back = () => {
    holder.replaceChildren(...before);
    focusOn(holder);
    void renew();
  };
  onSubmit(form, async () => {
    const text = field.value.trim();
    if (text === known.text) return back();
    try {
      const after = await send(known, text);
      form.remove();
      wanted = holder.id;
      offerUndo(known, after);
      await renew();
    } catch (error) {
      refusal.textContent = explain(error);
      if (error instanceof Problem && error.code === MISMATCH) {
        known = await get(`/nodes/${known.id}/description`).then(({ text, revision }) => ({ id: known.id, text, revision }), () => known);
        refusal.textContent = gettext("Somebody has changed the description since you began. Your text is still here: save again to replace theirs, or cancel to see it.");
      }
      refusal.hidden = false;
      field.focus();
    }
  });
  cancel.addEventListener("click", back);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      back();
    }
  });
  holder.replaceChildren(form);
  field.focus();
}

/** @param {HTMLElement} button */
function act(button) {
  const holder = closest(button, "[data-description]");
  if (!holder) return;
  if (button.dataset.descriptionAct === "edit") return open(holder);
  const opened = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!opened));
  button.textContent = opened ? gettext("Show more") : gettext("Show less");
  holder.toggleAttribute("data-whole", !opened);
}

/** Listen from now on. */
export function startDescriptions() {
  look();
  for (const name of ["bitvault:page", "htmx:load"]) document.addEventListener(name, look);
  window.addEventListener("resize", look);
  document.addEventListener("click", (event) => {
    const button = closest(event.target, "[data-description-act]");
    if (button) act(button);
  });
  document.addEventListener("bitvault:details-filled", (event) => {
    if (wanted === "details-description" && event.target instanceof HTMLElement && event.target.querySelector("#details-description")) focusOn(event.target);
  });
  document.addEventListener("bitvault:head", () => {
    if (resting || !onPage()) return;
    resting = window.setTimeout(() => {
      resting = 0;
      if (!document.hidden) void renewPage();
    }, REST_MS);
  });
}
