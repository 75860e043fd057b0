"""Coming in and going out: the sign-in form (at a tenant's host and at the bare one), the ticket between the two, sign-out."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render

from apps.identity import api
from apps.identity.api import tenants
from apps.identity.dtos import Handover, SignedIn
from apps.identity.errors import InvalidHandover
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError, Unauthenticated
from bitvault.kernel.tenancy import Tenant
from bitvault.web.address import client_address
from bitvault.web.limits.policies import RouteClass
from bitvault.web.pages import SIGN_IN, VisitorPage, safe_path
from bitvault.web.viewer import find_viewer

VAULTS = "/vaults/"


def begin(request: HttpRequest, signed_in: SignedIn, tenant: Tenant | None, *, is_new_browser: bool = False) -> None:
    """Start a session in this browser, with a fresh CSRF token."""
    api.start_session(
        session=request.session,
        signed_in=signed_in,
        tenant=tenant,
        address=client_address(request),
        agent=request.headers.get("User-Agent", ""),
        is_new_browser=is_new_browser,
    )
    rotate_token(request)


def is_signed_in(request: HttpRequest) -> bool:
    """Tell whether this browser is signed in at this host."""
    tenant = tenancy.find_current()
    if tenant is None:
        return api.find_signed_in(session=request.session) is not None
    return find_viewer(request) is not None


class SignIn(VisitorPage):
    """The sign-in form."""

    limit_class = RouteClass.SIGN_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it, unless somebody is signed in already."""
        if is_signed_in(request):
            return HttpResponseRedirect(self._onward(request.GET.get("next")))
        return show_sign_in(request, following=request.GET.get("next"))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Try the password; a failure comes back with the form, and tells nobody whether the account exists."""
        tenant = tenancy.find_current()
        email = request.POST.get("email", "")
        following = request.POST.get("next")
        known_browser = settings.BITVAULT_KNOWN_BROWSER_COOKIE
        cookie = request.COOKIES.get(known_browser["key"], "")
        browser = api.find_known_browser(cookie=cookie, email=email)
        try:
            signed_in = api.sign_in(
                email=email,
                password=request.POST.get("password", ""),
                tenant=tenant,
                address=client_address(request),
                browser=browser,
            )
            begin(request, signed_in, tenant, is_new_browser=browser is None)
        except BitVaultError as error:
            return show_sign_in(request, following=following, email=email, error=error)
        response = HttpResponseRedirect(self._onward(following))
        # Who only claims an address has proved nothing of whose it is: the browser stays a stranger's.
        if signed_in.email_proved:
            response.set_cookie(value=api.remember_browser(cookie=cookie, email=email), **known_browser)
        return response

    def _onward(self, following: str | None) -> str:
        return safe_path(following) if tenancy.find_current() else VAULTS


class SignOut(VisitorPage):
    """The way out."""

    limit_class = RouteClass.WRITE

    def post(self, request: HttpRequest) -> HttpResponse:
        """End this browser's session at this host."""
        api.sign_out(session=request.session)
        return HttpResponseRedirect(f"{SIGN_IN}?left=1")


class Enter(VisitorPage):
    """Where somebody arrives from another host of this installation, carried by a ticket."""

    limit_class = RouteClass.SIGN_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        """Take the ticket and start a session; a spent one still lets in who is in already (the browser's way back).

        Only this installation's hosts send people here: a vault takes them from the bare host, the bare host from vaults. A link with a
        ticket on anybody's page would sign the visitor in as whoever had the ticket made, and what they bring afterwards would be
        brought to that account.
        """
        tenant = tenancy.find_current()
        try:
            if not (comes_from_bare_host(request) if tenant else comes_from_vault(request)):
                raise InvalidHandover
            begin(request, api.redeem_handover(ticket=request.GET.get("ticket", ""), tenant=tenant), tenant)
        except BitVaultError as error:
            if not is_signed_in(request):
                return show_sign_in(request, error=error)
        return HttpResponseRedirect(safe_path(None) if tenant else f"{VAULTS}?stay=1")


class LeaveForStart(VisitorPage):
    """The way from a vault to the bare host, which lists the other vaults of the person: no password is asked for again."""

    limit_class = RouteClass.READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Make a ticket and carry it to the bare host."""
        try:
            carried = api.issue_handover_to_start(session=request.session, tenant=tenancy.current())
        except Unauthenticated:
            return HttpResponseRedirect(SIGN_IN)
        return carry(carried)


def carry(handover: Handover) -> HttpResponse:
    """Send a browser with its ticket to the host that it is for."""
    response = HttpResponseRedirect(f"{handover.tenant_url}/enter/?{urlencode({'ticket': handover.ticket})}")
    # The other host lets in only whom a host of this installation sends; the path stays untold.
    response["Referrer-Policy"] = "origin"
    return response


def comes_from_bare_host(request: HttpRequest) -> bool:
    """Tell whether a page of the bare host led here; its answer asks the browser to say so (``Referrer-Policy: origin``)."""
    return _referring_host(request) in (settings.BITVAULT_BASE_HOST, *settings.BITVAULT_PLAIN_HOSTS)


def comes_from_vault(request: HttpRequest) -> bool:
    """Tell whether a page of a vault led here. Links in what people write name no origin (``Referrer-Policy: same-origin``)."""
    host = _referring_host(request)
    return host is not None and api.find_tenant_by_host(host=host) is not None


def _referring_host(request: HttpRequest) -> str | None:
    try:
        return urlsplit(request.headers.get("Referer", "")).hostname
    except ValueError:
        return None


def show_sign_in(
    request: HttpRequest, *, following: str | None = None, email: str = "", error: BitVaultError | None = None
) -> HttpResponse:
    """Show the form, with what went wrong."""
    context: dict[str, Any] = {
        "email": email,
        "error": error,
        "next": safe_path(following) if following else "",
        "left": "left" in request.GET,
        "reset": "reset" in request.GET,
        "sign_up_open": tenants.is_sign_up_open(),
    }
    return render(request, "identity/sign_in.html", context, status=error.status if error else HTTPStatus.OK)
