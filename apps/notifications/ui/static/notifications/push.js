/**
 * Push: this browser is named to BitVault, which has it told by its push service; and named again when somebody has signed in anew.
 * What the browser remembers is the number under which BitVault knows it, whose it is, and by which session.
 */

import { Problem, call, explain } from "../js/api.js";
import { whileBusy } from "../js/busy.js";
import { announce, closest } from "../js/dom.js";
import { fillTimes } from "../js/format.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";
import { travelTo } from "../js/travel.js";

const WORKER = "/push-worker.js";
const KEPT = "push";
const NOT_FOUND = 404;

/** @returns {boolean} */
const isOffered = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
const panel = () => document.getElementById("browsers");

/** @returns {{person: string, session: string}} who looks, and by which session */
function viewer() {
  const { person = "", session = "" } = document.getElementById("bell")?.dataset ?? {};
  return { person, session };
}

/** @returns {{id: string, person: string, session: string} | null} */
function recall() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string | null} id */
function remember(id) {
  if (id === null) localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, JSON.stringify({ id, ...viewer() }));
}

/** @param {PushSubscription} subscription */
function tell(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  return { endpoint, keys: { p256dh: keys?.p256dh, auth: keys?.auth } };
}

/** @returns {Promise<PushSubscription | null>} */
async function find() {
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** @param {string} text in base64url @returns {Uint8Array<ArrayBuffer>} */
function decode(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/** @param {string} key @returns {Promise<PushSubscription>} */
async function subscribe(key) {
  await navigator.serviceWorker.register(WORKER);
  const { pushManager } = await navigator.serviceWorker.ready;
  const wanted = { userVisibleOnly: true, applicationServerKey: decode(key) };
  const present = await pushManager.getSubscription();
  try {
    return await pushManager.subscribe(wanted);
  } catch (error) {
    // One that was made with another key of the installation's is of no use any more.
    if (!present) throw error;
    await present.unsubscribe();
    return pushManager.subscribe(wanted);
  }
}

/** Go on in a browser that was named, after a new sign-in or with another address. */
async function renew() {
  const kept = recall();
  const { person, session } = viewer();
  if (!kept || !isOffered() || !session || kept.person !== person) return;
  const subscription = await find();
  if (kept.session === session || !subscription) return;
  try {
    await call("PUT", `/notifications/browsers/${kept.id}`, { body: tell(subscription) });
    remember(kept.id);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== NOT_FOUND) return; // The next page tries again.
    remember(null);
    await subscription.unsubscribe();
  }
}

/** Say in the preferences how it stands with this browser. */
async function showState() {
  const section = panel();
  const state = section?.querySelector("[data-push-state]");
  const button = section?.querySelector('[data-push="on"]');
  if (!section || !state || !(button instanceof HTMLElement)) return;
  const kept = recall();
  const isKnown = kept !== null && section.querySelector(`[data-id="${CSS.escape(kept.id)}"]`) !== null;
  const isOn = isOffered() && isKnown && Notification.permission === "granted" && (await find()) !== null;
  button.hidden = !isOffered() || isOn || Notification.permission === "denied";
  if (!isOffered()) state.textContent = gettext("This browser does not support push notifications here.");
  else if (Notification.permission === "denied") state.textContent = gettext("Notifications are blocked in this browser. Allow them in its settings for this site.");
  else state.textContent = isOn ? gettext("Push notifications are on in this browser.") : gettext("Push notifications are off in this browser.");
}

async function reload() {
  await /** @type {any} */ (window).htmx.ajax("GET", location.pathname, { target: "#browsers", select: "#browsers", swap: "outerHTML" });
  const section = panel();
  if (section) fillTimes(section);
  await showState();
}

async function turnOn() {
  try {
    if ((await Notification.requestPermission()) !== "granted") return void (await showState());
    const subscription = await subscribe(panel()?.dataset.pushKey ?? "");
    const { id } = await call("POST", "/notifications/browsers", { body: tell(subscription) });
    remember(id);
    await reload();
    panel()?.querySelector(`[data-id="${CSS.escape(id)}"] button`)?.focus();
    announce(gettext("Push notifications are on in this browser."));
  } catch (error) {
    const isTheirs = error instanceof DOMException;
    toast(isTheirs ? gettext("The push service of this browser cannot be reached.") : explain(error), { failed: true });
  }
}

/** @param {HTMLElement} row */
async function turnOff(row) {
  try {
    await call("DELETE", `/notifications/browsers/${row.dataset.id}`);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== NOT_FOUND) return void toast(explain(error), { failed: true });
  }
  if (recall()?.id === row.dataset.id) {
    remember(null);
    await (await find())?.unsubscribe();
  }
  await reload();
  document.getElementById("main")?.focus();
  announce(gettext("Push notifications are off in that browser."));
}

/** Mark as read what was opened from outside, and take its name out of the address. */
async function readOpened() {
  const address = new URL(location.href);
  const id = address.searchParams.get("notice");
  if (!id) return;
  address.searchParams.delete("notice");
  history.replaceState(history.state, "", address);
  await call("POST", "/notifications/read", { body: { ids: [id] }, keepalive: true });
}

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-push]");
  if (button?.dataset.push === "on" && button instanceof HTMLButtonElement) void whileBusy(button, turnOn);
  const row = button?.dataset.push === "off" ? closest(button, "[data-id]") : null;
  if (row) void turnOff(row);
});
document.addEventListener("bitvault:page", () => {
  void readOpened().catch(() => {}); // It stays unread.
  void showState();
});
if (isOffered()) navigator.serviceWorker.addEventListener("message", (event) => travelTo(event.data.open));

void readOpened().catch(() => {}); // It stays unread.
void renew().catch(() => {}); // The next page tries again.
void showState();
