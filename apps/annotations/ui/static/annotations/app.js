/** Starts what annotations have in the browser. All of it listens on the document, so swapped pages need no wiring. */

import { closest, setIcon } from "../js/dom.js";
import { typeOf } from "../files/types.js";
import { startComments } from "./comments.js";
import { startDescriptions } from "./descriptions.js";
import { startFilter } from "./filter.js";
import { startMarks } from "./marks.js";
import { startMetadata } from "./metadata.js";
import { startTags } from "./tags.js";
import { startTemplates } from "./templates.js";

/** The server knows the kind of a line; which icon a name has the browser's table says. */
function showTypes() {
  for (const svg of /** @type {NodeListOf<SVGElement>} */ (document.querySelectorAll('#main svg[data-type-of][data-type="file"]'))) {
    const type = typeOf(svg.dataset.typeOf ?? "");
    const use = svg.querySelector("use");
    svg.dataset.type = type;
    if (use) setIcon(use, `type-${type}`);
  }
}

startMarks();
startTags();
startComments();
startDescriptions();
startFilter();
startMetadata();
startTemplates();
showTypes();
for (const name of ["bitvault:page", "htmx:load"]) document.addEventListener(name, showTypes);
document.addEventListener("click", (event) => {
  const line = closest(event.target, '[data-noted-act="details"]') && closest(event.target, "[data-noted]");
  if (!line) return;
  const { noted: id = "", kind = "", name = "", revision = "0" } = line.dataset;
  document.dispatchEvent(new CustomEvent("bitvault:command", { detail: { command: "details", entries: [{ id, kind, name, revision: Number(revision), row: null }] } }));
});
