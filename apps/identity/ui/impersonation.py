"""How support comes into a vault and leaves it: the code from the operators' host is exchanged here, and a button ends it."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render

from apps.identity.api import impersonation as api
from apps.identity.errors import InvalidHandover
from bitvault.kernel import tenancy
from bitvault.web.address import client_address
from bitvault.web.limits.policies import RouteClass
from bitvault.web.pages import HOME, VisitorPage


class Enter(VisitorPage):
    """Where an operator arrives from the operators' host, carried by a code."""

    limit_class = RouteClass.SIGN_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        """Take the code and start a session that ends by itself. Only the operators' host sends people here (see ``doorway.Enter``)."""
        if _find_referrer(request) != settings.BITVAULT_OPERATOR_HOST:
            raise InvalidHandover
        api.redeem_impersonation(
            code=request.GET.get("code", ""),
            tenant=tenancy.current(),
            session=request.session,
            address=client_address(request),
        )
        rotate_token(request)
        return HttpResponseRedirect(HOME)


class End(VisitorPage):
    """The button on every page that support sees."""

    limit_class = RouteClass.WRITE

    def post(self, request: HttpRequest) -> HttpResponse:
        """End what this browser's session belongs to; without one, what the page says is true already."""
        if api.end_impersonation(session=request.session, tenant=tenancy.current()):
            request.session.flush()
        return render(request, "identity/impersonation_ended.html")


def _find_referrer(request: HttpRequest) -> str | None:
    try:
        return urlsplit(request.headers.get("Referer", "")).hostname
    except ValueError:
        return None
