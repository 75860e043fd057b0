/** Short messages at the bottom of the window, with one thing to do about them (mostly: undo). */

import { alarm, announce, icon, make, need } from "./dom.js";
import { fill, gettext } from "./i18n.js";

/** Long enough to read and to reach "Undo" by keyboard (WCAG 2.2.1 asks for time; the pointer or the focus stops the clock). */
const SHOWN_MS = 10_000;
/** More would hide the page. */
const SHOWN_AT_ONCE = 3;

/** @type {(() => void) | null} what Ctrl+Z takes back */
let latestUndo = null;

/** @type {Map<HTMLElement, () => void>} what is shown, oldest first, and how it is taken away */
const shown = new Map();

/** Show the messages above all else, where they can be pressed: what is open as a modal dialog makes all around it inert. @param {HTMLElement} holder */
function lift(holder) {
  const modal = [...document.querySelectorAll("dialog:modal")].at(-1);
  // Shown anew each time, so that it lies above a dialog that was opened meanwhile.
  if (holder.matches(":popover-open")) holder.hidePopover();
  const where = modal ?? document.body;
  if (holder.parentElement !== where) {
    where.append(holder);
    modal?.addEventListener("close", () => lift(holder), { once: true });
  }
  if (holder.childElementCount) holder.showPopover();
}

/**
 * @param {string} text
 * @param {{action?: string, run?: () => void, undo?: boolean, failed?: boolean, onGone?: () => void, more?: {action: string, run: () => void}}} [options]
 *   `onGone`: the message is gone and nobody has pressed its button; `more`: a second thing to do, that takes nothing back
 * @returns {() => void} takes the message away
 */
export function toast(text, { action, run, undo = false, failed = false, onGone, more } = {}) {
  const holder = need("#toasts", HTMLElement);
  const element = make("div", { class: "toast" }, make("p", {}, text));
  let left = SHOWN_MS;
  let since = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  let gone = false;
  const close = () => {
    if (gone) return;
    leave();
    onGone?.();
  };
  const leave = () => {
    gone = true;
    clearTimeout(timer);
    element.remove();
    shown.delete(element);
    if (latestUndo === act) latestUndo = null;
    if (!holder.childElementCount) holder.hidePopover();
  };
  const act = () => {
    leave();
    run?.();
  };
  const go = () => {
    since = Date.now();
    timer = setTimeout(close, left);
  };
  const hold = () => {
    clearTimeout(timer);
    left = Math.max(2000, left - (Date.now() - since));
  };

  if (more) {
    const button = make("button", { class: "toast-action", type: "button" }, more.action);
    button.addEventListener("click", () => {
      leave();
      more.run();
    });
    element.append(button);
  }
  if (action) {
    const button = make("button", { class: "toast-action", type: "button" }, action);
    button.addEventListener("click", act);
    element.append(button);
  }
  const dismiss = make("button", { class: "icon-button icon-button-s", type: "button", "aria-label": gettext("Dismiss") }, icon("x", "icon icon-s"));
  dismiss.addEventListener("click", close);
  element.append(dismiss);
  for (const name of ["pointerenter", "focusin"]) element.addEventListener(name, hold);
  for (const name of ["pointerleave", "focusout"]) element.addEventListener(name, go);

  for (const oldest of [...shown.keys()].slice(0, 1 - SHOWN_AT_ONCE)) shown.get(oldest)?.();
  shown.set(element, close);
  holder.append(element);
  lift(holder);
  (failed ? alarm : announce)(action ? fill(gettext("%(text)s %(action)s is available."), { text, action }) : text);
  if (undo) latestUndo = act;
  go();
  return close;
}

/** Take back what the newest undoable message offers. @returns {boolean} whether there was one */
export function undoLatest() {
  if (!latestUndo) return false;
  latestUndo();
  return true;
}
