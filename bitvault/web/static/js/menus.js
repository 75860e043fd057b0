/**
 * Menus: popovers with role=menu. A button with `data-menu="<id>"` opens one; arrows, Home, End and letters move in it.
 * A menu can be opened at a point as well (context menus).
 */

import { closest } from "./dom.js";

/** Room between a menu and the edge of the window. */
const EDGE = 8;

/** A page that moved by less has not left its menu behind; what is still to come of an earlier scroll is no reason to close. */
const STILL = 8;

let openedAtScroll = 0;

/** Whether a menu is open; known without asking the page, since every step of a scroll wants to know. */
let isOpen = false;

/** @type {HTMLElement | null} where the focus goes when the menu closes */
let opener = null;

/** @param {HTMLElement} menu @returns {HTMLElement[]} */
const itemsOf = (menu) =>
  /** @type {HTMLElement[]} */ ([...menu.querySelectorAll(".menu-item")]).filter((item) => item.checkVisibility());

/** @param {HTMLElement} menu @param {number} left @param {number} top */
function place(menu, left, top) {
  isOpen = true;
  openedAtScroll = scrollY;
  const box = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(EDGE, Math.min(left, innerWidth - box.width - EDGE))}px`;
  menu.style.top = `${Math.max(EDGE, Math.min(top, innerHeight - box.height - EDGE))}px`;
}

/** @param {HTMLElement} menu @param {HTMLElement} button */
function openBy(menu, button) {
  closeAll();
  opener = button;
  button.setAttribute("aria-expanded", "true");
  menu.showPopover();
  const anchor = button.getBoundingClientRect();
  const box = menu.getBoundingClientRect();
  const left = button.dataset.menuAlign === "end" ? anchor.right - box.width : anchor.left;
  const below = anchor.bottom + 6;
  const above = anchor.top - box.height - 6;
  const fits = below + box.height + EDGE < innerHeight;
  place(menu, left, button.dataset.menuPlace === "above" || !fits ? above : below);
  itemsOf(menu)[0]?.focus({ preventScroll: true });
}

/**
 * @param {HTMLElement} menu
 * @param {number} x
 * @param {number} y
 * @param {HTMLElement | null} returnTo gets the focus back
 */
export function openAt(menu, x, y, returnTo) {
  closeAll();
  opener = returnTo;
  menu.showPopover();
  place(menu, x, y);
  itemsOf(menu)[0]?.focus({ preventScroll: true });
}

/** Close whatever menu is open. @param {boolean} [giveBack] whether its opener gets the focus */
export function closeAll(giveBack = false) {
  let closed = false;
  isOpen = false;
  for (const menu of document.querySelectorAll(".menu:popover-open")) {
    if (menu instanceof HTMLElement) menu.hidePopover();
    closed = true;
  }
  for (const button of document.querySelectorAll('[data-menu][aria-expanded="true"]')) button.setAttribute("aria-expanded", "false");
  if (closed && giveBack) opener?.focus();
}

/** @param {KeyboardEvent} event @param {HTMLElement} menu */
function onKey(event, menu) {
  const items = itemsOf(menu);
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const go = (/** @type {number} */ index) => items[(index + items.length) % items.length]?.focus();
  if (event.key === "ArrowDown") go(at + 1);
  else if (event.key === "ArrowUp") go(at - 1);
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(items.length - 1);
  else if (event.key === "Escape" || event.key === "Tab") closeAll(true);
  else if (event.key.length === 1 && /\p{L}/u.test(event.key)) {
    const rest = [...items.slice(at + 1), ...items.slice(0, at + 1)];
    rest.find((item) => item.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Make every menu of the page work, those that come later included. */
export function startMenus() {
  let swallow = false;
  document.addEventListener("click", (event) => {
    const button = closest(event.target, "[data-menu]");
    if (button) {
      const menu = document.getElementById(button.dataset.menu ?? "");
      if (!menu) return;
      const open = menu.matches(":popover-open");
      if (open) closeAll(true);
      else openBy(menu, button);
      return;
    }
    if (closest(event.target, ".menu-item")) closeAll(true);
  });
  document.addEventListener(
    "pointerdown",
    (event) => {
      const open = document.querySelector(".menu:popover-open") !== null;
      if (!open || closest(event.target, ".menu") || closest(event.target, "[data-menu]")) return;
      closeAll();
      swallow = event.pointerType === "touch";
    },
    true,
  );
  // A finger that closes a menu does nothing else: there is no seeing what lies under it.
  document.addEventListener(
    "click",
    (event) => {
      if (!swallow) return;
      swallow = false;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
  document.addEventListener(
    "keydown",
    (event) => {
      const menu = closest(document.activeElement, ".menu:popover-open");
      if (menu) onKey(event, menu);
    },
    true,
  );
  addEventListener(
    "scroll",
    () => {
      if (isOpen && Math.abs(scrollY - openedAtScroll) > STILL) closeAll();
    },
    { passive: true },
  );
  addEventListener("resize", () => closeAll());
  addEventListener("blur", () => closeAll());
}
