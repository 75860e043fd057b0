/** Says what the rules for files of the vault and of folders refuse, in words that know the facts: to members, and to visitors of links. */

import { explainCode } from "../../js/api.js";
import { bytes } from "../../js/format.js";
import { fill, gettext, locale } from "../../js/i18n.js";

/** Types that a sentence names; who asks can read the rest in the vault's settings. */
const NAMED = 12;

/** @typedef {{ask: string, rule_of?: string, folder_name?: string | null}} Facts */

/** @param {Facts} facts @returns {string} who can help */
function help({ ask }) {
  if (ask === "link") return gettext("Ask whoever gave you the link.");
  return ask === "managers" ? gettext("Ask who manages the folder.") : gettext("Ask an owner or administrator of the vault.");
}

/**
 * Say it of whose rule it is.
 *
 * @param {Facts} facts
 * @param {[string, string, string]} texts of the vault, of a folder that is named, of one that is not
 * @param {Record<string, string>} values
 */
function say({ rule_of: owner, folder_name: folder }, [ofVault, ofNamed, ofFolder], values) {
  return fill(owner !== "folder" ? ofVault : folder ? ofNamed : ofFolder, { ...values, folder: folder ?? "" });
}

/** @param {string[]} allowed @returns {string} */
function listAllowed(allowed) {
  const types = allowed.slice(0, NAMED).map((each) => (each === "." ? gettext("files without an ending") : each));
  if (allowed.length > NAMED) types.push("…");
  return fill(gettext("It takes only: %(types)s."), { types: new Intl.ListFormat(locale, { type: "unit", style: "long" }).format(types) });
}

/** Explain refusals from now on. */
export function startRules() {
  explainCode("files.type_refused", (facts) => {
    const { extension, allowed } = facts;
    const refused = extension
      ? say(facts, [gettext("This vault takes no %(extension)s files."), gettext("The folder “%(folder)s” takes no %(extension)s files."), gettext("This folder takes no %(extension)s files.")], { extension })
      : say(facts, [gettext("This vault takes no files without an ending."), gettext("The folder “%(folder)s” takes no files without an ending."), gettext("This folder takes no files without an ending.")], {});
    return [refused, ...(allowed ? [listAllowed(allowed)] : []), help(facts)].join(" ");
  });
  explainCode("files.size_refused", (facts) => {
    const texts = /** @type {[string, string, string]} */ ([gettext("This vault takes files up to %(size)s."), gettext("The folder “%(folder)s” takes files up to %(size)s."), gettext("This folder takes files up to %(size)s.")]);
    return [say(facts, texts, { size: bytes(facts.limit_bytes) }), help(facts)].join(" ");
  });
}
