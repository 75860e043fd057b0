/** What was done through a link, shown below its line: who opened and downloaded, or what has come through a request. */

import { get } from "../js/api.js";
import { whileBusy } from "../js/busy.js";
import { make } from "../js/dom.js";
import { bytes, whenInline } from "../js/format.js";
import { fill, gettext } from "../js/i18n.js";

/** @typedef {import("./words.js").Link} Link */
/** @typedef {{action: string, accessed_at: string, node_id: string, node_name: string | null, visitor: string, counted: boolean}} Access */
/** @typedef {{name: string, size_bytes: number, node_id: string, sent_at: string, is_late: boolean, sender_name: string, sender_email: string}} Received */

/** Lines that are shown at once. */
const PAGE = 20;

/** @param {Link} link @returns {Promise<HTMLElement>} the newest lines, and a way to more */
export async function logOf(link) {
  const list = make("ul", { class: "links-log", "aria-label": link.request ? gettext("Files received") : gettext("What was done through the link") });
  await add(list, link, "");
  if (!list.children.length) list.append(make("li", {}, link.request ? gettext("Nothing has come yet.") : gettext("Nobody has opened it yet.")));
  return list;
}

/** @param {HTMLElement} list @param {Link} link @param {string} cursor */
async function add(list, link, cursor) {
  const what = link.request ? "received" : "accesses";
  const page = await get(`/links/${link.id}/${what}?limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
  list.append(...page.items.map((/** @type {any} */ item) => make("li", {}, ...(link.request ? received(item) : access(item, link)))));
  if (!page.next_cursor) return;
  const more = make("button", { class: "button button-quiet", type: "button" }, gettext("Show more"));
  const line = make("li", {}, more);
  const bring = async () => {
    const before = list.children.length;
    await add(list, link, page.next_cursor).finally(() => line.remove());
    /** @type {HTMLElement | undefined} */ (list.children[before - 1])?.scrollIntoView({ block: "nearest" });
  };
  more.addEventListener("click", () => void whileBusy(more, bring));
  list.append(line);
}

/** @param {Received} item @returns {(Node | string)[]} */
function received({ name, size_bytes: size, sent_at: at, is_late: late, sender_name: sender, sender_email: email }) {
  const who = [sender, email].filter(Boolean).join(", ") || gettext("Somebody");
  const facts = [who, bytes(size), whenInline(new Date(at)), late ? gettext("late") : ""].filter(Boolean).join(" · ");
  return [make("bdi", {}, name), make("small", {}, facts)];
}

/** @param {Access} item @param {Link} link @returns {(Node | string)[]} */
function access({ action, accessed_at: at, node_id: nodeId, node_name: name, visitor, counted }, link) {
  const what =
    action === "refused"
      ? gettext("A wrong password was given")
      : action === "downloaded"
        ? fill(gettext("%(name)s was downloaded"), { name: name ?? gettext("A file") })
        : gettext("The link was opened");
  const again = action === "downloaded" && !counted && link.download_limit && nodeId ? gettext("not counted again") : "";
  const facts = [fill(gettext("visitor %(visitor)s"), { visitor }), whenInline(new Date(at)), again].filter(Boolean).join(" · ");
  return [make("bdi", {}, what), make("small", {}, facts)];
}
