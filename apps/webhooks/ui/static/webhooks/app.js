/** The pages of webhooks: make one, test it, send again, replay, switch off and on. */

import { call, explain } from "../js/api.js";
import { confirmAction, showFieldError } from "../js/dialogs.js";
import { closest, need } from "../js/dom.js";
import { fillTimes } from "../js/format.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const LOOK_MS = 1000;
const LOOKS = 20;

/** Show parts of the page as the server has them now. @param {string[]} selectors */
async function renew(...selectors) {
  for (const selector of selectors) {
    if (!document.querySelector(selector)) continue;
    await /** @type {any} */ (window).htmx.ajax("GET", location.pathname + location.search, { target: selector, select: selector, swap: "outerHTML" });
    fillTimes(need(selector, HTMLElement));
  }
}

/**
 * Run a dialog's form: busy while sending, open while refused.
 *
 * @param {string} selector
 * @param {(data: FormData) => Promise<void>} send throws to stay open
 */
function openForm(selector, send) {
  const dialog = need(selector, HTMLDialogElement);
  const form = need("form", HTMLFormElement, dialog);
  const input = need("input", HTMLInputElement, form);
  const button = need('[data-role="accept"]', HTMLButtonElement, dialog);
  const controller = new AbortController();
  const { signal } = controller;
  form.reset();
  showFieldError(input, "");
  dialog.showModal();
  input.focus();
  need('[data-role="cancel"]', HTMLButtonElement, dialog).addEventListener("click", () => dialog.close(), { signal });
  dialog.addEventListener("close", () => controller.abort(), { once: true });
  form.addEventListener("input", () => showFieldError(input, ""), { signal });
  form.addEventListener(
    "submit",
    async (event) => {
      event.preventDefault();
      if (button.dataset.busy !== undefined) return;
      button.dataset.busy = "";
      try {
        await send(new FormData(form));
        dialog.close();
      } catch (error) {
        showFieldError(input, error instanceof Unfit ? error.message : explain(error));
        input.focus();
      } finally {
        delete button.dataset.busy;
      }
    },
    { signal },
  );
}

/** What is wrong with what was typed, found here. */
class Unfit extends Error {}

function newWebhook() {
  openForm("#webhook-dialog", async (data) => {
    const url = String(data.get("url")).trim();
    const events = data.getAll("events");
    if (!url) throw new Unfit(gettext("Type the address of the receiver."));
    if (!events.length) throw new Unfit(gettext("Choose at least one kind of event."));
    const made = await call("POST", "/webhooks", { body: { url, events, description: data.get("description"), format: data.get("format") } });
    showSecret(made.secret);
  });
}

/** @param {string} secret shown once */
function showSecret(secret) {
  const dialog = need("#webhook-secret-dialog", HTMLDialogElement);
  const code = need("#webhook-secret", HTMLElement);
  code.textContent = secret;
  dialog.showModal();
  need('[data-role="done"]', HTMLButtonElement, dialog).addEventListener("click", () => dialog.close(), { once: true });
  dialog.addEventListener(
    "close",
    () => {
      code.textContent = "";
      void renew("#webhooks", "#webhook");
    },
    { once: true },
  );
}

async function copySecret() {
  const code = need("#webhook-secret", HTMLElement);
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    const words = document.querySelector('[data-webhooks="copy"] span');
    if (words) words.textContent = gettext("Copied");
  } catch {
    // No clipboard on plain http: the text is selected instead, for Ctrl+C.
    getSelection()?.selectAllChildren(code);
  }
}

/** Look until a message that was asked for has been sent, and say how that ended. @param {string} webhook @param {string} delivery */
async function follow(webhook, delivery) {
  for (let look = 0; look < LOOKS; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const { items } = await call("GET", `/webhooks/${webhook}/deliveries?limit=50`);
    const found = items.find((/** @type {{id: string}} */ one) => one.id === delivery);
    if (!found || found.state === "pending") continue;
    await renew("#webhook", "#deliveries");
    if (found.state === "delivered") toast(gettext("The receiver has accepted it."));
    else toast(gettext("The receiver has not accepted it. The delivery says why."), { failed: true });
    return;
  }
  await renew("#deliveries");
}

/** @param {string} id @param {string} path @param {string} said */
async function send(id, path, said) {
  const asked = await call("POST", `/webhooks/${id}/${path}`);
  toast(said);
  await renew("#deliveries");
  await follow(id, asked.id);
}

/** @param {string} id @param {boolean} enabled */
async function switchTo(id, enabled) {
  await call("PATCH", `/webhooks/${id}`, { body: { enabled } });
  await renew("#webhook");
  const back = () => void attempt(() => switchTo(id, !enabled));
  toast(enabled ? gettext("The webhook is on.") : gettext("The webhook is off."), { action: gettext("Undo"), run: back, undo: true });
}

/** @param {string} id */
async function rotate(id) {
  const question = {
    title: gettext("Make a new secret?"),
    text: gettext("Messages are signed with the old and the new one for 24 hours. Give the new one to the receiver by then."),
    accept: gettext("New secret"),
  };
  if (!(await confirmAction(question))) return;
  const made = await call("POST", `/webhooks/${id}/rotate-secret`);
  showSecret(made.secret);
}

/** @param {string} id */
async function remove(id) {
  const question = { title: gettext("Delete this webhook?"), text: gettext("Nothing is sent any more, and what was sent is forgotten."), accept: gettext("Delete"), danger: true };
  if (!(await confirmAction(question))) return;
  await call("DELETE", `/webhooks/${id}`);
  location.assign("/settings/webhooks/");
}

/** @param {string} id */
function replay(id) {
  openForm("#replay-dialog", async (data) => {
    const seq = String(data.get("seq")).trim();
    if (!/^[1-9][0-9]{0,15}$/u.test(seq)) throw new Unfit(gettext("Type a number from 1 on."));
    await call("POST", `/webhooks/${id}/replay`, { body: { from_seq: Number(seq) } });
    toast(gettext("Events are being sent again."));
    await renew("#webhook");
  });
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
  const button = closest(event.target, "[data-webhooks]");
  if (!button) return;
  const id = closest(button, "[data-webhook]")?.dataset.webhook ?? "";
  const delivery = closest(button, "[data-delivery]")?.dataset.delivery ?? "";
  switch (button.dataset.webhooks) {
    case "new":
      return newWebhook();
    case "copy":
      return void copySecret();
    case "reload":
      return void renew("#webhook", "#deliveries");
    case "test":
      return void attempt(() => send(id, "test", gettext("A test is being sent.")));
    case "redeliver":
      return void attempt(() => send(id, `deliveries/${delivery}/redeliver`, gettext("The message is being sent again.")));
    case "enable":
      return void attempt(() => switchTo(id, true));
    case "disable":
      return void attempt(() => switchTo(id, false));
    case "rotate":
      return void attempt(() => rotate(id));
    case "delete":
      return void attempt(() => remove(id));
    case "replay":
      return replay(id);
  }
});
