"""The page where somebody who has signed up proves that their address is theirs."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from apps.identity import api
from apps.identity.errors import EmailProved
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import BitVaultError
from bitvault.web.address import client_address
from bitvault.web.limits.policies import RouteClass
from bitvault.web.pages import Page, PersonRequest

VERIFY = "/verify-email/"


class VerifyEmail(Page):
    """The code of the mail, and the way to another one."""

    limit_class = RouteClass.SIGN_IN

    def find_actor(self, request: HttpRequest) -> Actor | None:
        """Ask who is signed in at this host."""
        return api.find_actor_by_session(
            session=request.session, tenant=tenancy.current(), address=client_address(request)
        )

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
        context = {"user": api.get_profile(actor=request.actor).user, "error": error, "sent": "sent" in request.GET}
        return render(request, "identity/verify_email.html", context, status=error.status if error else HTTPStatus.OK)
