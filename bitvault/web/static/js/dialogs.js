/** The dialogs that any page may open: sure? which name? a form of its own; a secret that is shown once; and: you are signed out. */

import { explain, Problem } from "./api.js";
import { onSubmit } from "./busy.js";
import { announce, closest, icon, make, need, pageFact } from "./dom.js";
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
  dialog.showModal();
  // What destroys is never what a stray Enter does.
  need(danger ? '[data-role="cancel"]' : '[data-role="accept"]', HTMLButtonElement, dialog).focus();
  return new Promise((resolve) => {
    const controller = new AbortController();
    const { signal } = controller;
    const answer = (/** @type {boolean} */ isSure) => {
      controller.abort();
      resolve(isSure);
    };
    // The event of the closing comes some time after it: a key that is pressed meanwhile finds the question answered.
    const onClick = (/** @type {MouseEvent} */ event) => {
      const pressed = closest(event.target, "[data-role]");
      if (!pressed) return;
      event.preventDefault();
      dialog.close();
      answer(pressed === button);
    };
    dialog.addEventListener("click", onClick, { signal });
    // Escape; but not the event of an earlier question that comes now.
    dialog.addEventListener("close", () => dialog.open || answer(false), { signal });
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
    onSubmit(
      form,
      async () => {
        if (!input.value.trim()) return showFieldError(input, gettext("Type a name."));
        try {
          result = await submit(input.value.trim());
          dialog.close();
        } catch (error) {
          showFieldError(input, explain(error));
          input.value = suggest?.(input.value.trim(), error) || input.value;
          input.focus();
          input.select();
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
 * @param {HTMLInputElement | HTMLSelectElement} input described by an element with role=alert
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

/** What is wrong with a field of a form. */
export class Refusal extends Error {
  /** @param {HTMLInputElement | HTMLSelectElement} input @param {string} text */
  constructor(input, text) {
    super(text);
    this.input = input;
  }
}

/**
 * Run a dialog's form: busy while sending, open while refused.
 *
 * @param {string} selector
 * @param {(form: HTMLFormElement) => Promise<void>} send throws a `Refusal` to stay open, or resolves to close
 */
export function openForm(selector, send) {
  const dialog = need(selector, HTMLDialogElement);
  const form = need("form", HTMLFormElement, dialog);
  const controller = new AbortController();
  const { signal } = controller;
  form.reset();
  for (const field of /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement>} */ (form.querySelectorAll("input, select"))) showFieldError(field, "");
  dialog.showModal();
  need("input:not([hidden]), select", HTMLElement, form).focus();
  need('[data-role="cancel"]', HTMLButtonElement, dialog).addEventListener("click", () => dialog.close(), { signal });
  dialog.addEventListener("close", () => controller.abort(), { once: true });
  form.addEventListener("input", (event) => event.target instanceof HTMLInputElement && showFieldError(event.target, ""), { signal });
  onSubmit(
    form,
    async () => {
      try {
        await send(form);
        dialog.close();
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        showFieldError(error.input, error.message);
        error.input.focus();
      }
    },
    { signal },
  );
}

/**
 * Show a secret this once, to be copied.
 *
 * @param {{title: string, text: string, secret: string}} shown
 * @returns {Promise<void>} resolves when the person has closed it
 */
export function showSecret({ title, text, secret }) {
  const dialog = need("#secret-dialog", HTMLDialogElement);
  const code = need("#secret", HTMLElement);
  const copy = need('[data-role="copy"]', HTMLButtonElement, dialog);
  const label = need("span", HTMLElement, copy);
  const controller = new AbortController();
  const { signal } = controller;
  need("#secret-title", HTMLElement).textContent = title;
  need("#secret-text", HTMLElement).textContent = text;
  code.textContent = secret;
  label.textContent = gettext("Copy");
  dialog.showModal();
  copy.addEventListener("click", () => void copyText(code, label), { signal });
  need('[data-role="done"]', HTMLButtonElement, dialog).addEventListener("click", () => dialog.close(), { signal });
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        controller.abort();
        code.textContent = "";
        resolve();
      },
      { once: true },
    );
  });
}

/** @param {HTMLElement} code @param {HTMLElement} label of the button */
async function copyText(code, label) {
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    label.textContent = gettext("Copied");
    announce(gettext("Copied"));
  } catch {
    // No clipboard on plain http: the text is selected instead, for Ctrl+C.
    getSelection()?.selectAllChildren(code);
  }
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
