/** Turns facts into words: sizes, times, durations, counts. Sizes read as the server's templates write them. */

const UNITS = ["KB", "MB", "GB", "TB", "PB"];

/** @param {number | null} count @returns {string} */
export function bytes(count) {
  if (count === null || count === undefined) return "";
  if (count < 1024) return count === 1 ? "1\u00a0byte" : `${count}\u00a0bytes`;
  let value = count / 1024;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(1)}\u00a0${UNITS[unit]}`;
}

/** @param {number} count @returns {string} with three digits at most: for figures that change while they are read */
export function briefBytes(count) {
  return bytes(count).replace(/(\d{3,})\.\d/u, "$1").replace(".0", "");
}

/** @param {number} seconds @returns {string} */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 5) return "a few seconds left";
  if (seconds < 60) return `${Math.ceil(seconds / 5) * 5} s left`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min left`;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.round((seconds % 3600) / 60);
  return minutes ? `${hours} h ${minutes} min left` : `${hours} h left`;
}

/** @param {number} count @param {string} one @param {string} [many] @returns {string} */
export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString()} ${count === 1 ? one : many}`;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayAndYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

/** @param {Date} date @returns {number} */
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

/**
 * Say when something was, the shorter the nearer.
 *
 * @param {Date} date
 * @param {Date} [now]
 * @returns {string}
 */
export function when(date, now = new Date()) {
  const days = Math.round((midnight(now) - midnight(date)) / 86_400_000);
  if (days === 0) return `Today, ${clock.format(date)}`;
  if (days === 1) return `Yesterday, ${clock.format(date)}`;
  return date.getFullYear() === now.getFullYear() ? `${day.format(date)}, ${clock.format(date)}` : dayAndYear.format(date);
}

/**
 * Fill every `<time data-when>` below an element with words of the reader's own zone and language.
 *
 * @param {ParentNode} root
 */
export function fillTimes(root) {
  for (const element of root.querySelectorAll("time[data-when]")) {
    const date = new Date(element.getAttribute("datetime") ?? "");
    if (Number.isNaN(date.getTime())) continue;
    const style = element.getAttribute("data-when");
    const words = style === "date" ? dayAndYear.format(date) : when(date);
    const text = style === "inline" ? words.replace(/^[TY]/u, (letter) => letter.toLowerCase()) : words;
    if (element.textContent !== text) element.textContent = text;
  }
}

/** @param {HTMLTimeElement} element gets its whole date as a title */
export function nameMoment(element) {
  const date = new Date(element.dateTime);
  if (element.dataset.when !== undefined && !Number.isNaN(date.getTime())) element.title = full.format(date);
}
