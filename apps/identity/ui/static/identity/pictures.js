/** Choosing and removing one's own picture, and the logo of the vault: the bytes go straight to the store, and come back drawn anew. */

import { call, explain, get } from "../js/api.js";
import { whileBusy } from "../js/busy.js";
import { announce, closest, icon, make, need } from "../js/dom.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";
import { hashOf } from "../files/uploads/hashing.js";
import { put } from "../files/uploads/put.js";
import { setPicture } from "./avatars.js";

const LIMIT_BYTES = 8 * 1024 * 1024;

/** @param {HTMLElement} row @param {string} text */
function showError(row, text) {
  const line = need('[data-role="error"]', HTMLElement, row);
  line.textContent = text;
  line.hidden = !text;
}

/** @param {File} file @param {string} path @returns {Promise<{url: string}>} */
async function send(file, path) {
  const upload = await call("POST", "/pictures/uploads", { body: { size_bytes: file.size, sha256: await hashOf(file) } });
  for (const part of upload.parts.filter((/** @type {any} */ one) => one.state === "send")) {
    await put(part, file, { signal: AbortSignal.timeout(120_000), onProgress: () => {} });
  }
  return call("PUT", path, { body: { upload_id: upload.id } });
}

/** Show what is true now, wherever it stands on this page. @param {HTMLElement} row @param {string} url empty: there is none */
function show(row, url) {
  need('[data-picture="remove"]', HTMLElement, row).hidden = !url;
  if (row.dataset.pictureOf === "own") return setPicture(row.dataset.person ?? "", url);
  // The logo stands in the frame as well.
  if (!url) {
    need(".avatar-logo", HTMLElement, row).textContent = /** @type {HTMLInputElement | null} */ (document.querySelector("#vault-name"))?.value.slice(0, 1) ?? "";
    for (const mark of document.querySelectorAll(".side-brand > .brand-logo, .frame-mark > .brand-logo")) mark.replaceWith(icon("mark", "mark"));
    return;
  }
  const address = `${url}?size=small`;
  need(".avatar-logo", HTMLElement, row).replaceChildren(make("img", { src: address, alt: "" }));
  for (const mark of document.querySelectorAll(".side-brand > .mark, .frame-mark > .mark, .side-brand > .brand-logo, .frame-mark > .brand-logo")) {
    mark.replaceWith(make("img", { class: "brand-logo", src: address, alt: "" }));
  }
}

/** @param {HTMLElement} row @param {File} file */
async function choose(row, file) {
  const button = need('[data-picture="choose"]', HTMLButtonElement, row);
  showError(row, "");
  if (file.size > LIMIT_BYTES) return showError(row, fill(gettext("This picture is larger than %(limit)s MiB. Choose a smaller one."), { limit: 8 }));
  if (!file.size) return showError(row, gettext("This file is empty. Choose a picture."));
  announce(gettext("The picture is being sent."));
  await whileBusy(button, async () => {
    try {
      const { url } = await send(file, row.dataset.path ?? "");
      show(row, url);
      toast(row.dataset.pictureOf === "own" ? gettext("Your picture is set.") : gettext("The logo is set."));
    } catch (error) {
      showError(row, explain(error));
    }
  });
  button.focus();
}

/** @param {HTMLElement} row @returns {Promise<string>} the id of the picture that is shown, empty where there is none */
async function find(row) {
  if (row.dataset.pictureOf === "logo") return (await get("/tenant")).logo_id ?? "";
  return (await get(`/pictures?user_ids=${row.dataset.person}`)).items[0]?.picture_id ?? "";
}

/** @param {HTMLElement} row */
async function remove(row) {
  showError(row, "");
  let id = "";
  try {
    id = await find(row);
    await call("DELETE", row.dataset.path ?? "");
  } catch (error) {
    return showError(row, explain(error));
  }
  need('[data-picture="choose"]', HTMLButtonElement, row).focus();
  show(row, "");
  const said = row.dataset.pictureOf === "own" ? gettext("Your picture is removed.") : gettext("The logo is removed.");
  toast(said, id ? { action: gettext("Undo"), undo: true, run: () => void bringBack(row, id) } : {});
}

/** @param {HTMLElement} row @param {string} id of the picture that was removed */
async function bringBack(row, id) {
  try {
    const { url } = await call("PUT", row.dataset.path ?? "", { body: { upload_id: id } });
    show(row, url);
    announce(row.dataset.pictureOf === "own" ? gettext("Your picture is set.") : gettext("The logo is set."));
  } catch (error) {
    showError(row, explain(error));
  }
}

document.addEventListener("click", (event) => {
  const button = closest(event.target, "[data-picture]");
  const row = closest(button, "[data-picture-of]");
  if (!button || !row) return;
  if (button.dataset.picture === "remove") return void remove(row);
  need("input[type=file]", HTMLInputElement, row).click();
});

document.addEventListener("change", (event) => {
  const input = event.target;
  const row = closest(input, "[data-picture-of]");
  if (!row || !(input instanceof HTMLInputElement) || input.type !== "file") return;
  const [file] = input.files ?? [];
  // Choosing the same file again is another choice.
  if (file) void choose(row, file).finally(() => (input.value = ""));
});
