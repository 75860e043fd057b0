"""The bases of pages: a member's, who is known or sent to sign in, and a visitor's; and how a refusal looks to people."""

from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django_htmx.http import HttpResponseClientRedirect

from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import BitVaultError, Unavailable
from bitvault.kernel.permissions import Permission
from bitvault.web import guests, problems
from bitvault.web.languages import use_language_of
from bitvault.web.limits import counting, policies, routes
from bitvault.web.limits.policies import RouteClass
from bitvault.web.viewer import Viewer, find_viewer

HOME: str = settings.LOGIN_REDIRECT_URL
GUEST_HOME: str = settings.BITVAULT_GUEST_HOME
"""Where guests begin, who have no files of their own."""
SIGN_IN: str = settings.LOGIN_URL

IDS_LIMIT = 100
"""Ids that one question of a page names: two screens of a list."""


class PersonRequest(HttpRequest):
    """A request that somebody signed in makes."""

    actor: Actor
    viewer: Viewer


class MemberPage(View):
    """A page for members. Whoever is not signed in is sent to sign in and comes back afterwards.

    Templates extend ``shell.html``, which knows the viewer and shows ``section`` as where the page belongs.
    """

    section: ClassVar[str] = ""
    permissions: ClassVar[tuple[Permission, ...]] = ()
    """Of which the reader's role needs one; none: the page is no administration."""
    limit_class: ClassVar[RouteClass | None] = None
    counts_itself: ClassVar[bool] = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, or send to sign-in, or show what was refused."""
        try:
            viewer = find_viewer(request)
            if viewer is None:
                return to_sign_in(request)
            request.actor = viewer.actor  # type: ignore[attr-defined] # PersonRequest
            request.viewer = viewer  # type: ignore[attr-defined] # PersonRequest
            use_language_of(viewer)
            request.section = self.section  # type: ignore[attr-defined] # read by the frame
            if policies.switched_on():
                counting.count_actor(request, viewer.actor, routes.choose(self.limit_class, request.method))
            if viewer.actor.is_guest and request.path == HOME:
                return HttpResponseRedirect(GUEST_HOME)
            guests.require_open(request, viewer.actor)
            if self.permissions:
                viewer.actor.require_permission(*self.permissions)
            response = super().dispatch(request, *args, **kwargs)
        except Exception as error:
            known = problems.find_known(error)
            if known is None:
                raise
            problems.note(request, known)
            return render_problem(request, known)
        response.setdefault("Cache-Control", "private, no-store")
        return response


class VisitorPage(View):
    """A page for whoever has its address: sign-in, invitations, public links. Templates extend ``plain.html``.

    Requests are counted by address in the class ``limit_class``.
    """

    limit_class: ClassVar[RouteClass] = RouteClass.READ

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, or show what was refused; nothing of it is kept by a cache."""
        try:
            response = super().dispatch(request, *args, **kwargs)
        except Exception as error:
            known = problems.find_known(error)
            if known is None or isinstance(known, Unavailable):
                raise
            problems.note(request, known)
            response = render_problem(request, known)
        response.setdefault("Cache-Control", "no-store")
        return response


class ToSignIn:
    """An answer to somebody who is nobody: the audit log is told when they were somebody before."""


class ToSignInFromPage(ToSignIn, HttpResponseRedirect):
    """The answer to a browser that asked for a page."""


class ToSignInFromPart(ToSignIn, HttpResponseClientRedirect):
    """The answer to htmx, which asked for a part of one."""


def render_problem(request: HttpRequest, error: BitVaultError) -> HttpResponse:
    """Show a refusal as a page."""
    return render(request, "errors/problem.html", {"error": error}, status=error.status)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a browser to sign in, and remember where it was going; htmx is told to leave the page instead of filling a part of it."""
    wanted = request.headers.get("HX-Current-URL", "") if "HX-Request" in request.headers else request.get_full_path()
    parts = urlsplit(wanted)
    path = safe_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)
    target = SIGN_IN if path == HOME else f"{SIGN_IN}?{urlencode({'next': path})}"
    return ToSignInFromPart(target) if "HX-Request" in request.headers else ToSignInFromPage(target)


def safe_path(text: str | None) -> str:
    """Give back a path of this very host, and the home page for everything else: what stands in ``next`` was written by anybody."""
    if not text or not text.startswith("/") or not url_has_allowed_host_and_scheme(text, allowed_hosts=None):
        return HOME
    return text


def read_ids(request: HttpRequest) -> list[UUID]:
    """Read the ids of a question of a page (``ids=<uuid>,…``), each once; at most a hundred are taken, and what is none is passed over."""
    found: dict[UUID, None] = {}
    for text in request.GET.get("ids", "").split(",")[:IDS_LIMIT]:
        with suppress(ValueError):
            found[UUID(text)] = None
    return list(found)
