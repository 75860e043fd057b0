/** One press at a time: what is sent and not yet answered is not sent again. */

/**
 * Do some work on behalf of a button (or a row, a card): it shows that it is busy, and does nothing else until the work has ended.
 *
 * @template T
 * @param {HTMLElement} element
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T | undefined>} what the work gave; nothing where the element was busy already
 */
export async function whileBusy(element, work) {
  if (element.dataset.busy !== undefined) return undefined;
  const isButton = element instanceof HTMLButtonElement;
  element.dataset.busy = "";
  if (isButton) element.setAttribute("aria-disabled", "true");
  try {
    return await work();
  } finally {
    delete element.dataset.busy;
    if (isButton) element.removeAttribute("aria-disabled");
  }
}

/**
 * Send a form by a function instead of leaving the page. Two answers never overtake each other: until the first has come, Enter and the button do nothing.
 *
 * @param {string | HTMLFormElement} which the form, or a selector for forms that come and go with the page
 * @param {(form: HTMLFormElement) => unknown} send
 * @param {AddEventListenerOptions} [options]
 */
export function onSubmit(which, send, options = {}) {
  const target = typeof which === "string" ? document : which;
  const listen = (/** @type {Event} */ event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || (typeof which === "string" && !form.matches(which))) return;
    event.preventDefault();
    const button = form.querySelector("button[type=submit], button:not([type])");
    void whileBusy(button instanceof HTMLButtonElement ? button : form, () => send(form));
  };
  target.addEventListener("submit", listen, options);
}
