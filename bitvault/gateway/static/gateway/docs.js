/** The page of the REST surface: Swagger UI reads the OpenAPI document, and tries requests with the session of this browser. */

import { csrfToken } from "../js/api.js";
import { need } from "../js/dom.js";

const SAFE = new Set(["GET", "HEAD"]);

/** Requests to this origin carry what the session asks for; nothing is sent elsewhere. @param {{url: string, method: string, headers: Record<string, string>}} request */
function prove(request) {
  const isOurs = new URL(request.url, location.href).origin === location.origin;
  if (isOurs && !SAFE.has(request.method)) request.headers["X-CSRFToken"] = csrfToken();
  return request;
}

const place = need("#swagger", HTMLElement);
/** @type {any} */ (window).SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  filter: true,
  validatorUrl: null,
  requestInterceptor: prove,
});
