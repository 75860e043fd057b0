/** Starts what every page behind sign-in has. */

import { offerSignIn } from "./dialogs.js";
import { fillTimes, nameMoment } from "./format.js";
import { startMenus } from "./menus.js";
import { startOutline } from "./outline.js";
import { startTabs } from "./tabs.js";
import { startTheme } from "./theme.js";
import { startTravel } from "./travel.js";

startMenus();
startOutline();
startTabs();
startTheme();
startTravel();
fillTimes(document);

document.addEventListener("bitvault:session-ended", offerSignIn);
// Times are filled where they come in: a page, rows of a further page; what modules make they fill themselves.
document.addEventListener("htmx:load", (event) => fillTimes(/** @type {any} */ (event).detail.elt));
// "Today" and "Yesterday" go stale at midnight on a page that stays open.
let today = new Date().toDateString();
setInterval(() => {
  if (today === new Date().toDateString()) return;
  today = new Date().toDateString();
  fillTimes(document);
}, 60_000);
// The whole date takes long to write and is seldom read.
document.addEventListener("pointerover", (event) => {
  if (event.target instanceof HTMLTimeElement) nameMoment(event.target);
});
