/** One visit of somebody who sends files: who they are is told once, and the proof of it is kept until the tab is closed. */

import { call, Problem, randomKey } from "../js/api.js";

/** @typedef {{name: string, size_bytes: number, sent_at: string}} Sent */

export class Visit {
  /** @type {Sent[]} what has arrived of this visit */
  sent = [];
  receipt = false;
  #token = "";
  /** Stands for this visit where the browser remembers unfinished uploads. */
  key = randomKey();
  /** Bytes of what had arrived when the page was loaded count in the server's own limits already. */
  #before = 0;

  /** @param {string} link the end of its address @param {string} unlock the proof that its password was given */
  constructor(link, unlock) {
    this.path = `/public/links/${link}`;
    this.unlock = unlock;
    this.store = `bitvault-send-${link}`;
    /** @type {import("../files/uploads/desk.js").Desk} */
    this.desk = {
      start: (body, key) => this.#call("POST", "/uploads", { body, key }),
      commit: ({ id, part_hashes }) => this.#call("POST", `/uploads/${id}/commit`, { body: { part_hashes } }),
      call: (method, tail, options) => this.#call(method, `/uploads${tail}`, options),
      // Folders are made by the server as files come; where a file lies is its path.
      makeTree: () => ({ ensure: (dir) => Promise.resolve(dir) }),
      describe: ({ parentId, name }) => ({ name, folder: parentId }),
    };
  }

  get isBegun() {
    return this.#token !== "";
  }

  get sentCount() {
    return this.sent.length;
  }

  /** Bytes that were sent since the page was loaded. */
  get sentBytes() {
    return this.sent.reduce((sum, one) => sum + one.size_bytes, 0) - this.#before;
  }

  /** @param {string} method @param {string} tail @param {Parameters<typeof call>[2]} [options] */
  #call(method, tail, options = {}) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (this.unlock) headers["BitVault-Link-Unlock"] = this.unlock;
    if (this.#token) headers["BitVault-Link-Submission"] = this.#token;
    return call(method, this.path + tail, { ...options, headers });
  }

  /** @param {{name: string, email: string}} who */
  async begin({ name, email }) {
    if (this.isBegun) return;
    const begun = await this.#call("POST", "/submissions", { body: { name, email } });
    this.#token = begun.submission_token;
    this.#keep();
  }

  #keep() {
    try {
      sessionStorage.setItem(this.store, JSON.stringify({ token: this.#token, key: this.key }));
    } catch (error) {
      console.warn("This visit is not remembered beyond a reload.", error);
    }
  }

  /** Go on with the visit that this tab had before it was loaded again. */
  async restore() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.store) ?? "null");
      if (!kept) return;
      this.#token = kept.token;
      this.key = kept.key;
      await this.refresh();
      this.#before = this.sent.reduce((sum, one) => sum + one.size_bytes, 0);
    } catch (error) {
      if (error instanceof Problem) sessionStorage.removeItem(this.store);
      this.#token = "";
    }
  }

  /** Make a folder in which no file lies. @param {string[]} folder names from the topmost one down to its own */
  async makeFolder(folder) {
    await this.#call("POST", "/folders", { body: { folder } });
  }

  /** Ask what has arrived. */
  async refresh() {
    this.#take(await this.#call("GET", "/submissions/current"));
  }

  /** Say that all is sent for now. */
  async finish() {
    this.#take(await this.#call("POST", "/submissions/current/finish"));
  }

  /** @param {{items: Sent[], receipt: boolean}} answer */
  #take({ items, receipt }) {
    this.sent = items;
    this.receipt = receipt;
  }

  /** Give up what has arrived of an upload that nobody wants any more; the server would find out by itself. @param {string} id */
  drop(id) {
    this.#call("DELETE", `/uploads/${id}`, { keepalive: true }).catch((error) => console.warn("An upload was not given up.", error));
  }
}
