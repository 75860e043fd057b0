/** Links in the browser: a section of the dialog in which a node is shared, and the list of one's own on "Shared by me". */

import { startMine } from "./mine.js";
import { startSection } from "./section.js";

startSection();
startMine();
