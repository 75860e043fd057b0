/** Which nodes are selected: some by their ids, or all of the folder but some. Rows only show it. */

let all = false;
/** @type {Set<string>} the selected ones, or those that are not while all others are */
let ids = new Set();

/** @param {string} id @returns {boolean} */
export const isSelectedId = (id) => all !== ids.has(id);

/** @returns {boolean} whether everything in the folder is selected, apart from exceptions */
export const isAll = () => all;

/** @returns {string[]} what is left out while all is selected */
export const exceptions = () => (all ? [...ids] : []);

/** @param {number} total @returns {number} how many are selected of so many */
export const countSelected = (total) => (all ? Math.max(0, total - ids.size) : ids.size);

/** @param {string} id @param {boolean} on */
export function setSelected(id, on) {
  if (on === all) ids.delete(id);
  else ids.add(id);
}

/** @param {Iterable<string>} only select these and no others */
export function setOnly(only) {
  all = false;
  ids = new Set(only);
}

/** Select everything in the folder, also what was never read. */
export function setAll() {
  all = true;
  ids = new Set();
}

/** @param {string} id of what is not there any more */
export const forgetSelected = (id) => void ids.delete(id);
