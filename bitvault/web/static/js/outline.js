/** A long page of panels says at its side what stands on it, where the window has room for that. */

import { make } from "./dom.js";
import { gettext } from "./i18n.js";

/** Fewer panels than these are seen at a glance. */
const LEAST = 4;

/** The links of the panels that are looked at. @type {Map<Element, HTMLElement>} */
let links = new Map();

const passing = new IntersectionObserver(
  (changes) => {
    for (const { target, isIntersecting } of changes) links.get(target)?.toggleAttribute("data-passing", isIntersecting);
    const first = [...links.values()].find((link) => link.hasAttribute("data-passing"));
    for (const link of links.values()) {
      if (link === first) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  },
  // What lies under the top of the window, below the head of the page.
  { rootMargin: "-140px 0px -40% 0px" },
);

function begin() {
  passing.disconnect();
  const page = document.querySelector("#main > .settings");
  page?.querySelector(".outline")?.remove();
  const panels = [...(page?.querySelectorAll(":scope > .panel[aria-labelledby]") ?? [])];
  links = new Map();
  if (!page || panels.length < LEAST) return;
  for (const panel of panels) {
    const title = document.getElementById(panel.getAttribute("aria-labelledby") ?? "");
    if (title) links.set(panel, make("a", { href: `#${title.id}`, "hx-boost": "false" }, title.textContent ?? ""));
  }
  page.prepend(make("nav", { class: "outline", "aria-label": gettext("On this page") }, ...links.values()));
  for (const panel of links.keys()) passing.observe(panel);
}

/** Listen from now on. */
export function startOutline() {
  document.addEventListener("bitvault:page", begin);
  begin();
}
