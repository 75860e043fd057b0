/** The rest of a long trash: htmx brings the next page when its end comes into view; this module looks after what surrounds it. */

import { make } from "../../js/dom.js";
import { dropDoubles, keepOneInTabOrder } from "./rows.js";
import { show } from "./selection.js";
import { gettext } from "../../js/i18n.js";

/** @param {Event} event @returns {HTMLElement | null} */
function moreOf(event) {
  const element = /** @type {any} */ (event).detail?.elt;
  return element instanceof HTMLElement && element.classList.contains("more") ? element : null;
}

/** Offer another try when a page did not come. @param {Event} event */
function offerAgain(event) {
  const more = moreOf(event);
  if (!more) return;
  const button = make("button", { class: "button", type: "button" }, gettext("Could not load more. Try again"));
  button.addEventListener("click", () => {
    more.querySelector("[role=gridcell]")?.replaceChildren(gettext("Loading more…"));
    void /** @type {any} */ (window).htmx.ajax("GET", more.getAttribute("hx-get"), { source: more, target: more, swap: "outerHTML" });
  });
  more.querySelector("[role=gridcell]")?.replaceChildren(button);
}

/** Start to look after further pages. */
export function startPaging() {
  document.addEventListener("htmx:afterSettle", () => {
    // The list of a folder brings its rows itself (blocks.js).
    const holder = document.querySelector('#main:not([data-page="folder"]) #rows');
    if (!holder) return;
    dropDoubles(holder);
    keepOneInTabOrder();
    show();
  });
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) document.addEventListener(name, offerAgain);
}
