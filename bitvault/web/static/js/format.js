/** Turns facts into words: sizes, times, durations, counts. Sizes read as the server's templates write them. */

import { counted, fill, gettext, locale, pgettext } from "./i18n.js";

const UNITS = ["KB", "MB", "GB", "TB", "PB"];
const tenths = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** @param {number | null} count @returns {string} */
export function bytes(count) {
  if (count === null || count === undefined) return "";
  if (count < 1024) return counted("%(count)s\u00a0byte", "%(count)s\u00a0bytes", count);
  let value = count / 1024;
  let unit = 0;
  // What would be written as 1024.0 is one of the next unit.
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${tenths.format(value)}\u00a0${UNITS[unit]}`;
}

/** @param {number} count @returns {string} with three digits at most: for figures that change while they are read */
export function briefBytes(count) {
  return bytes(count).replace(/(\d{3,})[.,]\d/u, "$1").replace(/[.,]0(?!\d)/u, "");
}

/** @param {number} seconds @returns {string} */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 5) return gettext("a few seconds left");
  if (seconds < 60) return fill(gettext("%(seconds)s s left"), { seconds: Math.ceil(seconds / 5) * 5 });
  if (seconds < 3600) return fill(gettext("%(minutes)s min left"), { minutes: Math.ceil(seconds / 60) });
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.round((seconds % 3600) / 60);
  return minutes ? fill(gettext("%(hours)s h %(minutes)s min left"), { hours, minutes }) : fill(gettext("%(hours)s h left"), { hours });
}

/** The reader's time zone as they have chosen it; the browser's own where they have not. @type {{timeZone?: string}} */
const zone = document.documentElement.dataset.timeZone ? { timeZone: document.documentElement.dataset.timeZone } : {};
const clock = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit", ...zone });
const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", ...zone });
const dayAndYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric", ...zone });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", ...zone });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short", ...zone });
const calendar = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", ...zone });

/** @param {Date} date @returns {number} its day in the reader's zone, as a number of days */
const dayNumber = (date) => Math.round(Date.parse(`${calendar.format(date)}T00:00:00Z`) / 86_400_000);

/**
 * Say when something was, the shorter the nearer: the time of today, "Yesterday", the day of this year, the date.
 *
 * @param {Date} date
 * @param {Date} [now]
 * @returns {string}
 */
export function when(date, now = new Date()) {
  const days = dayNumber(now) - dayNumber(date);
  if (days === 0) return clock.format(date);
  if (days === 1) return gettext("Yesterday");
  return calendar.format(date).slice(0, 4) === calendar.format(now).slice(0, 4) ? day.format(date) : dayAndYear.format(date);
}

/**
 * The same within a sentence, with the time.
 *
 * @param {Date} date
 * @param {Date} [now]
 * @returns {string}
 */
export function whenInline(date, now = new Date()) {
  const days = dayNumber(now) - dayNumber(date);
  const time = clock.format(date);
  if (days === 0) return fill(pgettext("within a sentence", "today at %(time)s"), { time });
  if (days === 1) return fill(pgettext("within a sentence", "yesterday at %(time)s"), { time });
  return fill(pgettext("within a sentence", "on %(day)s"), { day: when(date, now) });
}

/**
 * Say when something ends that lies ahead: the time of today, else the day too.
 *
 * @param {Date} date
 * @param {Date} [now]
 * @returns {string}
 */
export function whenUntil(date, now = new Date()) {
  return dayNumber(now) === dayNumber(date) ? clock.format(date) : exact.format(date);
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
    const text = style === "date" ? dayAndYear.format(date) : style === "full" ? exact.format(date) : style === "inline" ? whenInline(date) : style === "until" ? fill(pgettext("within a sentence", "until %(day)s"), { day: dayAndYear.format(date) }) : when(date);
    if (element.textContent !== text) element.textContent = text;
  }
}

/** @param {HTMLTimeElement} element gets its whole date as a title */
export function nameMoment(element) {
  const date = new Date(element.dateTime);
  if (element.dataset.when !== undefined && !Number.isNaN(date.getTime())) element.title = full.format(date);
}
