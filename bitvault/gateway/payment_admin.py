"""The operators' page of payment: what the provider knows of each tenant, what it has said, and what to do where something went wrong."""

import re
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.billing.api import paying
from apps.identity import api as identity
from bitvault.gateway import tenant_pages
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError, Invalid
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

PAGE = "/admin/payment/"

SHOWN = 50
"""Notices of the list."""

_MONTH = re.compile(r"2[0-9]{3}-(?:0[1-9]|1[0-2])")

STATES = ("waiting", "failed", "done", "ignored")


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show the account of each tenant, or of those whose slug has what was searched for."""
    page = tenant_pages.find_page(request)
    accounts = paying.list_payment_accounts(tenant_ids=[tenant.id for tenant in page])
    rows = []
    for tenant in page:
        account = accounts.get(tenant.id)
        with tenancy.entered(tenant):  # reports are in a schema of the tenant's own
            doubtful = paying.list_doubtful_reports() if account else []
        rows.append((tenant, account, doubtful))
    context = tenant_pages.context_of(request, title=_("Payment"), page=page, rows=rows, is_on=paying.is_payment_on())
    return render(request, "admin/payment/index.html", context)


@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """Show the provider's last notices."""
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    found = paying.list_payment_notices(state=state, limit=SHOWN)
    slugs = {tenant.id: tenant.slug for tenant in identity.list_tenants()}
    rows = [(notice, slugs.get(notice.tenant_id, "") if notice.tenant_id else "") for notice in found]
    context = {
        **tenant_pages.context_of(request, title=_("Notices of the payment service"), page=_NO_PAGE),
        "rows": rows,
        "state": state,
        "states": STATES,
    }
    return render(request, "admin/payment/notices.html", context)


_NO_PAGE: Any = None


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Ask how a tenant's subscription stands, or settle a report of usage that was in doubt."""
    wanted = request.POST.get("q", "")
    back = HttpResponseRedirect(f"{PAGE}?{urlencode({'q': wanted})}" if wanted else PAGE)
    tenant = identity.find_tenant(tenant_id=UUID(request.POST["tenant_id"]))
    if tenant is None:
        messages.error(request, _("This tenant is suspended or gone."))
        return back
    try:
        with tenancy.entered(tenant):
            said = _run(request.POST)
    except BitVaultError as error:
        messages.error(request, error.detail)
        return back
    messages.success(request, said)
    return back


def _run(form: Any) -> str:
    if form.get("act") == "refresh":
        paying.refresh_payment()
        return _("It is being asked for.")
    month = _MONTH.fullmatch(form.get("month", ""))
    if month is None:
        raise Invalid
    paying.settle_doubtful_report(
        month=date.fromisoformat(f"{month[0]}-01"),
        metric=form.get("metric", ""),
        has_arrived=form.get("act") == "arrived",
    )
    return _("The report is settled.")


@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """Have it asked again what a notice was about."""
    back = HttpResponseRedirect(f"{PAGE}notices/")
    try:
        paying.retry_payment_notice(notice_id=request.POST.get("notice_id", ""))
    except BitVaultError:
        messages.error(request, _("The notice is about nobody who is here."))
        return back
    messages.success(request, _("It is being asked for."))
    return back


urlpatterns = [
    path("", for_operators(overview, needs="billing.view_plan"), name="payment"),
    path("act", for_operators(act, needs="billing.change_plan")),
    path("notices/", for_operators(notices, needs="billing.view_plan")),
    path("notices/retry", for_operators(retry, needs="billing.change_plan")),
]
limit_all(urlpatterns)
