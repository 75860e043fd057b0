/** Fields in which something is found as one types: an input with a list that the server fills. */

import { Refusal } from "./dialogs.js";
import { closest, need } from "./dom.js";

const PAUSE_MS = 200;
const SHOWN = 8;

/** @typedef {{id: string, label: string}} Choice */

/** What was offered so far: the id of each label, by the field. @type {Map<string, Map<string, string>>} */
const offered = new Map();
/** @type {Map<string, number>} which search of a field is the latest */
const latest = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pause;

/** How each kind of thing is found, as modules have said. @type {Map<string, (text: string) => Promise<Choice[]>>} */
const searches = new Map();

/**
 * Say how a kind of thing is found that fields ask for with `data-lookup`.
 *
 * @param {string} kind
 * @param {(text: string, most: number) => Promise<Choice[]>} search
 */
export const findBy = (kind, search) => void searches.set(kind, (text) => search(text, SHOWN));

/** Let a field know a label whose id the page knows. @param {HTMLInputElement} input @param {string} id @param {string} label */
export function offer(input, id, label) {
  offered.set(input.id, (offered.get(input.id) ?? new Map()).set(label, id));
}

/** @param {HTMLInputElement} input */
async function search(input) {
  const text = input.value.trim();
  if (!text || offered.get(input.id)?.has(text)) return;
  const mine = (latest.get(input.id) ?? 0) + 1;
  latest.set(input.id, mine);
  let choices;
  try {
    choices = (await searches.get(input.dataset.lookup ?? "")?.(text)) ?? [];
  } catch {
    return; // What is typed stays, and the form says what is missing.
  }
  if (latest.get(input.id) !== mine) return;
  for (const { id, label } of choices) offer(input, id, label);
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

/**
 * Read what was chosen in a field that may not be empty.
 *
 * @param {string} selector
 * @param {string} complaint when nothing that was offered is typed
 * @returns {string}
 */
export function requireChoice(selector, complaint) {
  const id = readChoice(selector, complaint);
  if (!id) throw new Refusal(need(selector, HTMLInputElement), complaint);
  return id;
}

document.addEventListener("input", (event) => {
  const input = closest(event.target, "[data-lookup]");
  if (!(input instanceof HTMLInputElement)) return;
  clearTimeout(pause);
  pause = setTimeout(() => void search(input), PAUSE_MS);
});
