/** How fast bytes go, smoothed over the last seconds so that the time left does not jump. */

/** Weight of the newest second: reacts within three or four seconds, forgets a hiccup as fast. */
const NEWEST = 0.3;
const SAMPLE_MS = 1000;

export class Rate {
  #at = 0;
  #bytes = 0;
  /** Bytes per second; 0 until known. */
  value = 0;

  /** @param {number} total bytes so far @param {number} [now] */
  sample(total, now = performance.now()) {
    if (!this.#at || total < this.#bytes) {
      this.#at = now;
      this.#bytes = total;
      return;
    }
    const passed = now - this.#at;
    if (passed < SAMPLE_MS) return;
    const speed = ((total - this.#bytes) / passed) * 1000;
    this.value = this.value ? this.value + (speed - this.value) * NEWEST : speed;
    this.#at = now;
    this.#bytes = total;
  }

  /** Begin anew, after a pause. */
  reset() {
    this.#at = 0;
    this.value = 0;
  }

  /** @param {number} bytes @returns {number} seconds, Infinity while unknown */
  secondsFor(bytes) {
    return this.value > 1 ? bytes / this.value : Infinity;
  }
}
