/** The dialog in which a node is shared: whom to add, who has access and by what, and what other modules put into it. */

import { call, explain, get } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { showFieldError } from "../js/dialogs.js";
import { make, need } from "../js/dom.js";
import { counted, fill, gettext, locale } from "../js/i18n.js";
import { toast } from "../js/toast.js";
import { showAccess, startAccess } from "./access.js";
import { allowInviting, keyOf, listChosen, nameOf, resetPeople, setPresent, startPeople } from "./people.js";
import { hintOf, labelOf, offerRoles } from "./roles.js";
import { endOfDay, named, toField } from "./terms.js";

/** @typedef {import("./people.js").Principal} Principal */
/** @typedef {{id: string, node_id: string, principal: Principal, role: string, capabilities: string[], expires_at: string | null}} Share */
/** @typedef {{source: string, principal: Principal | null, role: string, capabilities: string[], share: Share | null, through: {id: string, name: string | null} | null}} Entry */
/** @typedef {{node: {id: string, kind: string, name: string, capabilities: string[]}, is_root: boolean, in_team_folder: boolean, may_share: boolean, items: Entry[]}} Access */
/** @typedef {{policies: Record<string, any>, permitted: {make_links: boolean, invite_members: boolean, invite_guests: boolean}}} Rules */

/** @type {Access | null} */
let shown = null;
/** @type {HTMLElement | null} where the focus goes when the dialog closes */
let opener = null;
/** @type {(() => void) | null} what Ctrl+Z takes back while the dialog is open */
let undo = null;

const dialog = () => need("#share-dialog", HTMLDialogElement);
const people = new Intl.ListFormat(locale, { type: "conjunction" });

/** @param {string} text @param {(() => Promise<unknown>) | null} [takeBack] what "Undo" does @param {boolean} [failed] */
export function say(text, takeBack = null, failed = false) {
  if (!dialog().open && text && shown === null) return void toast(text, { failed });
  const line = need("#share-said", HTMLElement);
  line.classList.toggle("share-failed", failed);
  line.replaceChildren(...(text ? [make("p", {}, text)] : []));
  undo = takeBack && (() => void carryOut(takeBack, gettext("Undone.")));
  if (!undo) return;
  const button = make("button", { class: "button button-quiet", type: "button" }, gettext("Undo"));
  button.addEventListener("click", () => undo?.());
  line.append(button);
}

/**
 * Do something to the shares and show what has become of them.
 *
 * @param {() => Promise<unknown>} act
 * @param {string} done what is said when it worked
 * @param {(() => Promise<unknown>) | null} [takeBack]
 */
export async function carryOut(act, done, takeBack = null) {
  try {
    await act();
    say(done, takeBack);
  } catch (error) {
    say(explain(error), null, true);
  }
  await refresh();
}

/** Show who has access now. */
export async function refresh() {
  if (!shown) return;
  const { id } = shown.node;
  document.dispatchEvent(new CustomEvent("bitvault:shares-changed", { detail: { nodeId: id } }));
  try {
    const access = await get(`/nodes/${id}/access`);
    if (!shown || shown.node.id !== id) return;
    shown = access;
  } catch {
    // Whoever has taken their own right away sees nothing of it any more.
    return dialog().close();
  }
  show();
}

function show() {
  if (!shown) return;
  showAccess(shown);
  setPresent(presentKeys(shown));
}

/** @param {Access} access @returns {string[]} */
const presentKeys = (access) => access.items.flatMap((entry) => (entry.share && !entry.through && entry.principal ? [keyOf(entry.principal)] : []));

/** Open the dialog of a node, or show another node in it. @param {string} nodeId */
export async function openDialog(nodeId) {
  /** @type {Access} */
  let access;
  /** @type {Rules} what the vault allows, so that it is told before somebody tries */
  let rules;
  try {
    [access, rules] = await Promise.all([get(`/nodes/${nodeId}/access`), get("/tenant")]);
  } catch (error) {
    if (dialog().open) say(explain(error), null, true);
    else toast(explain(error), { failed: true });
    return;
  }
  shown = access;
  const { node } = access;
  const mayShare = access.may_share;
  setName(node.name);
  need("#share-form", HTMLFormElement).hidden = !mayShare;
  say(mayShare ? "" : node.capabilities.includes("share") ? gettext("By the rules of this vault, only the owner decides who else has access.") : gettext("Only those who manage it decide who has access."));
  offerRoles(node);
  allowInviting(rules.permitted.invite_guests);
  resetPeople(node.id, presentKeys(access));
  resetTerms();
  show();
  for (const section of /** @type {NodeListOf<HTMLElement>} */ (dialog().querySelectorAll("[data-share-section]"))) section.hidden = true;
  if (!dialog().open) {
    opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    dialog().showModal();
  }
  need(".dialog-body", HTMLElement, dialog()).scrollTop = 0;
  if (mayShare) need("#share-who", HTMLInputElement).focus();
  document.dispatchEvent(
    new CustomEvent("bitvault:share-opened", { detail: { node, isRoot: access.is_root, inTeamFolder: access.in_team_folder, mayShare, rules, dialog: dialog(), say, setName, close: () => dialog().close() } }),
  );
}

