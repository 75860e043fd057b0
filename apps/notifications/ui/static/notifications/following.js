/** The dialog of a file or folder: hear of what concerns one, follow it, or mute it. */

import { call, explain, get } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** @type {Record<string, string>} */
const SAID = {
  "": gettext("“%(name)s” has default notifications again."),
  all: gettext("You follow “%(name)s”."),
  none: gettext("“%(name)s” is muted."),
};

/** @param {{id: string, name: string}} node */
async function ask(node) {
  const dialog = need("#follow-dialog", HTMLDialogElement);
  const form = need("form", HTMLFormElement, dialog);
  /** @type {{id: string, channel: string} | undefined} */
  let present;
  try {
    [present] = (await get(`/subscriptions?node_id=${node.id}`)).items;
  } catch (error) {
    return void toast(explain(error), { failed: true });
  }
  need("#follow-name", HTMLElement).textContent = node.name;
  for (const choice of dialog.querySelectorAll("input")) choice.checked = choice.value === (present?.channel ?? "");
  dialog.returnValue = "";
  dialog.showModal();
  need("input:checked", HTMLInputElement, dialog).focus();
  const controller = new AbortController();
  const { signal } = controller;
  need('[data-role="cancel"]', HTMLButtonElement, dialog).addEventListener("click", () => dialog.close(), { signal });
  onSubmit(
    form,
    () => {
      const channel = String(new FormData(form).get("channel") ?? "");
      dialog.close();
      void choose(node, channel, present);
    },
    { signal },
  );
  dialog.addEventListener("close", () => controller.abort(), { once: true });
}

/** @param {{id: string, name: string}} node @param {string} channel @param {{id: string} | undefined} present */
async function choose(node, channel, present) {
  try {
    if (channel) await call("POST", "/subscriptions", { body: { node_id: node.id, channel } });
    else if (present) await call("DELETE", `/subscriptions/${present.id}`);
    toast(fill(SAID[channel], { name: node.name }));
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

document.addEventListener("bitvault:command", (event) => {
  const { command, entries } = /** @type {any} */ (event).detail;
  if (command === "notify" && entries.length === 1) void ask(entries[0]);
});
