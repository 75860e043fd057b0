/** Says what the vault's rules for files refuse, in words that know the facts: to members, and to visitors of links. */

import { explainCode } from "../../js/api.js";
import { bytes } from "../../js/format.js";
import { fill, gettext, locale } from "../../js/i18n.js";

/** Types that a sentence names; who asks can read the rest in the vault's settings. */
const NAMED = 12;

/** @param {string} ask @returns {string} who can help */
const help = (ask) => (ask === "link" ? gettext("Ask whoever gave you the link.") : gettext("Ask an owner or administrator of the vault."));

/** @param {string[]} allowed @returns {string} */
function listAllowed(allowed) {
  const types = allowed.slice(0, NAMED).map((each) => (each === "." ? gettext("files without an ending") : each));
  if (allowed.length > NAMED) types.push("…");
  return fill(gettext("It takes only: %(types)s."), { types: new Intl.ListFormat(locale, { type: "unit", style: "long" }).format(types) });
}

/** Explain refusals from now on. */
export function startRules() {
  explainCode("files.type_refused", ({ extension, allowed, ask }) => {
    const refused = extension ? fill(gettext("This vault takes no %(extension)s files."), { extension }) : gettext("This vault takes no files without an ending.");
    return [refused, ...(allowed ? [listAllowed(allowed)] : []), help(ask)].join(" ");
  });
  explainCode("files.size_refused", ({ limit_bytes: limit, ask }) => [fill(gettext("This vault takes files up to %(size)s."), { size: bytes(limit) }), help(ask)].join(" "));
}
