/** The pages of webhooks: make one, test it, send again, replay, switch off and on. */

import { call, explain } from "../js/api.js";
import { confirmAction, openForm, Refusal, showSecret } from "../js/dialogs.js";
import { closest, need } from "../js/dom.js";
import { fillTimes } from "../js/format.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";
import { readChoice } from "../js/lookup.js";

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

/** Read what is wanted of a webhook. @param {HTMLFormElement} form */
function readWish(form) {
  const data = new FormData(form);
  const url = String(data.get("url")).trim();
  const events = data.getAll("events");
  if (!url) throw new Refusal(address(), gettext("Type the address of the receiver."));
  if (!events.length) throw new Refusal(address(), gettext("Choose at least one kind of event."));
  return {
    url,
    events,
    description: data.get("description"),
    format: data.get("format"),
    folder_id: readChoice("#webhook-folder", gettext("Choose a folder from the list.")),
    actor_id: readChoice("#webhook-person", gettext("Choose a person from the list.")),
  };
}

const address = () => need("#webhook-url", HTMLInputElement);

function newWebhook() {
  openForm("#webhook-dialog", async (form) => {
    const wish = readWish(form);
    void offerSecret((await send(address(), () => call("POST", "/webhooks", { body: wish }))).secret);
  });
}

/** @param {string} id */
function edit(id) {
  const form = need("#webhook-dialog form", HTMLFormElement);
  form.reset();
  const before = readWish(form);
  openForm("#webhook-dialog", async () => {
    const wish = readWish(form);
    await send(address(), () => call("PATCH", `/webhooks/${id}`, { body: wish }));
    void shown(gettext("The webhook was changed."), () => call("PATCH", `/webhooks/${id}`, { body: before }));
  });
}

/** Show what a webhook has become, and how to take that back. @param {string} said @param {() => Promise<unknown>} takeBack */
async function shown(said, takeBack) {
  const run = () =>
    void attempt(async () => {
      await takeBack();
      await renew("#webhook", "#webhook-dialog");
    });
  toast(said, { action: gettext("Undo"), run, undo: true });
  await renew("#webhook", "#webhook-dialog");
}

/** @param {string} secret shown once */
async function offerSecret(secret) {
  const text = gettext("Copy it now. It is shown this once. The receiver needs it to check that messages come from this vault.");
  await showSecret({ title: gettext("The webhook's secret"), text, secret });
  await renew("#webhooks", "#webhook");
}

/**
 * Say beside a field why the server has refused it.
 *
 * @template T
 * @param {HTMLInputElement} input
 * @param {() => Promise<T>} run
 */
async function send(input, run) {
  try {
    return await run();
  } catch (error) {
    throw new Refusal(input, explain(error));
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
async function sendMessage(id, path, said) {
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
  await offerSecret(made.secret);
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
  openForm("#replay-dialog", async () => {
    const input = need("#replay-seq", HTMLInputElement);
    const seq = input.value.trim();
    if (!/^[1-9][0-9]{0,15}$/u.test(seq)) throw new Refusal(input, gettext("Type a number from 1 on."));
    await send(input, () => call("POST", `/webhooks/${id}/replay`, { body: { from_seq: Number(seq) } }));
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
    case "reload":
      return void renew("#webhook", "#deliveries");
    case "test":
      return void attempt(() => sendMessage(id, "test", gettext("A test is being sent.")));
    case "redeliver":
      return void attempt(() => sendMessage(id, `deliveries/${delivery}/redeliver`, gettext("The message is being sent again.")));
    case "enable":
      return void attempt(() => switchTo(id, true));
    case "disable":
      return void attempt(() => switchTo(id, false));
    case "edit":
      return edit(id);
    case "rotate":
      return void attempt(() => rotate(id));
    case "delete":
      return void attempt(() => remove(id));
    case "replay":
      return replay(id);
  }
});
