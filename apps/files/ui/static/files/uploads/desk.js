/** Where uploads are asked for: members ask at their own routes; a visitor who holds a link brings a desk of that link. */

import { call } from "../../js/api.js";
import { FolderTree } from "./folders.js";
import { Gathering } from "./gathering.js";

/** Of a result in a batch: the store has not put the file together yet. */
const COMPLETING = 202;

/**
 * @typedef {{start: (body: Record<string, unknown>, key: string, isSmall: boolean) => Promise<any>,
 *   commit: (wish: {id: string, part_hashes: string[]}, isSmall: boolean) => Promise<any>,
 *   call: (method: string, tail: string, options?: Parameters<typeof call>[2]) => Promise<any>,
 *   makeTree: (rootId: string, onMade: (node: import("../../js/api.js").Node) => void) => {ensure: (dir: string[]) => Promise<any>},
 *   describe: (destination: import("./transfer.js").Destination) => Record<string, unknown>}} Desk
 *   `isSmall`: the file has one part, so it may be asked for together with others; `call`: asks below the route of uploads;
 *   `makeTree`: makes the folders that files lie in; `describe`: says where a file is to go
 */

const starts = new Gathering("/uploads/batch", {
  keyed: true,
  alone: (body, key) => call("POST", "/uploads", { body, key }),
  read: ({ upload }) => upload,
});
const commits = new Gathering("/uploads/batch/commit", {
  keyed: false,
  alone: ({ id, part_hashes }) => call("POST", `/uploads/${id}/commit`, { body: { part_hashes } }),
  read: ({ status, node }) => (status === COMPLETING ? { state: "completing" } : node),
});

/** @type {Desk} */
export const members = {
  start: (body, key, isSmall) => (isSmall ? starts.ask(body, key) : starts.how.alone(body, key)),
  commit: (wish, isSmall) => (isSmall ? commits.ask(wish, wish.id) : commits.how.alone(wish, wish.id)),
  call: (method, tail, options) => call(method, `/uploads${tail}`, options),
  makeTree: (rootId, onMade) => new FolderTree(rootId, onMade),
  describe: ({ parentId, name, mode, autorename }) => ({ parent_id: parentId, name, mode, ...(autorename ? { autorename } : {}) }),
};
