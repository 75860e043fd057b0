"""The operators' page of their SIEM export: how far each tenant's audit log is, what is wrong, and how it is paused or begun again."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.admin_platform import api as administration
from apps.identity import api as identity
from bitvault.gateway import tenant_pages
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

PAGE = "/admin/siem/"
NUMBER_LIMIT = 18
"""Digits of an entry's number."""


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show how far the log of each tenant is, or of those whose slug has what was searched for."""
    page = tenant_pages.find_page(request)
    rows = []
    for tenant in page:  # each tenant's export is in a schema of its own
        with tenancy.entered(tenant):
            rows.append((tenant, administration.find_siem_export_of_installation()))
    context = tenant_pages.context_of(
        request, title=_("SIEM export"), page=page, rows=rows, url=administration.find_siem_url()
    )
    return render(request, "admin/siem/index.html", context)


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Pause, let go on, begin again, or test; the tenant's audit log tells of all but a test."""
    wanted = request.POST.get("q", "")
    back = HttpResponseRedirect(f"{PAGE}?{urlencode({'q': wanted})}" if wanted else PAGE)
    tenant = identity.find_tenant(tenant_id=UUID(request.POST["tenant_id"]))
    if tenant is None:
        messages.error(request, _("This tenant is suspended or gone."))
        return back
    try:
        with tenancy.entered(tenant):
            said, is_good = _run(request.POST.get("act", ""), request.POST, UUID(str(request.user.pk)))
    except BitVaultError as error:
        messages.error(request, error.detail)
        return back
    (messages.success if is_good else messages.error)(request, said)
    return back


def _run(act: str, form: Any, operator_id: UUID) -> tuple[str, bool]:
    match act:
        case "pause" | "resume":
            administration.change_siem_export_of_installation(operator_id=operator_id, is_enabled=act == "resume")
            return (_("The export goes on.") if act == "resume" else _("The export is paused.")), True
        case "restart":
            number = form.get("from_number", "").strip()
            if not (number.isascii() and number.isdecimal() and int(number[:NUMBER_LIMIT]) > 0):
                return _("Type a number from 1 on."), False
            administration.restart_siem_export_of_installation(
                operator_id=operator_id, from_number=int(number[:NUMBER_LIMIT])
            )
            return _("Entries are being sent again."), True
        case "test":
            found = administration.test_siem_export_of_installation()
            if found.is_taken:
                return _("The receiver has taken the test."), True
            status = "" if found.status is None else f" {found.status}"
            said = _("The receiver has not taken the test: %(failure)s.")
            return said % {"failure": f"{found.failure}{status}"}, False
        case _:
            return _("There is no such action."), False


urlpatterns = [
    path("", for_operators(overview, needs="admin_platform.view_config"), name="siem"),
    path("act", for_operators(act, needs="admin_platform.change_config")),
]
limit_all(urlpatterns)
