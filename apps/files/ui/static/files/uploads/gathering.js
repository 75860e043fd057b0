/**
 * Starts and commits of small files, asked together: what many files ask within a moment is one request, and each gets its own answer.
 * Who stays alone asks the single way.
 */

import { call, Problem, randomKey } from "../../js/api.js";
import { isPassing, pause, waitFor } from "../../js/backoff.js";

/** Files that ask within this time are asked for together. */
const SETTLE_MS = 10;
/** Files of one request; the server takes up to 500, and answers fifty in a tenth of a second. */
const AT_ONCE = 50;
/** Requests on the way at once: while they are, those who ask next gather. */
const REQUESTS = 2;

/**
 * @typedef {{wish: Record<string, unknown>, key: string, resolve: (answer: any) => void, reject: (error: unknown) => void}} Asker
 * @typedef {{status: number, problem?: Record<string, any> | null, upload?: any, node?: any}} Result
 */

/** Those who were asked for together, until their answer is known: one that was lost is asked for again under the same key. */
class Company {
  #key = randomKey();
  #tries = 0;
  /** @type {unknown} */
  #error = null;
  /** @type {Promise<Result[]> | null} */
  #asking = null;

  /** @param {string} path @param {boolean} keyed @param {Record<string, unknown>[]} wishes */
  constructor(path, keyed, wishes) {
    this.path = path;
    this.keyed = keyed;
    this.wishes = wishes;
  }

  /** @returns {Promise<Result[]>} one for each wish; everybody who asks meanwhile waits for the same answer */
  ask() {
    this.#asking ??= this.#send().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #send() {
    if (this.#tries > 0) await pause(waitFor(this.#tries - 1, this.#error));
    try {
      const answer = await call("POST", this.path, { body: { uploads: this.wishes }, key: this.keyed ? this.#key : undefined });
      return answer.items;
    } catch (error) {
      this.#tries += 1;
      this.#error = error;
      throw error;
    }
  }
}

export class Gathering {
  /** @type {Asker[]} */
  #line = [];
  #free = REQUESTS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #settling;
  /** Whose answer is not known yet. @type {Map<string, {company: Company, place: number}>} */
  #open = new Map();

  /**
   * @param {string} path of the request for several
   * @param {{keyed: boolean, alone: (wish: any, key: string) => Promise<any>, read: (result: Result) => any}} how
   *   `keyed`: what is asked twice under one key is done once; `alone` asks for one; `read` finds in a result what `alone` would answer
   */
  constructor(path, how) {
    this.path = path;
    this.how = how;
  }

  /**
   * @param {Record<string, unknown>} wish
   * @param {string} key who asks; the same one when asking again
   * @returns {Promise<any>}
   * @throws {Problem | import("../../js/api.js").NetworkDown}
   */
  ask(wish, key) {
    const open = this.#open.get(key);
    if (open) return this.#answer(open.company, open.place, key);
    return new Promise((resolve, reject) => {
      this.#line.push({ wish, key, resolve, reject });
      this.#settling ??= setTimeout(() => {
        this.#settling = undefined;
        this.#go();
      }, SETTLE_MS);
    });
  }

  #go() {
    while (this.#free > 0 && this.#line.length) {
      this.#free -= 1;
      void this.#send(this.#line.splice(0, AT_ONCE)).finally(() => {
        this.#free += 1;
        this.#go();
      });
    }
  }

  /** @param {Asker[]} some */
  async #send(some) {
    if (some.length === 1) {
      const [{ wish, key, resolve, reject }] = some;
      return this.how.alone(wish, key).then(resolve, reject);
    }
    const company = new Company(this.path, this.how.keyed, some.map(({ wish }) => wish));
    some.forEach(({ key }, place) => this.#open.set(key, { company, place }));
    await Promise.all(some.map(({ key, resolve, reject }, place) => this.#answer(company, place, key).then(resolve, reject)));
  }

  /** @param {Company} company @param {number} place @param {string} key @returns {Promise<any>} */
  async #answer(company, place, key) {
    try {
      const result = (await company.ask())[place];
      this.#open.delete(key);
      if (result.problem) throw new Problem(result.problem, result.status, (result.problem.retry_after_seconds ?? 0) * 1000 || null);
      return this.how.read(result);
    } catch (error) {
      // Nothing was done, or it is not known: who asks again finds the same company, unless that was refused for good.
      if (!isPassing(error)) this.#open.delete(key);
      throw error;
    }
  }
}
