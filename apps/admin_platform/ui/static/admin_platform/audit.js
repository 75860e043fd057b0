/** The page of the audit log: verify the chain, and export what the filters show, page by page into one file. */

import { explain, get, NetworkDown, Problem } from "../js/api.js";
import { closest, make, need } from "../js/dom.js";
import { bytes } from "../js/format.js";
import { counted, fill, gettext, locale } from "../js/i18n.js";
import { toast } from "../js/toast.js";

/** Between two looks at a verification that a job does. */
const ASK_AGAIN_MS = 1500;
/** How long one page of an export may take, and how often it is asked for again. */
const PAGE_MS = 60_000;
const TRIES = 5;

/** @type {AbortController | null} the export that is under way */
let exporting = null;

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {"" | "good" | "bad"} level @param {...(Node | string)} content */
function showState(level, ...content) {
  const state = document.getElementById("audit-state");
  if (!state) return;
  state.dataset.level = level;
  state.replaceChildren(...content);
  state.hidden = false;
}

async function verify() {
  showState("", gettext("Verifying…"));
  try {
    let found = await get("/audit/verify");
    while (found.intact === undefined) {
      // A job verifies a long log.
      if (!document.getElementById("audit-state")) return;
      if (found.total_count) showState("", fill(gettext("Verifying: %(done)s of %(total)s entries"), { done: found.done_count, total: found.total_count }));
      await pause(ASK_AGAIN_MS);
      found = await get(found.id ? `/audit/verify?job_id=${found.id}` : "/audit/verify");
    }
    if (!found.intact) {
      return showState("bad", make("b", {}, fill(gettext("The log was tampered with at entry %(number)s."), { number: found.broken_at })), make("span", {}, found.reason));
    }
    showState(
      "good",
      make("b", {}, counted("Intact: %(count)s entry was verified.", "Intact: all %(count)s entries were verified.", found.entry_count)),
      make("span", { class: "muted" }, gettext("Note this fingerprint of the last entry elsewhere: whoever rewrites the whole log changes it.")),
      make("code", {}, `${found.head_number}:${found.head_hash}`),
    );
  } catch (error) {
    showState("bad", explain(error));
  }
}

/**
 * @param {string} address
 * @param {AbortSignal} signal
 * @returns {Promise<Response>}
 */
async function readPage(address, signal) {
  for (let tries = 1; ; tries += 1) {
    try {
      const response = await fetch(address, {
        headers: { "Accept-Language": locale },
        credentials: "same-origin",
        cache: "no-store",
        signal: AbortSignal.any([signal, AbortSignal.timeout(PAGE_MS)]),
      });
      if (response.ok) return response;
      const problem = new Problem(await response.json().catch(() => ({})), response.status, Number(response.headers.get("Retry-After")) * 1000 || null);
      if (!problem.passing || tries === TRIES) throw problem;
      await pause(problem.retryAfterMs ?? ASK_AGAIN_MS);
    } catch (error) {
      if (signal.aborted || error instanceof Problem) throw error;
      if (tries === TRIES) throw new NetworkDown();
      await pause(ASK_AGAIN_MS * tries);
    }
  }
}

/** @param {string} form `csv`, `jsonl`, or `all`: the whole log as JSON lines */
async function exportLog(form) {
  const found = need("#audit-found", HTMLElement);
  const query = form === "all" ? "anchors=true" : found.dataset.export ?? "";
  if (query === "-") return void toast(gettext("The filter means several people. Write more of one name, then export."), { failed: true });
  exporting?.abort();
  const controller = (exporting = new AbortController());
  const path = form === "csv" ? "/api/v1/audit/export.csv" : "/api/v1/audit/export";
  const parts = [];
  let size = 0;
  let after = "0";
  showExport(controller, 0);
  try {
    for (;;) {
      const response = await readPage(`${path}?${query ? `${query}&` : ""}after=${after}`, controller.signal);
      const part = await response.blob();
      parts.push(part);
      size += part.size;
      showExport(controller, size);
      after = response.headers.get("BitVault-Next-After") ?? after;
      if (response.headers.get("BitVault-Has-More") !== "true") break;
    }
    save(new Blob(parts), `audit-${new Date().toISOString().slice(0, 10)}.${form === "csv" ? "csv" : "jsonl"}`);
    showState("", fill(gettext("The export is complete: %(size)s."), { size: bytes(size) }));
  } catch (error) {
    if (controller.signal.aborted) showState("", gettext("The export was canceled."));
    else showState("bad", explain(error));
  } finally {
    if (exporting === controller) exporting = null;
  }
}

/** @param {AbortController} controller @param {number} size */
function showExport(controller, size) {
  const cancel = make("button", { class: "button", type: "button" }, gettext("Cancel"));
  cancel.addEventListener("click", () => controller.abort());
  showState("", fill(gettext("Exporting: %(size)s so far"), { size: bytes(size) }), make("span", {}, cancel));
}

/** @param {Blob} content @param {string} name */
function save(content, name) {
  const address = URL.createObjectURL(content);
  const link = make("a", { href: address, download: name, "hx-boost": "false" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-audit-act]");
  if (!button) return;
  if (button.dataset.auditAct === "verify") void verify();
  if (button.dataset.auditAct === "export") void exportLog(button.dataset.form ?? "jsonl");
});
