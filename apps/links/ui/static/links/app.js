/** Links in the browser: a section of the dialog in which a node is shared, and the list of one's own on "Shared by me", and the dialog in which files are asked for. */

import { startMine } from "./mine.js";
import { startRequests } from "./request.js";
import { startSection } from "./section.js";

startSection();
startMine();
startRequests();
