/** Which name to offer in place of one that was refused. */

import { Problem } from "../../js/api.js";
import { fitName, nextName } from "../types.js";

/**
 * @param {string} kind
 * @returns {(name: string, error: unknown) => string} the name to offer, or "" where another one would not help
 */
export const suggestFor = (kind) => (name, error) => {
  if (!(error instanceof Problem)) return "";
  if (error.code === "files.name_taken") return nextName(name, kind);
  return error.code === "files.invalid_name" ? fitName(name) : "";
};
