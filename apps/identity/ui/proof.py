"""The page where somebody who has signed up proves that their address is theirs."""

from http import HTTPStatus

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from apps.identity import api
from apps.identity.errors import EmailProved
from bitvault.kernel.errors import BitVaultError
from bitvault.web.limits.policies import RouteClass
from bitvault.web.pages import MemberPage, PersonRequest

VERIFY = "/verify-email/"


class VerifyEmail(MemberPage):
    """The code of the mail, and the way to another one."""

    limit_class = RouteClass.SIGN_IN

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show the form, or that there is nothing left to do."""
        return self._show(request, None)

    def post(self, request: PersonRequest) -> HttpResponse:
        """Take the code, or send another one."""
        try:
            if "send" in request.POST:
                api.send_email_code(actor=request.actor)
                return HttpResponseRedirect(f"{VERIFY}?sent=1")
            api.prove_email(actor=request.actor, code=request.POST.get("code", ""))
        except EmailProved:
            return HttpResponseRedirect(VERIFY)
        except BitVaultError as error:
            return self._show(request, error)
        return HttpResponseRedirect(VERIFY)

    def _show(self, request: PersonRequest, error: BitVaultError | None) -> HttpResponse:
        context = {"error": error, "sent": "sent" in request.GET}
        return render(request, "identity/verify_email.html", context, status=error.status if error else HTTPStatus.OK)
