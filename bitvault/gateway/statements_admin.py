"""The operators' page of statements: what each tenant's last months came to. Operators see amounts and figures, and no names of files."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.billing import api as billing
from apps.billing.errors import StatementUnknown
from apps.identity import api as identity
from bitvault.gateway import tenant_pages
from bitvault.kernel import tenancy
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

SHOWN = 3
"""Statements of each tenant; a search that finds one tenant shows all of two years."""

SHOWN_ALONE = 24


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show the last statements of each tenant, or of those whose slug has what was searched for."""
    page = tenant_pages.find_page(request)
    limit = SHOWN_ALONE if page.paginator.count == 1 else SHOWN
    rows = []
    for tenant in page:  # each tenant's statements are in a schema of its own
        with tenancy.entered(tenant):
            rows.append((tenant, billing.list_statements_for_operators(limit=limit)))
    context = tenant_pages.context_of(request, title=_("Statements of tenants"), page=page, rows=rows)
    return render(request, "admin/statements/index.html", context)


@require_GET
def as_pdf(request: HttpRequest, tenant_id: UUID, month: str) -> HttpResponse:
    """Send a tenant's statement as PDF."""
    tenant = identity.find_tenant(tenant_id=tenant_id)
    if tenant is None:
        raise Http404
    try:
        with tenancy.entered(tenant):
            content = billing.write_statement(actor=None, month=month, form="pdf")
    except StatementUnknown as error:
        raise Http404 from error
    name = f"{tenant.slug}-{month}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)


urlpatterns = [
    path("", for_operators(overview, needs="billing.view_plan"), name="statements"),
    path("<uuid:tenant_id>/<str:month>.pdf", for_operators(as_pdf, needs="billing.view_plan")),
]
limit_all(urlpatterns)
