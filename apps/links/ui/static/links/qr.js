/** The address of a link as a code that phones read, with a way to keep the picture. */

import { call } from "../js/api.js";
import { make } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";

/**
 * @param {{id: string}} link
 * @param {string} address
 * @param {string} title what the link is called
 * @returns {Promise<HTMLElement>}
 */
export async function qrOf(link, address, title) {
  const { svg } = await call("POST", `/links/${link.id}/qr`, { body: { address } });
  const picture = document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", fill(gettext("QR code of %(name)s"), { name: title }));
  const file = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  const save = make("a", { class: "button button-quiet", href: file, download: `${title}.svg` }, gettext("Save the picture"));
  return make("div", { class: "links-qr" }, picture, make("div", {}, make("p", { class: "field-hint" }, gettext("A phone’s camera opens the link from a screen or from paper.")), save));
}
