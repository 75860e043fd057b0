/** Lets so many through at once and makes the others wait in line. */
export class Gate {
  /** @type {(() => void)[]} */
  #line = [];
  #free;

  /** @param {number} width */
  constructor(width) {
    this.#free = width;
  }

  /**
   * @template T
   * @param {() => Promise<T>} act
   * @returns {Promise<T>}
   */
  async pass(act) {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise((/** @type {(value?: unknown) => void} */ resolve) => this.#line.push(resolve));
    try {
      return await act();
    } finally {
      const next = this.#line.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
