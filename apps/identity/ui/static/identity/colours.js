/** The colours of the vault: tried on this page at once, with how well they can be read; kept when they are saved. */

import { call, explain, Problem } from "../js/api.js";
import { onSubmit } from "../js/busy.js";
import { closest, make, need } from "../js/dom.js";
import { fill, gettext, locale } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** WCAG 2.2, 1.4.3, and what is hardest to be read on (the same as `apps/identity/colours.py`, which decides). */
const NEEDED = 4.5;
/** @type {Record<string, string>} */
const GROUND = { light: "#f5f4f0", dark: "#1e2322" };
const ratios = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** @typedef {{light: string, dark: string} | null} Colours */

/** @param {string} colour @returns {number} */
function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {string} one @param {string} other @returns {number} */
function contrast(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

const find = () => /** @type {HTMLFormElement | null} */ (document.querySelector("#colours-form"));
/** @param {HTMLFormElement} form @param {string} name */
const well = (form, name) => need(`[name="${name}"]`, HTMLInputElement, form);

/** @param {HTMLFormElement} form @returns {{light: string, dark: string}} */
const read = (form) => ({ light: well(form, "light").value, dark: well(form, "dark").value });

/** @param {HTMLFormElement} form @returns {Colours} BitVault's own are none */
function chosen(form) {
  const colours = read(form);
  return colours.light === form.dataset.ownLight && colours.dark === form.dataset.ownDark ? null : colours;
}

/** What the vault has: what "Undo" brings back. @type {Colours} */
let saved = null;

/** @param {Colours} colours */
function wear(colours) {
  document.querySelector("link[data-accent]")?.remove();
  if (!colours) return;
  const href = `/accent/${colours.light.slice(1)}-${colours.dark.slice(1)}.css`;
  document.head.append(make("link", { rel: "stylesheet", href, "data-accent": "" }));
}

/** @param {HTMLFormElement} form */
function tell(form) {
  for (const [name, colour] of Object.entries(read(form))) {
    const reached = contrast(colour, GROUND[name]);
    // Cut, not rounded: 4.46 is too little, and is not to be read as 4.5.
    const facts = { contrast: ratios.format(Math.floor(reached * 10) / 10), needed: ratios.format(NEEDED) };
    need(`#colour-${name}-told`, HTMLOutputElement, form).textContent =
      reached >= NEEDED ? fill(gettext("Contrast %(contrast)s – easy to read"), facts) : fill(gettext("Contrast %(contrast)s – needs %(needed)s"), facts);
  }
}

/** @param {HTMLFormElement} form @param {Colours} colours */
function show(form, colours) {
  well(form, "light").value = colours?.light ?? form.dataset.ownLight ?? "";
  well(form, "dark").value = colours?.dark ?? form.dataset.ownDark ?? "";
  need('[data-team="own-colours"]', HTMLElement, form).hidden = !colours;
  tell(form);
  wear(colours);
}

/** @param {HTMLFormElement} form @param {Colours} colours */
async function save(form, colours) {
  const line = need("#colours-error", HTMLElement, form);
  line.hidden = true;
  const before = saved;
  try {
    ({ colours: saved } = await call("PATCH", "/tenant", { body: { colours } }));
  } catch (error) {
    refuse(form, line, error);
    return;
  }
  show(form, saved);
  const isOther = JSON.stringify(before) !== JSON.stringify(saved);
  toast(gettext("The colors are saved."), isOther ? { action: gettext("Undo"), undo: true, run: () => void save(form, before) } : {});
}

/** @param {HTMLFormElement} form @param {HTMLElement} line @param {unknown} error */
function refuse(form, line, error) {
  line.hidden = false;
  const facts = error instanceof Problem && error.code === "identity.colour_unfit" ? error.facts : null;
  if (!facts?.suggestion) return void (line.textContent = explain(error));
  const told =
    facts.field === "light"
      ? gettext("The color for light pages is too pale to be read by everybody.")
      : gettext("The color for dark pages is too dark to be read by everybody.");
  const take = make("button", { class: "button button-small", type: "button" }, fill(gettext("Take %(color)s instead"), { color: facts.suggestion }));
  take.addEventListener("click", () => {
    well(form, facts.field).value = facts.suggestion;
    line.hidden = true;
    tell(form);
    wear(chosen(form));
    well(form, facts.field).focus();
  });
  line.replaceChildren(`${told} `, take);
  well(form, facts.field).focus();
}

/** A colour that is dragged over the whole field changes sixty times a second. */
let trying = 0;
document.addEventListener("input", (event) => {
  const form = find();
  if (!form || !(event.target instanceof HTMLInputElement) || event.target.form !== form) return;
  need("#colours-error", HTMLElement, form).hidden = true;
  tell(form);
  clearTimeout(trying);
  trying = window.setTimeout(() => wear(chosen(form)), 120);
});

onSubmit("#colours-form", (form) => save(form, chosen(form)));

document.addEventListener("click", (event) => {
  const form = find();
  if (form && closest(event.target, '[data-team="own-colours"]')) void save(form, null);
});

function begin() {
  const form = find();
  // Left without saving, the page is as the vault has it.
  if (!form) return;
  saved = chosen(form);
  tell(form);
}

document.addEventListener("bitvault:page", begin);
document.addEventListener("htmx:beforeSwap", () => {
  if (find()) wear(saved);
});
begin();
