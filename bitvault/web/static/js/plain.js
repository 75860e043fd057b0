/** Starts what the pages before sign-in have: busy buttons, showing a password, an address that follows a name. */

import { closest, need, setIcon } from "./dom.js";

document.addEventListener("submit", (event) => {
  const form = event.target;
  // A form that stays on the page looks after its own button.
  if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
  form.querySelector('[type="submit"]')?.setAttribute("data-busy", "");
});
// Coming back by the browser's arrow finds the button at rest.
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[data-busy]")) button.removeAttribute("data-busy");
});

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-reveal]");
  if (!button) return;
  const input = document.getElementById(button.dataset.reveal ?? "");
  if (!(input instanceof HTMLInputElement)) return;
  const shown = input.type === "text";
  input.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
  setIcon(need("use", SVGElement, button), shown ? "eye" : "eye-off");
});

const source = document.querySelector("[data-slug-source]");
const slug = document.querySelector("[data-slug]");
if (source instanceof HTMLInputElement && slug instanceof HTMLInputElement) {
  let own = slug.value !== "";
  slug.addEventListener("input", () => (own = slug.value !== ""));
  source.addEventListener("input", () => {
    if (own) return;
    slug.value = source.value
      .normalize("NFD")
      .replace(/\p{M}/gu, "")
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^[^a-z]+|-+$/g, "")
      .slice(0, 40);
  });
}

const onward = document.querySelector("a[data-onward]");
if (onward instanceof HTMLAnchorElement) location.replace(onward.href);
