/** Marks beside the names of rows: a module asks for its own together, for what is seen and not known, and remembers them while the page is open. */

import { isInSight, onSight } from "./sight.js";

/** Keys that are asked for together; the server's own limit. */
const TOGETHER = 100;
/** After a change somewhere in the vault all marks are doubtful; a busy team must not bring everybody in the same moment. */
const REST_MS = 3000;

/** @template M what is known of a row */
export class Marks {
  /** @type {Map<string, M>} */
  #known = new Map();
  #asking = false;
  #resting = 0;
  /** Counts what was changed here, so that an answer from before does not take it back. */
  #changes = 0;

  /**
   * @param {{
   *   places: string,
   *   keyOf: (place: HTMLElement) => string,
   *   read: (keys: string[]) => Promise<Map<string, M>>,
   *   show: (place: HTMLElement, mark: M | undefined) => void,
   * }} craft `places`: a selector, in rows of a list or wherever a page names a node; `keyOf` gives nothing where there is no mark to ask
   *   for; `read` gives a mark for each key, or throws
   */
  constructor(craft) {
    this.craft = craft;
  }

  /** @param {string} key @returns {M | undefined} */
  get(key) {
    return this.#known.get(key);
  }

  /** Something was changed here. @param {string} key @param {M} mark */
  set(key, mark) {
    this.#changes += 1;
    this.#known.set(key, mark);
  }

  /** Ask again for some, as soon as they are seen. @param {(mark: M) => boolean} are @returns {boolean} whether there are such */
  forget(are) {
    const some = [...this.#known].filter(([, mark]) => are(mark));
    for (const [key] of some) this.#known.delete(key);
    return some.length > 0;
  }

  /** @param {(mark: M) => boolean} is @returns {boolean} */
  some(is) {
    return [...this.#known.values()].some(is);
  }

  /** Show what is known. @param {HTMLElement[]} [some] places; all of the page by default */
  look(some = this.#places()) {
    for (const place of some) this.craft.show(place, this.#known.get(this.craft.keyOf(place)));
  }

  /** Ask for what is seen and not known. */
  async ask() {
    if (this.#asking) return;
    const keys = new Set(this.#places().filter(isInSight).map(this.craft.keyOf));
    const wanted = [...keys].filter((key) => key && !this.#known.has(key)).slice(0, TOGETHER);
    if (!wanted.length) return;
    this.#asking = true;
    const told = await this.#read(wanted);
    this.#asking = false;
    if (!told) return;
    this.look();
    void this.ask();
  }

  /** Ask again for what is shown, but show what was known until the answer is there. */
  async renew() {
    const listed = new Set(this.#places().map(this.craft.keyOf));
    for (const key of [...this.#known.keys()]) if (!listed.has(key)) this.#known.delete(key);
    const keys = [...this.#known.keys()];
    for (let at = 0; at < keys.length; at += TOGETHER) if (!(await this.#read(keys.slice(at, at + TOGETHER)))) return;
    this.look();
  }

  /** Listen from now on. @param {{renewedBy?: string[]}} [options] events of the document after which all is asked again */
  listen({ renewedBy = [] } = {}) {
    for (const name of ["bitvault:page", "bitvault:rows-changed", "htmx:load"]) document.addEventListener(name, () => this.look());
    document.addEventListener("bitvault:rows-shown", (event) => {
      const made = /** @type {CustomEvent<HTMLElement[]>} */ (event).detail;
      this.look(made.flatMap((row) => /** @type {HTMLElement[]} */ ([...row.querySelectorAll(this.craft.places)])));
    });
    for (const name of renewedBy) document.addEventListener(name, () => void this.renew());
    this.look();
    onSight(() => void this.ask());
  }

  /** Ask again a while after something has changed in the vault. */
  renewAfterChanges() {
    document.addEventListener("bitvault:head", () => {
      this.#resting ||= window.setTimeout(() => {
        this.#resting = 0;
        if (!document.hidden) void this.renew();
      }, REST_MS);
    });
  }

  /** @returns {HTMLElement[]} */
  #places() {
    return /** @type {HTMLElement[]} */ ([...document.querySelectorAll(`#main ${this.craft.places}`)]);
  }

  /** @param {string[]} keys @returns {Promise<boolean>} whether they were told */
  async #read(keys) {
    const before = this.#changes;
    try {
      const told = await this.craft.read(keys);
      if (before === this.#changes) for (const [key, mark] of told) this.#known.set(key, mark);
      return true;
    } catch {
      // There are no marks then; the next look asks again.
      return false;
    }
  }
}
