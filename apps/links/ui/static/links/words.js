/** What is said of a link, and copying its address. */

import { gettext, counted, fill, locale } from "../js/i18n.js";

/**
 * @typedef {{id: string, node_id: string, kind: "view" | "download" | "upload" | "edit", name: string, slug: string, has_password: boolean, starts_at: string | null,
 *   expires_at: string | null, download_limit: number | null, download_count: number, state: string, created_at: string, url?: string, request: Request | null}} Link
 * @typedef {{title: string, text: string, deadline: string | null, grace_hours: number, ask_name: boolean, ask_email: boolean, max_file_bytes: number | null,
 *   max_files: number | null, max_total_bytes: number | null, accepts: string[], folder_per_sender: boolean, received_count: number, received_bytes: number}} Request
 */

const days = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const numbers = new Intl.NumberFormat(locale);

/** @param {Link} link @returns {string} what it is called where it has no name */
export function titleOf(link) {
  if (link.request) return link.name || link.request.title;
  return link.name || (link.kind === "view" ? gettext("Link to look at") : link.kind === "edit" ? gettext("Link to edit") : gettext("Link to download"));
}

/** @param {Link} link @returns {string} what it gives, until when, and what has become of it */
export function factsOf(link) {
  const said = [];
  if (link.request) said.push(gettext("collects files"));
  else if (link.name) said.push(link.kind === "view" ? gettext("can only look") : link.kind === "edit" ? gettext("can view, download, upload and change") : gettext("can view and download"));
  if (link.has_password) said.push(gettext("with a password"));
  if (link.state === "not_started" && link.starts_at) said.push(fill(gettext("from %(day)s"), { day: days.format(new Date(link.starts_at)) }));
  if (link.state === "expired") said.push(gettext("expired"));
  else if (link.expires_at) said.push(fill(gettext("until %(day)s"), { day: days.format(new Date(link.expires_at)) }));
  if (link.download_limit) said.push(fill(gettext("%(done)s of %(limit)s downloads"), { done: numbers.format(link.download_count), limit: numbers.format(link.download_limit) }));
  else if (link.download_count) said.push(counted("%(count)s download", "%(count)s downloads", link.download_count));
  if (link.request) said.push(counted("%(count)s file received", "%(count)s files received", link.request.received_count));
  if (link.state === "used_up") said.push(gettext("used up"));
  return said.join(" · ");
}

/** @param {string} url @param {HTMLInputElement | null} shown where it stands on the page @returns {Promise<boolean>} whether it is in the clipboard */
export async function copy(url, shown) {
  try {
    await navigator.clipboard.writeText(url);
    return true;
  } catch {
    // No clipboard on plain http: the text is selected instead, for Ctrl+C.
    shown?.focus();
    shown?.select();
    return false;
  }
}
