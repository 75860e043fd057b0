/** The page of SIEM exports: make one, test it, pause it, send again, delete it. */

import { call, explain } from "../js/api.js";
import { confirmAction, openForm, Refusal } from "../js/dialogs.js";
import { closest, need } from "../js/dom.js";
import { fillTimes } from "../js/format.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const PATH = "/audit/siem-exports";
const EXPORTS = "#siem-exports";
const LOOK_MS = 700;
const LOOKS = 30;

async function renew() {
  await /** @type {any} */ (window).htmx.ajax("GET", location.pathname, { target: EXPORTS, select: EXPORTS, swap: "outerHTML" });
  fillTimes(need(EXPORTS, HTMLElement));
}

/**
 * Say beside a field why the server has refused it.
 *
 * @param {HTMLInputElement} input
 * @param {() => Promise<unknown>} run
 */
async function send(input, run) {
  try {
    await run();
  } catch (error) {
    throw new Refusal(input, explain(error));
  }
}

/** @param {DOMStringMap | null} row the export that is edited; none: a new one */
function edit(row) {
  need("#siem-whole", HTMLElement).hidden = row !== null;
  const url = need("#siem-url", HTMLInputElement);
  openForm("#siem-dialog", async (form) => {
    const data = new FormData(form);
    const secret = String(data.get("secret"));
    const wish = {
      url: url.value.trim(),
      description: String(data.get("description")).trim(),
      ...(row && !secret ? {} : { secret }),
      ...(!row && data.get("whole") ? { from_number: 1 } : {}),
    };
    if (!wish.url) throw new Refusal(url, gettext("Type the address of the receiver."));
    await send(url, () => (row ? call("PATCH", `${PATH}/${row.export}`, { body: wish }) : call("POST", PATH, { body: wish })));
    toast(row ? gettext("The export was changed.") : gettext("The audit log is being sent."));
    await renew();
  });
  url.value = row?.url ?? "";
  need("#siem-description", HTMLInputElement).value = row?.description ?? "";
}

/** @param {DOMStringMap} row */
function restart(row) {
  const input = need("#siem-number", HTMLInputElement);
  openForm("#siem-restart-dialog", async () => {
    const text = input.value.trim();
    if (!/^[1-9][0-9]{0,15}$/u.test(text)) throw new Refusal(input, gettext("Type a number from 1 on."));
    await send(input, () => call("POST", `${PATH}/${row.export}/restart`, { body: { from_number: Number(text) } }));
    toast(gettext("Entries are being sent again."));
    await renew();
  });
}

/** Send a test, and look until it is known what became of it. @param {DOMStringMap} row */
async function test(row) {
  let job = await call("POST", `${PATH}/${row.export}/test`);
  toast(gettext("A test is being sent."));
  for (let look = 0; look < LOOKS && (job.state === "queued" || job.state === "running"); look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    job = await call("GET", `/jobs/${job.id}`);
  }
  if (job.result?.is_taken) toast(gettext("The receiver has taken the test."));
  else if (job.result) toast(`${gettext("The receiver has not taken the test:")} ${job.result.failure}${job.result.status ? ` (${job.result.status})` : ""}`, { failed: true });
  else toast(gettext("It is not known yet what became of the test."), { failed: true });
  await renew();
}

/** @param {DOMStringMap} row @param {boolean} enabled */
async function switchTo(row, enabled) {
  await call("PATCH", `${PATH}/${row.export}`, { body: { enabled } });
  const back = () => void attempt(() => switchTo(row, !enabled));
  toast(enabled ? gettext("The export goes on from where it stopped.") : gettext("The export is paused."), { action: gettext("Undo"), run: back, undo: true });
  await renew();
}

/** @param {DOMStringMap} row */
async function remove(row) {
  const question = { title: gettext("Delete this export?"), text: gettext("The audit log is not sent there any more. The receiver keeps what it has."), accept: gettext("Delete"), danger: true };
  if (!(await confirmAction(question))) return;
  await call("DELETE", `${PATH}/${row.export}`);
  await renew();
}

/** @param {() => Promise<void>} run */
async function attempt(run) {
  try {
    await run();
  } catch (error) {
    toast(explain(error), { failed: true });
  }
}

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-siem]");
  if (!button) return;
  if (button.dataset.siem === "new") return edit(null);
  const row = closest(button, "[data-export]")?.dataset;
  if (!row) return;
  switch (button.dataset.siem) {
    case "edit":
      return edit(row);
    case "restart":
      return restart(row);
    case "test":
      return void attempt(() => test(row));
    case "pause":
      return void attempt(() => switchTo(row, false));
    case "resume":
      return void attempt(() => switchTo(row, true));
    case "delete":
      return void attempt(() => remove(row));
  }
});
