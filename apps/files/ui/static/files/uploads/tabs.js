/**
 * Which tabs are open. Each holds a Web Lock of its name, which the browser lets go of when the tab ends, crash or not. Pages of plain
 * http have no Web Locks; there a tab answers when it is asked for.
 */

/** How long another tab may take to answer. */
const ANSWER_MS = 400;

/** The name of this tab. */
export const tab = crypto.getRandomValues(new Uint32Array(2)).join("-");

const lockOf = (/** @type {string} */ name) => `bitvault-tab-${name}`;

/** Settled once this tab can be seen by the others. */
const seen = new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
  if (!navigator.locks) return resolve();
  // Held until the tab goes.
  navigator.locks.request(lockOf(tab), () => {
    resolve();
    return new Promise(() => {});
  });
});

const channel = navigator.locks ? null : new BroadcastChannel("bitvault-tabs");
channel?.addEventListener("message", ({ data }) => {
  if (data.who === tab) channel.postMessage({ here: tab });
});

/** @param {string} name @returns {Promise<boolean>} whether that tab is open */
export async function isAlive(name) {
  await seen;
  if (!channel) {
    const { held = [] } = await navigator.locks.query();
    return held.some((lock) => lock.name === lockOf(name));
  }
  return new Promise((resolve) => {
    const timer = setTimeout(() => end(false), ANSWER_MS);
    const hear = (/** @type {MessageEvent} */ { data }) => data.here === name && end(true);
    const end = (/** @type {boolean} */ alive) => {
      clearTimeout(timer);
      channel.removeEventListener("message", hear);
      resolve(alive);
    };
    channel.addEventListener("message", hear);
    channel.postMessage({ who: name });
  });
}
