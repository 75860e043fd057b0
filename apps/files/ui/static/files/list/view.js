/** Rows or tiles: the same elements, laid out by `tiles.css`. The choice is a cookie, so that the server paints the first pixel right. */

import { announce, closest } from "../../js/dom.js";
import { setView } from "../../js/theme.js";
import { gettext } from "../../js/i18n.js";
import { changeLook } from "./blocks.js";

/** @param {string} choice "tiles" or "" */
function choose(choice) {
  changeLook(() => setView(choice));
  announce(choice ? gettext("Shown as a grid") : gettext("Shown as a list"));
}

/** Let the offers work. */
export function startView() {
  document.addEventListener("click", (event) => {
    const item = closest(event.target, "[data-view-choice]");
    if (item) choose(item.dataset.viewChoice ?? "");
    else if (closest(event.target, "[data-view-toggle]")) choose(document.documentElement.dataset.view === "tiles" ? "" : "tiles");
  });
}
