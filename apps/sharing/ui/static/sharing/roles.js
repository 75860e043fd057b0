/** Roles as the dialog's template names them: what each is called, lets people do, and needs to be given. */

import { need } from "../js/dom.js";
import { gettext } from "../js/i18n.js";

/** @typedef {{kind: string, capabilities: string[]}} Subject */

const options = () => [...need("#share-role", HTMLSelectElement).options];

/** @param {string} role @returns {string} */
export function labelOf(role) {
  if (role === "owner") return gettext("Owner");
  return options().find((option) => option.value === role)?.text ?? gettext("Custom");
}

/** @param {HTMLOptionElement | undefined} option @param {Subject} subject @returns {boolean} whether it can be given on the node by the reader */
export function isOffered(option, subject) {
  if (!option || (option.dataset.folders !== undefined && subject.kind !== "folder")) return false;
  return (option.dataset.needs ?? "").split(" ").every((name) => subject.capabilities.includes(name));
}

/** Offer in the form what can be given on this node. @param {Subject} subject */
export function offerRoles(subject) {
  for (const option of options()) option.hidden = option.disabled = !isOffered(option, subject);
}

/** @param {Subject} subject @param {string} present a role that stays choosable though it would not be offered @returns {HTMLOptionElement[]} */
export function makeOptions(subject, present) {
  const made = options()
    .filter((option) => option.value === present || isOffered(option, subject))
    .map((option) => new Option(option.text, option.value));
  if (!made.some((option) => option.value === present)) made.unshift(new Option(labelOf(present), present));
  return made;
}

/** @param {string} role @param {string} kind @returns {string} */
export function hintOf(role, kind) {
  const option = options().find((one) => one.value === role);
  return (kind === "file" ? option?.dataset.hintFile : undefined) ?? option?.dataset.hint ?? "";
}
