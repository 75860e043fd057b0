/** Repeats what failed for a passing reason: exponential waits with full jitter, the server's Retry-After first. */

import { NetworkDown, Problem } from "./api.js";

/** First wait; doubled each time. Half a second hides a dropped packet without hammering a struggling server. */
const FIRST_MS = 500;
/** The longest wait between two tries. */
const LONGEST_MS = 30_000;
/** Tries before giving up: with the waits above about a minute and a half, longer than a restart of the server takes. */
const TRIES = 9;

/**
 * Wait, unless the signal says stop; coming back online ends the wait early.
 *
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      cleanUp();
      reject(new DOMException("Stopped", "AbortError"));
    };
    const wake = () => {
      clearTimeout(timer);
      cleanUp();
      resolve();
    };
    const cleanUp = () => {
      signal?.removeEventListener("abort", stop);
      removeEventListener("online", wake);
    };
    const timer = setTimeout(wake, ms);
    if (signal?.aborted) return stop();
    signal?.addEventListener("abort", stop);
    addEventListener("online", wake);
  });
}

/** @param {unknown} error @returns {boolean} */
export const isPassing = (error) => (error instanceof Problem || error instanceof NetworkDown) && error.passing;

/** @param {number} attempt from 0 @param {unknown} [error] @returns {number} milliseconds to wait */
export function waitFor(attempt, error) {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  const asked = error instanceof Problem ? (error.retryAfterMs ?? 0) : 0;
  return asked + Math.random() * ceiling;
}

/**
 * Run something until it works, fails for good, or has failed too often.
 *
 * @template T
 * @param {() => Promise<T>} act
 * @param {{signal?: AbortSignal, tries?: number, onWait?: (error: unknown) => void, onGo?: () => void}} [options]
 * @returns {Promise<T>}
 */
export async function persist(act, { signal, tries = TRIES, onWait, onGo } = {}) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const result = await act();
      if (attempt > 0) onGo?.();
      return result;
    } catch (error) {
      // Told to wait is not failed: the server lives, and says when to go on.
      const allowed = error instanceof Problem && error.status === 429 ? Math.max(tries, TRIES) : tries;
      if (!isPassing(error) || attempt + 1 >= allowed) throw error;
      onWait?.(error);
      await pause(waitFor(attempt, error), signal);
    }
  }
}
