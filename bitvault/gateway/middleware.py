"""What happens to every request before and after its view: an id, a tenant by host, a log line, figures."""

import contextvars
import functools
import re
import time
from collections.abc import Callable
from typing import Any

import structlog
from csp.constants import HEADER as POLICY_HEADER
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.core.exceptions import DisallowedHost
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin
from prometheus_client import Counter, Histogram

from apps.identity import api as identity
from apps.storage import api as storage
from bitvault.gateway import pages
from bitvault.kernel import db, errors, ids, tenancy
from bitvault.kernel.request import Origin, set_origin, set_request_id
from bitvault.web import problems
from bitvault.web.address import client_address, settle_host

Handler = Callable[[HttpRequest], HttpResponse]
View = Callable[..., HttpResponse]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

REQUESTS = Counter("bitvault_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "bitvault_request_seconds",
    "Time to answer a request",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)

REST_PREFIX = "/api/"

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that figures and logs name. Any word can stand in a request line, and each would make a figure of its own."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FIRST_REFUSAL = 400

_LENGTH_DIGITS = 19
"""No length has more: what is longer is not worth reading as a number."""

logger = structlog.get_logger("bitvault.request")


class RequestContext:
    """Run each request in a context of its own, so that nothing it sets reaches the next one on the same thread."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return contextvars.copy_context().run(self._answer, request)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(ids.new_id())
        set_request_id(request_id)
        set_origin(Origin(address=client_address(request)))
        db.latest_seq.set(None)
        started = time.perf_counter()
        response = self._get_response(request)
        seconds = time.perf_counter() - started
        response["X-Request-ID"] = request_id
        seq = db.latest_seq.get()
        # For mutations that were done: what a refused one has left behind, or a read has noted, is nothing to wait for.
        if seq is not None and request.method not in SAFE_METHODS and response.status_code < FIRST_REFUSAL:
            response["BitVault-Seq"] = str(seq)
        self._account(request, response, request_id, seconds)
        return response

    def _account(self, request: HttpRequest, response: HttpResponse, request_id: str, seconds: float) -> None:
        # The route, not the path: a path may hold names, and a query may hold a ticket. Neither belongs in a log.
        route = request.resolver_match.route if request.resolver_match else "-"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(route).observe(seconds)
        tenant = tenancy.find_current()
        logger.info(
            "request",
            method=method,
            route=route,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
            request_id=request_id,
            tenant=tenant.id.hex if tenant else None,
        )


class Body:
    """Refuse a body over 2 MB before anything reads it, on every route: the bytes of files travel straight to the object store.

    Django itself checks what it keeps in memory; the files of a form it would read to the end, however long. A body without a length is
    no body to WSGI, so that one is refused too instead of being lost.
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "Transfer-Encoding" in request.headers:
            return problems.render(problems.LengthRequired())
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isascii() or not length.isdecimal():
            return problems.render(errors.Malformed("Content-Length is a number of bytes."))
        if len(length) > _LENGTH_DIGITS or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return problems.render(errors.TooLarge("A request body may have at most 2 MB."))
        return self._get_response(request)


class HostChoice:
    """Choose, by host, which surface answers and for which tenant: a tenant's, the bare host's, the operators', or a plain address.

    A name that is none of these is 404 here, before anything else runs: behind this, ``request.get_host()`` can be believed. Django's own
    list (ALLOWED_HOSTS) only sees to it that the header is a host name at all.
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            host, _port = split_domain_port(request.get_host())
        except DisallowedHost:
            return pages.refuse_host(request)
        settle_host(request)
        host = host.strip("[]")
        if host == settings.BITVAULT_OPERATOR_HOST:
            request.urlconf = "bitvault.gateway.urls_operators"
        elif host == settings.BITVAULT_BASE_HOST or host in settings.BITVAULT_PLAIN_HOSTS:
            request.urlconf = "bitvault.gateway.urls_bare"
        else:
            try:
                tenant = identity.find_tenant_by_host(host=host)
            except DatabaseError as error:
                known = problems.find_known(error)
                if known is None:
                    raise
                return problems.render(known)
            if tenant is None:
                return pages.refuse_host(request)
            tenancy.enter(tenant)
        return self._get_response(request)


class ContentPolicy:
    """Send the content security policy with every answer.

    It is one text for all tenants whose bytes are in the installation's own store, and another for those that are placed elsewhere: their
    pages may ask these stores, too. The library's own middleware writes it anew each time, which was a tenth of what a request costs before
    its view begins (0.05 ms).
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response
        self._policy = build_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if POLICY_HEADER not in response.headers:
            tenant = tenancy.find_current()
            origins = () if tenant is None else storage.find_page_origins(tenant_id=tenant.id)
            response.headers[POLICY_HEADER] = _write_policy(origins) if origins else self._policy
        return response


@functools.lru_cache(maxsize=256)
def _write_policy(origins: tuple[str, ...]) -> str:
    """Write the policy for pages that ask these stores, too."""
    return build_policy(update={name: list(origins) for name in ("connect-src", "img-src", "media-src")})


class FormProof(CsrfViewMiddleware):
    """Ask forms for the proof that a page of ours sent them; where a form cannot be read now, say so."""

    def process_view(  # type: ignore[override] # the stubs know no answer but 403
        self, request: HttpRequest, callback: View, callback_args: tuple[Any, ...], callback_kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Look at the token in the form or the headers."""
        try:
            return super().process_view(request, callback, callback_args, callback_kwargs)
        except errors.Unavailable as error:
            return pages.refuse(request, error)


class _ForPages(MiddlewareMixin):
    """Leaves the REST surface alone: nothing there asks for what these find out (0.03 ms for both)."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(REST_PREFIX):
            return self.get_response(request)
        return super().__call__(request)


class Operators(_ForPages, AuthenticationMiddleware):
    """Tell Django admin which operator is signed in."""


class Messages(_ForPages, MessageMiddleware):
    """Keep what Django admin says after a change for the page that follows."""
