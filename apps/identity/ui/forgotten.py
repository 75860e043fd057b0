"""The way back in for somebody who has forgotten their password: asking for a code, and choosing another password by it."""

from collections.abc import Mapping
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from apps.identity import api
from apps.identity.errors import WeakPassword
from bitvault.kernel.errors import BitVaultError
from bitvault.web.address import client_address
from bitvault.web.limits.policies import RouteClass
from bitvault.web.pages import SIGN_IN, VisitorPage

FORGOT = "/forgot-password/"


class ForgotPassword(VisitorPage):
    """The form that asks for a code."""

    limit_class = RouteClass.SIGN_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it, or that a code is on its way if the address is known."""
        return self._show(request, None)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Send a code; the page that follows is the same, whoever exists."""
        try:
            api.ask_for_password_reset(email=request.POST.get("email", ""), address=client_address(request))
        except BitVaultError as error:
            return self._show(request, error)
        return HttpResponseRedirect(f"{FORGOT}?sent=1")

    def _show(self, request: HttpRequest, error: BitVaultError | None) -> HttpResponse:
        context = {"error": error, "sent": "sent" in request.GET, "email": request.POST.get("email", "")}
        return _render(request, "identity/forgot_password.html", context, error)


class ResetPassword(VisitorPage):
    """The form that takes the code and another password."""

    limit_class = RouteClass.SIGN_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it, with the code that the mail's link brings; looking uses nothing up."""
        return self._show(request, request.GET.get("code", ""), None)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Replace the password."""
        code = request.POST.get("code", "")
        try:
            api.reset_password(
                code=code, new_password=request.POST.get("new_password", ""), address=client_address(request)
            )
        except BitVaultError as error:
            return self._show(request, code, error)
        return HttpResponseRedirect(f"{SIGN_IN}?reset=1")

    def _show(self, request: HttpRequest, code: str, error: BitVaultError | None) -> HttpResponse:
        weak = isinstance(error, WeakPassword)
        context = {"code": code, "password_error": error if weak else None, "error": None if weak else error}
        return _render(request, "identity/reset_password.html", context, error)


def _render(
    request: HttpRequest, template: str, context: Mapping[str, object], error: BitVaultError | None
) -> HttpResponse:
    # The policy of all pages stays ("same-origin"): no other site is told the code in the address, and with "no-referrer" a browser would
    # send the form as from nowhere.
    return render(request, template, dict(context), status=error.status if error else HTTPStatus.OK)
