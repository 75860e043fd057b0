/** Fields in which a folder or a person is found as one types: an input with a list that the server fills. */

import { get } from "../js/api.js";
import { Refusal } from "../js/dialogs.js";
import { closest, need } from "../js/dom.js";

const PAUSE_MS = 200;
const SHOWN = 8;

/** @typedef {{id: string, label: string}} Choice */

/** What was offered so far: the id of each label, by the field. @type {Map<string, Map<string, string>>} */
const offered = new Map();
/** @type {Map<string, number>} which search of a field is the latest */
const latest = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pause;

/** @type {Record<string, (text: string) => Promise<Choice[]>>} */
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

/** @param {HTMLInputElement} input */
async function search(input) {
  const text = input.value.trim();
  const known = offered.get(input.id) ?? new Map();
  if (!text || known.has(text)) return;
  const mine = (latest.get(input.id) ?? 0) + 1;
  latest.set(input.id, mine);
  let choices;
  try {
    choices = await SEARCHES[input.dataset.lookup ?? ""](text);
  } catch {
    return; // What is typed stays, and the form says what is missing.
  }
  if (latest.get(input.id) !== mine) return;
  for (const { id, label } of choices) known.set(label, id);
  offered.set(input.id, known);
  input.list?.replaceChildren(...choices.map(({ label }) => new Option(label, label)));
}

/**
 * Read what was chosen in a field, or stands there from before; nothing when it is empty.
 *
 * @param {string} selector
 * @param {string} complaint when something is typed that was not offered
 * @returns {string | null}
 */
export function readChoice(selector, complaint) {
  const input = need(selector, HTMLInputElement);
  const text = input.value.trim();
  if (!text) return null;
  const id = text === input.defaultValue ? input.dataset.chosen : offered.get(input.id)?.get(text);
  if (!id) throw new Refusal(input, complaint);
  return id;
}

document.addEventListener("input", (event) => {
  const input = closest(event.target, "[data-lookup]");
  if (!(input instanceof HTMLInputElement)) return;
  clearTimeout(pause);
  pause = setTimeout(() => void search(input), PAUSE_MS);
});
