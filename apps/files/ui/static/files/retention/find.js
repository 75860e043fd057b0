/** Fields of the form of holds and rules in which a person or a folder is found as one types. */

import { get } from "../../js/api.js";
import { Refusal } from "../../js/dialogs.js";
import { closest, need } from "../../js/dom.js";

const PAUSE_MS = 200;
const SHOWN = 8;

/** The id of each label that was offered, by the field. @type {Map<string, Map<string, string>>} */
const offered = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pause;

/** @type {Record<string, (text: string) => Promise<{id: string, label: string}[]>>} */
const SEARCHES = {
  async folder(text) {
    const found = await get(`/search?kind=folder&limit=${SHOWN}&q=${encodeURIComponent(text)}`);
    return found.items.map((/** @type {{node: {id: string, name: string}, path: {name: string}[]}} */ hit) => ({
      id: hit.node.id,
      label: [...hit.path.map((step) => step.name), hit.node.name].join(" / "),
    }));
  },
  async person(text) {
    const found = await get(`/members?limit=${SHOWN}&q=${encodeURIComponent(text)}`);
    return found.items.map((/** @type {{user: {id: string, name: string, email: string}}} */ one) => ({
      id: one.user.id,
      label: one.user.name && one.user.email ? `${one.user.name} (${one.user.email})` : one.user.name || one.user.email,
    }));
  },
};

/** @param {HTMLInputElement} input @param {string} id @param {string} label */
export function offer(input, id, label) {
  offered.set(input.id, (offered.get(input.id) ?? new Map()).set(label, id));
}

/** @param {HTMLInputElement} input */
async function search(input) {
  const text = input.value.trim();
  if (!text || offered.get(input.id)?.has(text)) return;
  let choices;
  try {
    choices = await SEARCHES[input.dataset.retentionFind ?? ""](text);
  } catch {
    return; // What is typed stays, and the form says what is missing.
  }
  if (input.value.trim() !== text) return;
  for (const { id, label } of choices) offer(input, id, label);
  input.list?.replaceChildren(...choices.map(({ label }) => new Option(label, label)));
}

/**
 * Read what was chosen in a field.
 *
 * @param {string} selector
 * @param {string} complaint when nothing that was offered is typed
 * @returns {string}
 */
export function readFound(selector, complaint) {
  const input = need(selector, HTMLInputElement);
  const id = offered.get(input.id)?.get(input.value.trim());
  if (!id) throw new Refusal(input, complaint);
  return id;
}

document.addEventListener("input", (event) => {
  const input = closest(event.target, "[data-retention-find]");
  if (!(input instanceof HTMLInputElement)) return;
  clearTimeout(pause);
  pause = setTimeout(() => void search(input), PAUSE_MS);
});
