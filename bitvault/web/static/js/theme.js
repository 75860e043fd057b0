/** Looks: light, dark, or as the device says; how close rows stand, and whether lists are rows or tiles. Choices are cookies, so that the server can paint the first pixel right. */

import { closest } from "./dom.js";

const YEAR_SECONDS = 31_536_000;

/** @returns {string} "light", "dark" or "" */
export const currentTheme = () => document.documentElement.dataset.theme ?? "";

/** @param {string} name @param {string} choice */
function keep(name, choice) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${choice}; path=/; max-age=${choice ? YEAR_SECONDS : 0}; samesite=lax${secure}`;
}

/** @param {string} choice */
export function setTheme(choice) {
  keep("theme", choice);
  if (choice) document.documentElement.dataset.theme = choice;
  else delete document.documentElement.dataset.theme;
  showChoice();
}

/** @param {string} choice "comfortable" or "" */
function setDensity(choice) {
  keep("density", choice);
  if (choice) document.documentElement.dataset.density = choice;
  else delete document.documentElement.dataset.density;
  showChoice();
}

/** @param {string} choice "tiles" or "" */
export function setView(choice) {
  keep("view", choice);
  if (choice) document.documentElement.dataset.view = choice;
  else delete document.documentElement.dataset.view;
  showChoice();
}

/** Mark the present choices wherever they are offered. */
export function showChoice() {
  for (const item of document.querySelectorAll("[data-density-choice]")) {
    item.setAttribute("aria-checked", String(item.getAttribute("data-density-choice") === (document.documentElement.dataset.density ?? "")));
  }
  for (const item of document.querySelectorAll("[data-view-choice]")) {
    item.setAttribute("aria-checked", String(item.getAttribute("data-view-choice") === (document.documentElement.dataset.view ?? "")));
  }
  for (const item of document.querySelectorAll("[data-view-toggle]")) item.setAttribute("aria-pressed", String(document.documentElement.dataset.view === "tiles"));
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
    const density = closest(event.target, "[data-density-choice]");
    if (density) setDensity(density.dataset.densityChoice ?? "");
  });
}
