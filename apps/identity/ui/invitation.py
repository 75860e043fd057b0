"""The page where somebody accepts an invitation, at the bare host: as somebody new, or as who they are here already.

The mail's link brings the code in its query. It is moved into a cookie at once, so that the page that is shown has no secret in its
address: nothing that the page loads or leads to is told it.
"""

from http import HTTPStatus

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from apps.identity import api
from apps.identity.dtos import OpenedInvitation, SignedIn
from apps.identity.errors import InvalidCredentials, InvalidInvitation, InvalidLabel, WeakPassword
from apps.identity.ui.doorway import VAULTS, begin
from bitvault.kernel.errors import BitVaultError
from bitvault.web.address import client_address
from bitvault.web.limits.policies import RouteClass
from bitvault.web.pages import VisitorPage

INVITATION = "/invitation/"

_SALT = "identity.invitation-code"


class Invitation(VisitorPage):
    """What somebody is invited to, and the form that accepts it."""

    limit_class = RouteClass.SIGN_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it; a code in the address goes into the cookie first."""
        code = request.GET.get("code")
        if code is not None:
            response = HttpResponseRedirect(INVITATION)
            response.set_cookie(value=signing.dumps(code[:64], salt=_SALT), **settings.BITVAULT_INVITATION_COOKIE)
            return response
        return self._show(request, None)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Accept it, and go where it leads."""
        try:
            accepted = self._accept(request)
            begin(request, accepted, None)
        except BitVaultError as error:
            return self._show(request, error)
        response = HttpResponseRedirect(f"{VAULTS}?open={accepted.tenants[0].id}")
        response.delete_cookie(settings.BITVAULT_INVITATION_COOKIE["key"])
        return response

    def _accept(self, request: HttpRequest) -> SignedIn:
        code, address = _read_code(request), client_address(request)
        signed_in = api.find_signed_in(session=request.session)
        if "password" not in request.POST and signed_in is not None:
            return api.accept_invitation_as_browser(code=code, signed_in=signed_in, address=address)
        return api.accept_invitation_by_password(
            code=code,
            name=request.POST.get("name", ""),
            password=request.POST.get("password", ""),
            address=address,
        )

    def _show(self, request: HttpRequest, error: BitVaultError | None) -> HttpResponse:
        invitation: OpenedInvitation | None = None
        try:
            invitation = api.open_invitation(code=_read_code(request), address=client_address(request))
        except BitVaultError as refusal:
            error = refusal
        signed_in = api.find_signed_in(session=request.session)
        context = {
            "invitation": invitation,
            "is_theirs": invitation is not None
            and signed_in is not None
            and api.has_address(signed_in=signed_in, email=invitation.email),
            "is_signed_in": signed_in is not None,
            "name": request.POST.get("name", ""),
            "error": error,
            "errors": {
                "name": error if isinstance(error, InvalidLabel) else None,
                "password": error if isinstance(error, WeakPassword | InvalidCredentials) else None,
            },
        }
        return render(request, "identity/invitation.html", context, status=error.status if error else HTTPStatus.OK)


def _read_code(request: HttpRequest) -> str:
    """Read the code from the cookie.

    :raises InvalidInvitation: there is none.
    """
    cookie = settings.BITVAULT_INVITATION_COOKIE
    try:
        return str(signing.loads(request.COOKIES.get(cookie["key"], ""), salt=_SALT, max_age=cookie["max_age"]))
    except signing.BadSignature as error:
        raise InvalidInvitation from error
