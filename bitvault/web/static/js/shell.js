/** Starts what every page behind sign-in has. */

import { offerSignIn } from "./dialogs.js";
import { fillTimes } from "./format.js";
import { startMenus } from "./menus.js";
import { startTheme } from "./theme.js";
import { startTravel } from "./travel.js";

startMenus();
startTheme();
startTravel();
fillTimes(document);

document.addEventListener("bitvault:session-ended", offerSignIn);
document.addEventListener("htmx:afterSwap", () => fillTimes(document));
// "Today" and "Yesterday" go stale on a page that stays open.
setInterval(() => fillTimes(document), 60_000);
