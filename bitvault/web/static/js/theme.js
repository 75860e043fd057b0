/** Light, dark, or as the device says. The choice is a cookie, so that the server can paint the first pixel right. */

import { closest } from "./dom.js";

const YEAR_SECONDS = 31_536_000;

/** @returns {string} "light", "dark" or "" */
export const currentTheme = () => document.documentElement.dataset.theme ?? "";

/** @param {string} choice */
export function setTheme(choice) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${choice}; path=/; max-age=${choice ? YEAR_SECONDS : 0}; samesite=lax${secure}`;
  if (choice) document.documentElement.dataset.theme = choice;
  else delete document.documentElement.dataset.theme;
  showChoice();
}

/** Mark the present choice wherever it is offered. */
export function showChoice() {
  for (const item of document.querySelectorAll("[data-theme-choice]")) {
    item.setAttribute("aria-checked", String(item.getAttribute("data-theme-choice") === currentTheme()));
  }
}

/** Make the offers work. */
export function startTheme() {
  showChoice();
  document.addEventListener("click", (event) => {
    const item = closest(event.target, "[data-theme-choice]");
    if (item) setTheme(item.dataset.themeChoice ?? "");
  });
}
