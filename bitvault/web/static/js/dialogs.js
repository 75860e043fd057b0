/** The questions that any page may ask: sure? which name? and: you are signed out. */

import { explain, Problem } from "./api.js";
import { icon, make, need, pageFact } from "./dom.js";
import { gettext } from "./i18n.js";

/**
 * Ask before something that cannot be undone.
 *
 * @param {{title: string, text: string, accept: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function confirmAction({ title, text, accept, danger = false }) {
  const dialog = need("#confirm-dialog", HTMLDialogElement);
  need("#confirm-title", HTMLElement).textContent = title;
  need("#confirm-text", HTMLElement).textContent = text;
  const button = need('[data-role="accept"]', HTMLButtonElement, dialog);
  button.textContent = accept;
  button.classList.toggle("button-danger", danger);
  button.classList.toggle("button-primary", !danger);
  dialog.returnValue = "";
  dialog.showModal();
  // What destroys is never what a stray Enter does.
  need(danger ? '[data-role="cancel"]' : '[data-role="accept"]', HTMLButtonElement, dialog).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/**
 * Ask for a name and carry it out; a refusal is shown beside the field, where `suggest` may offer another name, and the dialog stays open.
 *
 * @template T
 * @param {{title: string, label: string, value?: string, accept: string, submit: (name: string) => Promise<T>, suggest?: (name: string, error: unknown) => string}} question
 * @returns {Promise<T | null>} what `submit` gave, or null when the person changed their mind
 */
export function askName({ title, label, value = "", accept, submit, suggest }) {
  const dialog = need("#name-dialog", HTMLDialogElement);
  const form = need("form", HTMLFormElement, dialog);
  const input = need("#name-dialog-input", HTMLInputElement);
  const button = need('[data-role="accept"]', HTMLButtonElement, dialog);
  need("#name-dialog-title", HTMLElement).textContent = title;
  need("label", HTMLLabelElement, dialog).textContent = label;
  button.textContent = accept;
  input.value = value;
  showFieldError(input, "");
  dialog.showModal();
  input.focus();
  input.select();

  return new Promise((resolve) => {
    /** @type {T | null} */
    let result = null;
    const controller = new AbortController();
    const { signal } = controller;
    input.addEventListener("input", () => showFieldError(input, ""), { signal });
    need('[data-role="cancel"]', HTMLButtonElement, dialog).addEventListener("click", () => dialog.close(), { signal });
    form.addEventListener(
      "submit",
      async (event) => {
        event.preventDefault();
        if (button.dataset.busy !== undefined) return;
        if (!input.value.trim()) return showFieldError(input, gettext("Type a name."));
        button.dataset.busy = "";
        try {
          result = await submit(input.value.trim());
          dialog.close();
        } catch (error) {
          showFieldError(input, explain(error));
          input.value = suggest?.(input.value.trim(), error) || input.value;
          input.focus();
          input.select();
        } finally {
          delete button.dataset.busy;
        }
      },
      { signal },
    );
    dialog.addEventListener(
      "close",
      () => {
        controller.abort();
        resolve(result);
      },
      { once: true },
    );
  });
}

/**
 * Show what is wrong with a field beside it, or take that away.
 *
 * @param {HTMLInputElement} input described by an element with role=alert
 * @param {string} text
 */
export function showFieldError(input, text) {
  const note = document.getElementById((input.getAttribute("aria-describedby") ?? "").split(" ")[0]);
  if (note) {
    note.replaceChildren(icon("warning"), make("span", {}, text));
    note.hidden = !text;
  }
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/** Offer the way back in when the session has ended; the way leads to this very page again. */
export function offerSignIn() {
  const dialog = document.querySelector("#session-dialog");
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
  const here = location.pathname + location.search;
  need('[data-role="sign-in"]', HTMLAnchorElement, dialog).href = `${pageFact("sign-in")}?next=${encodeURIComponent(here)}`;
  dialog.showModal();
}

/** @param {unknown} error @param {string} code @returns {error is Problem} */
export const isProblem = (error, code) => error instanceof Problem && error.code === code;
