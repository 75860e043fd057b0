/** How a share is written: for whom, and until which day. */

/** @typedef {import("./people.js").Principal} Principal */

/** @param {Principal} principal */
export function named(principal) {
  if (principal.type === "everyone") return { type: "everyone" };
  return principal.type === "email" ? { type: "email", email: principal.email } : { type: principal.type, id: principal.id };
}

/** @param {Date} date @returns {string} as a date field takes it */
export const toField = (date) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;

/** @param {string} value of a date field @returns {string | null} the end of that day here */
export function endOfDay(value) {
  const [year, month, day] = value.split("-").map(Number);
  return value ? new Date(year, month - 1, day, 23, 59, 59).toISOString() : null;
}

/** @param {string | null} moment @returns {string} */
export const dayOf = (moment) => (moment ? toField(new Date(moment)) : "");
