/** Follows a job of the server's, and tells how far it is. */

import { call, explain, get } from "../../js/api.js";
import { persist } from "../../js/backoff.js";
import { toast } from "../../js/toast.js";
import { gettext } from "../../js/i18n.js";

/** @typedef {{id: string, state: string, done_count: number, total_count: number | null, result: any, problem: {detail: string} | null}} Job */

/** Between two looks at a job that takes long; the first one comes sooner. */
const LOOK_MS = 2500;
const FIRST_LOOK_MS = 500;

/**
 * Wait for a job; meanwhile a message says how far it is and offers to cancel it.
 *
 * @param {Job} begun
 * @param {(job: Job) => string} words how far it is
 * @returns {Promise<any>} its result, or null where it came to nothing: then the person was told why, unless they have canceled it
 */
export async function follow(begun, words) {
  let close = () => {};
  let wait = FIRST_LOOK_MS;
  try {
    for (let job = begun; ; ) {
      if (job.state === "done") return job.result;
      if (job.state === "canceled") return null;
      if (job.state === "failed") throw new Error(job.problem?.detail);
      close();
      close = toast(words(job), { action: gettext("Cancel"), run: () => void call("DELETE", `/jobs/${begun.id}`).catch(() => undefined) });
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = LOOK_MS;
      job = await persist(() => get(`/jobs/${begun.id}`));
    }
  } catch (error) {
    toast(error instanceof Error && error.constructor === Error && error.message ? error.message : explain(error), { failed: true });
    return null;
  } finally {
    close();
  }
}