/** @param {string} name what the node is called by now */
function setName(name) {
  if (shown) shown.node.name = name;
  need("#share-title", HTMLElement).textContent = fill(gettext("Share “%(name)s”"), { name });
}

// --- adding ------------------------------------------------------------------------------------------------------------------

function resetTerms() {
  need("#share-role", HTMLSelectElement).value = "viewer";
  need("#share-message", HTMLTextAreaElement).value = "";
  const until = need("#share-until", HTMLInputElement);
  until.value = "";
  until.min = toField(new Date());
  showHint();
}

function showHint() {
  need("#share-role-hint", HTMLElement).textContent = hintOf(need("#share-role", HTMLSelectElement).value, shown?.node.kind ?? "");
}

async function share() {
  const wanted = listChosen();
  const who = need("#share-who", HTMLInputElement);
  if (!shown) return;
  if (!wanted.length || who.value.trim()) {
    showFieldError(who, gettext("Choose somebody from the list."));
    return who.focus();
  }
  const { id } = shown.node;
  const role = need("#share-role", HTMLSelectElement).value;
  const terms = { role, expires_at: endOfDay(need("#share-until", HTMLInputElement).value), message: need("#share-message", HTMLTextAreaElement).value };
  const before = new Map(shown.items.flatMap((entry) => (entry.share && !entry.through && entry.principal ? [[keyOf(entry.principal), entry.share]] : [])));
  /** @type {Share[]} */
  const made = [];
  let refusal = "";
  for (const principal of wanted) {
    try {
      made.push(await call("POST", `/nodes/${id}/shares`, { body: { principal: named(principal), ...terms } }));
    } catch (error) {
      refusal = `${nameOf(principal)}: ${explain(error)}`;
    }
  }
  if (refusal) showFieldError(who, refusal);
  else {
    resetPeople(id, []);
    resetTerms();
  }
  if (made.length) {
    const names = made.length > 3 ? counted("%(count)s person or group", "%(count)s people and groups", made.length) : people.format(made.map((one) => nameOf(one.principal)));
    say(fill(gettext("Shared with %(names)s: %(role)s."), { names, role: labelOf(role) }), async () => {
      for (const one of made) {
        const old = before.get(keyOf(one.principal));
        if (old) await call("PATCH", `/shares/${one.id}`, { body: { role: old.role, expires_at: old.expires_at } });
        else await call("DELETE", `/shares/${one.id}`);
      }
    });
  }
  await refresh();
  who.focus();
}

/** Listen from now on. */
export function startDialog() {
  startPeople(() => {
    need("#share-terms", HTMLElement).hidden = !listChosen().length;
  });
  startAccess({ carryOut, openDialog });
  need("#share-role", HTMLSelectElement).addEventListener("change", showHint);
  onSubmit(need("#share-form", HTMLFormElement), share);
  dialog().addEventListener("click", (event) => {
    const act = event.target instanceof Element ? event.target.closest("[data-share-act]")?.getAttribute("data-share-act") : null;
    if (act === "close") dialog().close();
    if (act === "discard" && shown) {
      resetPeople(shown.node.id, presentKeys(shown));
      resetTerms();
      need("#share-who", HTMLInputElement).focus();
    }
  });
  dialog().addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && undo && !(event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement)) {
      event.preventDefault();
      undo();
    }
  });
  dialog().addEventListener("close", () => {
    const nodeId = shown?.node.id;
    shown = undo = null;
    document.dispatchEvent(new CustomEvent("bitvault:share-closed", { detail: { nodeId } }));
    (opener?.isConnected ? opener : document.getElementById("main"))?.focus();
  });
}
