"""The base of every page behind sign-in: who asks, where to send those who are nobody, and how a refusal looks to people."""

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
from bitvault.kernel.errors import BitVaultError
from bitvault.web import problems
from bitvault.web.limits import counting, policies, routes
from bitvault.web.limits.policies import RouteClass

HOME: str = settings.LOGIN_REDIRECT_URL
SIGN_IN: str = settings.LOGIN_URL


class PersonRequest(HttpRequest):
    """A request that somebody signed in makes."""

    actor: Actor


class Page(View):
    """A page for people. Needs somebody signed in; whoever is not is sent to sign in and comes back afterwards."""

    limit_class: ClassVar[RouteClass | None] = None
    counts_itself: ClassVar[bool] = True

    def find_actor(self, request: HttpRequest) -> Actor | None:
        """Find who is signed in; each module asks identity's door for itself."""
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, or send to sign-in, or show what was refused."""
        try:
            actor = self.find_actor(request)
            if actor is None:
                return to_sign_in(request)
            request.actor = actor  # type: ignore[attr-defined] # PersonRequest
            if policies.switched_on():
                counting.count_actor(request, actor, routes.choose(self.limit_class, request.method))
            response = super().dispatch(request, *args, **kwargs)
        except Exception as error:
            known = problems.find_known(error)
            if known is None:
                raise
            problems.note(request, known)
            return render_problem(request, known)
        response.setdefault("Cache-Control", "private, no-store")
        return response


def render_problem(request: HttpRequest, error: BitVaultError) -> HttpResponse:
    """Show a refusal as a page."""
    return render(request, "errors/problem.html", {"error": error}, status=error.status)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a browser to sign in, and remember where it was going; htmx is told to leave the page instead of filling a part of it."""
    wanted = request.headers.get("HX-Current-URL", "") if "HX-Request" in request.headers else request.get_full_path()
    parts = urlsplit(wanted)
    path = safe_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)
    target = SIGN_IN if path == HOME else f"{SIGN_IN}?{urlencode({'next': path})}"
    return HttpResponseClientRedirect(target) if "HX-Request" in request.headers else HttpResponseRedirect(target)


def safe_path(text: str | None) -> str:
    """Give back a path of this very host, and the home page for everything else: what stands in ``next`` was written by anybody."""
    if not text or not text.startswith("/") or not url_has_allowed_host_and_scheme(text, allowed_hosts=None):
        return HOME
    return text


def describe_viewer(*, user_id: UUID, name: str, email: str, email_proved: bool) -> dict[str, Any]:
    """Give what the frame around a page shows of who looks at it."""
    return {
        "id": user_id,
        "name": name or email,
        "email": email,
        "email_proved": email_proved,
        "initials": initials(name, email),
    }


def initials(name: str, email: str) -> str:
    """Give the one or two letters that stand for a person."""
    words = (name or email.partition("@")[0].replace(".", " ")).split()
    return "".join(word[0] for word in [words[0], *words[1:][-1:]]) if words else "?"
