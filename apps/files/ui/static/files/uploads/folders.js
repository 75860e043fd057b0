/** Makes the folders that files are to lie in, each once, parents first. A folder that is there already is used. */

import { call, get, Problem, randomKey } from "../../js/api.js";
import { persist } from "../../js/backoff.js";

export class FolderTree {
  /** @type {Map<string, Promise<string>>} path below the root → id of the folder */
  #made = new Map();

  /** @param {string} rootId where the tree hangs @param {(node: import("../../js/api.js").Node) => void} onMade */
  constructor(rootId, onMade) {
    this.rootId = rootId;
    this.onMade = onMade;
  }

  /**
   * @param {string[]} dir
   * @returns {Promise<string>} the id of that folder
   * @throws {Problem} a file bears the name, or the server refuses
   */
  ensure(dir) {
    if (!dir.length) return Promise.resolve(this.rootId);
    const path = dir.join("/");
    let made = this.#made.get(path);
    if (!made) {
      made = this.#make(dir);
      this.#made.set(path, made);
      // A failure is not remembered: the next try may meet a better server.
      made.catch(() => this.#made.delete(path));
    }
    return made;
  }

  /** @param {string[]} dir @returns {Promise<string>} */
  async #make(dir) {
    const parentId = await this.ensure(dir.slice(0, -1));
    const name = dir[dir.length - 1];
    const key = randomKey();
    try {
      const node = await persist(() => call("POST", "/folders", { body: { parent_id: parentId, name }, key }));
      this.onMade(node);
      return node.id;
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "files.name_taken") throw error;
      const { node_id: id } = error.facts;
      const there = await persist(() => get(`/nodes/${id}`));
      if (there.kind !== "folder") throw error;
      return there.id;
    }
  }
}
