/**
 * Moving between pages without losing what runs in this one (uploads): htmx swaps `#main`, this module does the rest –
 * where we are in the rail, the focus, the thin line while waiting, and a real page load where a swap would be wrong.
 */

import { announce, make, pageFact } from "./dom.js";
import { markSection } from "./sections.js";
import { toast } from "./toast.js";
import { gettext } from "./i18n.js";

/** A page that is there sooner needs no line. */
const PATIENCE_MS = 180;

/**
 * Go to a page of the vault as a link of this one does. The link says by itself what is swapped: htmx asks it when the answer is there, and
 * by then it is not in the page any more, where it would inherit that.
 * @param {string} href
 */
export function travelTo(href) {
  const link = make("a", { href, hidden: "", "hx-target": "#main", "hx-select": "#main", "hx-swap": "outerHTML show:window:top" });
  document.body.append(link);
  /** @type {any} */ (window).htmx?.process(link);
  link.click();
  link.remove();
}

/** Start to look after htmx's journeys. */
export function startTravel() {
  const line = document.getElementById("travel");
  let pending = 0;
  /** The page that is shown, and how far each one was scrolled and which row had the focus when it was left. */
  let here = location.href;
  /** @type {Map<string, {top: number, rowId: string}>} */
  const scrolled = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const arrive = () => {
    pending = Math.max(0, pending - 1);
    if (pending) return;
    clearTimeout(timer);
    line?.removeAttribute("data-on");
  };
  const reread = (/** @type {Event} */ event) => {
    const { htmx } = /** @type {any} */ (window);
    void htmx.ajax("GET", location.pathname + location.search, { target: "#main", select: "#main", swap: "outerHTML", event });
  };
  // htmx would put the whole body of the answer in the place of this one; only #main may go, or uploads would end.
  document.addEventListener("htmx:historyCacheMiss", (event) => {
    event.preventDefault();
    reread(event);
  });
  // The page that is shown, as the server has it now: nothing moves, and what is selected stays so.
  document.addEventListener("bitvault:renew", reread);
  const leaveMark = () => scrolled.set(here, { top: scrollY, rowId: document.activeElement?.closest(".row")?.getAttribute("data-id") ?? "" });
  const isJourney = (/** @type {any} */ event) => event.detail?.boosted || event.detail?.target?.id === "main";
  /** What began a journey: a link, the browser's arrows, or a wish for the same page anew. One may begin before the one before it has settled. */
  const causeOf = (/** @type {any} */ event) => event.detail?.requestConfig?.triggeringEvent?.type;

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isJourney(event)) return;
    leaveMark();
    pending += 1;
    timer = setTimeout(() => line?.setAttribute("data-on", ""), PATIENCE_MS);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (isJourney(event)) arrive();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const detail = /** @type {any} */ (event).detail;
    if (!isJourney(event)) return;
    const arrived = new URL(detail.xhr.responseURL || location.href);
    // Signed out, or an error page: those are whole pages of their own.
    if (detail.xhr.status >= 400 || arrived.pathname.startsWith(pageFact("sign-in"))) {
      detail.shouldSwap = false;
      const wanted = new URL(detail.pathInfo?.finalRequestPath ?? location.href, location.href);
      location.assign(detail.xhr.status >= 400 ? wanted.href : arrived.href);
    }
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (isJourney(event)) toast(gettext("BitVault cannot be reached. Check your connection."), { failed: true });
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (isJourney(event)) here = location.href;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const target = /** @type {any} */ (event).detail?.target;
    const main = document.getElementById("main");
    if (!main || (target && target.id !== "main" && !target.contains(main))) return;
    markSection(main.dataset.section ?? "");
    if (main.dataset.mounted !== undefined) return;
    main.dataset.mounted = "";
    const renewed = causeOf(event) === "bitvault:renew";
    const back = renewed || causeOf(event) === "htmx:historyCacheMiss";
    const left = back ? scrolled.get(here) : undefined;
    // Before the page is scrolled: a long list takes its height now.
    document.dispatchEvent(new CustomEvent("bitvault:page", { detail: { renewed, rowId: left?.rowId ?? "" } }));
    if (back) scrollTo({ top: left?.top ?? 0, behavior: "instant" });
    if (document.activeElement === document.body || document.activeElement === null) main.focus({ preventScroll: true });
    if (!renewed) announce(document.title);
  });
}
