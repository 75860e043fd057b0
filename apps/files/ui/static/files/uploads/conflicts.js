/** Asks what to do with a file whose name is taken. One question at a time; "the same for all others" answers the rest of its batch. */

import { need } from "../../js/dom.js";
import { fill, gettext } from "../../js/i18n.js";

/** @typedef {"keep" | "replace" | "skip" | "cancel"} Choice */

export class Conflicts {
  /** @type {Choice | null} the answer for all others of this batch */
  #forAll = null;
  /** @type {Promise<unknown>} */
  static #line = Promise.resolve();

  /**
   * @param {{name: string, folderName: string, takenBy: string, more: boolean}} question `takenBy` is the kind of what is there
   * @returns {Promise<Choice>}
   */
  ask(question) {
    const turn = Conflicts.#line.then(() => this.#decide(question));
    Conflicts.#line = turn.catch(() => {});
    return turn;
  }

  /** @param {{name: string, folderName: string, takenBy: string, more: boolean}} question @returns {Promise<Choice>} */
  async #decide(question) {
    if (this.#forAll && !(this.#forAll === "replace" && question.takenBy === "folder")) return this.#forAll;
    const { choice, all } = await show(question);
    if (all || choice === "cancel") this.#forAll = choice;
    return choice;
  }
}

/** @param {{name: string, folderName: string, takenBy: string, more: boolean}} question @returns {Promise<{choice: Choice, all: boolean}>} */
function show({ name, folderName, takenBy, more }) {
  const dialog = need("#conflict-dialog", HTMLDialogElement);
  const form = need("form", HTMLFormElement, dialog);
  const text = need("#conflict-text", HTMLElement);
  const strong = document.createElement("b");
  strong.textContent = name;
  const [before, after] = (takenBy === "folder" ? gettext("A folder named %(name)s is already in %(folder)s.") : gettext("A file named %(name)s is already in %(folder)s.")).split("%(name)s");
    text.replaceChildren(fill(before, { folder: folderName }), strong, fill(after, { folder: folderName }));
  need('[data-choice="replace"]', HTMLElement, dialog).hidden = takenBy === "folder";
  need("#conflict-all-line", HTMLElement).hidden = !more;
  form.reset();
  const first = need('[value="keep"]', HTMLInputElement, dialog);
  first.checked = true;
  dialog.returnValue = "cancel";
  dialog.showModal();
  first.focus();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        const data = new FormData(form);
        const going = dialog.returnValue === "go";
        resolve({ choice: going ? /** @type {Choice} */ (data.get("choice")) : "cancel", all: going && data.get("all") !== null });
      },
      { once: true },
    );
  });
}
