"""The bare host: a new vault, the list of a person's vaults, and the way into one of them."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from apps.identity import api
from apps.identity.api import tenants
from apps.identity.errors import (
    InvalidCredentials,
    InvalidEmail,
    InvalidLabel,
    InvalidSlug,
    SignUpClosed,
    SlugTaken,
    WeakPassword,
)
from apps.identity.ui.doorway import VAULTS, begin, carry
from bitvault.kernel.errors import BitVaultError
from bitvault.web.address import client_address
from bitvault.web.limits.policies import RouteClass
from bitvault.web.pages import SIGN_IN, VisitorPage
from bitvault.web.viewer import initials

_FIELD_OF: dict[type[BitVaultError], str] = {
    InvalidSlug: "slug",
    SlugTaken: "slug",
    InvalidEmail: "email",
    InvalidCredentials: "password",
    WeakPassword: "password",
}


class SignUp(VisitorPage):
    """The form for a new vault."""

    limit_class = RouteClass.SIGN_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it, where the installation offers it."""
        if not tenants.is_sign_up_open():
            raise SignUpClosed
        return self._show(request, {}, None)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make the vault and its owner, and go there."""
        values = {name: request.POST.get(name, "") for name in ("name", "slug", "person_name", "email", "password")}
        try:
            made = api.sign_up(**values, address=client_address(request))
            begin(request, made.signed_in, None)
        except BitVaultError as error:
            return self._show(request, values, error)
        return HttpResponseRedirect(f"{VAULTS}?{urlencode({'open': made.tenant.id})}")

    def _show(self, request: HttpRequest, values: dict[str, str], error: BitVaultError | None) -> HttpResponse:
        base = urlsplit(settings.BITVAULT_BASE_URL)
        field = _find_field(error)
        context: dict[str, Any] = {
            "values": values,
            "suffix": f".{base.netloc}",
            "error": None if field else error,
            "errors": {field: error} if field else {},
        }
        return render(request, "identity/sign_up.html", context, status=error.status if error else HTTPStatus.OK)


def _find_field(error: BitVaultError | None) -> str | None:
    """Find the field that a refusal belongs to."""
    if isinstance(error, InvalidLabel):
        return str(error.facts["field"])
    return next((field for kind, field in _FIELD_OF.items() if isinstance(error, kind)), None)


class Vaults(VisitorPage):
    """The vaults of the person who is signed in at the bare host."""

    limit_class = RouteClass.READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """List them; the only one, or the one just made, is opened at once.

        Opened by the page, not by a redirect: a form may lead only to its own origin here (``form-action``), redirects included.
        """
        signed_in = api.find_signed_in(session=request.session)
        if signed_in is None:
            return HttpResponseRedirect(SIGN_IN)
        wanted = request.GET.get("open")
        chosen = [tenant for tenant in signed_in.tenants if str(tenant.id) == wanted]
        only = chosen or (list(signed_in.tenants) if len(signed_in.tenants) == 1 else [])
        vaults = [
            {
                "id": tenant.id,
                "name": tenant.name,
                "role": tenant.role.value,
                "host": urlsplit(tenant.url).netloc,
                "initials": initials(tenant.name, ""),
            }
            for tenant in signed_in.tenants
        ]
        context = {
            "vaults": vaults,
            "onward": only[0] if only and "stay" not in request.GET else None,
            "sign_up_open": tenants.is_sign_up_open(),
        }
        return render(request, "identity/vaults.html", context)


class OpenVault(VisitorPage):
    """The way from the bare host into a vault."""

    limit_class = RouteClass.READ

    def get(self, request: HttpRequest, tenant_id: UUID) -> HttpResponse:
        """Make a ticket and carry it to the vault's host."""
        signed_in = api.find_signed_in(session=request.session)
        if signed_in is None:
            return HttpResponseRedirect(SIGN_IN)
        return carry(api.issue_handover(signed_in=signed_in, tenant_id=tenant_id))
