"""The outermost layer: refuses who is over a limit before anything else is done for them, and says in each answer how one stands.

Views count (``throttles``, ``pages.MemberPage``); this counts for views that do not, and, after the answer, what reached no view at all:
unknown hosts and paths, failed credentials. A credential that was let in by this process is known again by its hash, so one that is over
its limit or its share costs neither a query nor a line in the log. Knowing it gives no right: every request is authenticated as ever.
"""

import hashlib
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.html import escape
from django.utils.translation import gettext as _

from bitvault.kernel import ids
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import TooManyRequests
from bitvault.kernel.request import set_request_id
from bitvault.web import problems
from bitvault.web.limits import counting, policies, routes
from bitvault.web.limits.cells import Standing, cells
from bitvault.web.limits.fair_shares import Requester, find_fair_shares
from bitvault.web.limits.policies import TENANT, USER, Policy, find_policy

Handler = Callable[[HttpRequest], HttpResponse]

KNOWN_LIMIT = 10_000
"""Credentials that a process knows again; full, it forgets all: each costs one ordinary request to know anew."""

_FAILED = frozenset({400, 401, 404, 405})
"""Answers to a stranger that tell of guessing, crawling or a broken program."""

FAIR_SHARE = "fair-share"

_PAGE = '<!doctype html><html lang="en"><title>{title}</title><h1>{title}</h1><p>{detail}</p></html>'


class RequestLimits:
    """Keeps limits and shares, and tells of them in the fields of draft-ietf-httpapi-ratelimit-headers-10."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response
        self._known: dict[bytes, Requester] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not policies.switched_on() or request.path_info in settings.BITVAULT_UNLIMITED_PATHS:
            return self._get_response(request)
        credential = _find_credential(request)
        requester = self._known.get(credential) if credential else None
        if requester is None:
            standing = counting.judge_address(request)
            if standing is not None:
                return _refuse(request, standing)
            shares = find_fair_shares()
            with shares.stranger() if shares else nullcontext():
                response = self._get_response(request)
        else:
            refused = _judge(requester)
            if refused is not None:
                return _refuse(request, refused)
            response = self._share(request, requester)
        self._settle(request, response, credential)
        return response

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        """Count for views that do not count themselves."""
        if not policies.switched_on() or getattr(routes.find_view(view), "counts_itself", False):
            return None
        try:
            counting.count_stranger(request, routes.choose(routes.find_said(view), request.method))
        except TooManyRequests as error:
            return _show(request, error)
        return None

    def _share(self, request: HttpRequest, requester: Requester) -> HttpResponse:
        shares = find_fair_shares()
        if shares is None:
            return self._get_response(request)
        wait = shares.enter(requester)
        if wait:
            return _refuse(request, Standing(Policy(FAIR_SHARE, 1, 1), 0, wait, wait))
        begun = time.thread_time()
        try:
            return self._get_response(request)
        finally:
            shares.leave(requester, time.thread_time() - begun)

    def _settle(self, request: HttpRequest, response: HttpResponse, credential: bytes | None) -> None:
        actor = getattr(request, "actor", None)
        if isinstance(actor, Actor):
            if credential and credential not in self._known:
                self._remember(credential, actor)
        else:
            failed = response.status_code in _FAILED
            if failed and credential:
                self._known.pop(credential, None)
            if failed or not request.path_info.startswith(settings.STATIC_URL):
                counting.charge_stranger(request, failed=failed)
        _tell(request, response)

    def _remember(self, credential: bytes, actor: Actor) -> None:
        credential_id = actor.token_id or actor.session_id
        if credential_id is None:
            return
        if len(self._known) >= KNOWN_LIMIT:
            self._known.clear()
        self._known[credential] = Requester(actor.tenant.id, actor.user_id, credential_id)


def _find_credential(request: HttpRequest) -> bytes | None:
    """Find what the request shows to prove who asks, hashed; the header goes before the cookie, as in authentication."""
    text = request.META.get("HTTP_AUTHORIZATION")
    if text is None:
        if settings.SESSION_COOKIE_NAME not in request.META.get("HTTP_COOKIE", ""):
            return None
        text = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest() if text else None


def _judge(requester: Requester) -> Standing | None:
    """Tell whether a tenant, or a person by all credentials, has used up what they may ask; counts nothing."""
    wanted = []
    for name, whom in ((USER, requester.user_id), (TENANT, requester.tenant_id)):
        policy = find_policy(name, tenant_id=requester.tenant_id)
        if policy is not None:
            wanted.append((policy, (name, requester.tenant_id, whom)))
    return cells.judge(wanted)


def _refuse(request: HttpRequest, standing: Standing) -> HttpResponse:
    """Answer 429 from here: no context, no log line, no query; the figures count it."""
    request_id = str(ids.new_id())
    set_request_id(request_id)
    response = _show(request, counting.refusal(standing))
    response["X-Request-ID"] = request_id
    response["X-Content-Type-Options"] = "nosniff"
    request.standing, request.policies = standing, [standing.policy]  # type: ignore[attr-defined] # for the headers
    _tell(request, response)
    return response


def _show(request: HttpRequest, error: TooManyRequests) -> HttpResponse:
    """Show a refusal: a problem to programs, a plain page to people."""
    response = problems.render(error)
    if "text/html" in request.META.get("HTTP_ACCEPT", "") and not request.path_info.startswith("/api/"):
        title = escape(_("Too many requests"))
        response.content = _PAGE.format(title=title, detail=escape(error.detail)).encode()
        response["Content-Type"] = "text/html; charset=utf-8"
        # People are told at once.
        del response[problems.LATE]
    return response


def _tell(request: HttpRequest, response: HttpResponse) -> None:
    """Say which limits there are, and how one stands with the nearest."""
    standing: Standing | None = getattr(request, "standing", None)
    if standing is None:
        return
    name = standing.policy.name
    response["RateLimit-Policy"] = ", ".join([policy.text for policy in request.policies])  # type: ignore[attr-defined] # set with the standing
    response["RateLimit"] = f'"{name}";r={standing.remaining};t={standing.reset_seconds}'
    if standing.retry_after_seconds and response.status_code == TooManyRequests.status:
        response.headers.setdefault("Retry-After", str(standing.retry_after_seconds))
