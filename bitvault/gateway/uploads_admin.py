"""The operators' view of uploads in flight: which tenants have some, who sends what and how far it is, and how one is ended."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.identity import api as identity
from apps.storage import api as storage
from apps.storage.dtos import UploadInFlight
from bitvault.gateway import tenant_pages, uploads
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError
from bitvault.kernel.tenancy import Tenant
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

PAGE_LENGTH = 20
"""Uploads of a page: the store is asked about each."""


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show how much is on its way to each tenant, or to those whose slug has what was searched for."""
    page = tenant_pages.find_page(request)
    rows = []
    for tenant in page:  # each tenant's uploads are in a schema of its own
        with tenancy.entered(tenant):
            rows.append((tenant, storage.sum_up_in_flight()))
    context = tenant_pages.context_of(request, title=_("Uploads in flight"), page=page, rows=rows)
    return render(request, "admin/uploads/index.html", context)


class _Listed(Sequence[UploadInFlight]):
    """The uploads of the entered tenant as a paginator takes them: counted once, and read page by page."""

    def __len__(self) -> int:
        return storage.sum_up_in_flight().count

    def __getitem__(self, rows: Any) -> Any:
        return storage.list_in_flight(offset=rows.start, limit=rows.stop - rows.start)


@require_GET
def detail(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    """Show the uploads of one tenant, oldest first."""
    tenant = _find(tenant_id)
    with tenancy.entered(tenant):
        page = Paginator(_Listed(), PAGE_LENGTH).get_page(request.GET.get("p"))
        found = list(page)
        names = identity.name_people(tenant=tenant, user_ids={one.user_id for one in found})
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Uploads in flight: %(name)s") % {"name": tenant.slug},
        "tenant": tenant,
        "rows": [(one, names.get(one.user_id, "")) for one in found],
        "page": page,
    }
    return render(request, "admin/uploads/tenant.html", context)


@require_POST
def cancel(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    """End an upload and give its room back; that stands in the tenant's audit log."""
    tenant = _find(tenant_id)
    try:
        with tenancy.entered(tenant):
            uploads.cancel(upload_id=UUID(request.POST["upload_id"]), operator_id=UUID(str(request.user.pk)))
        messages.success(request, _("The upload was canceled, and its room given back."))
    except BitVaultError as error:
        messages.error(request, error.detail)
    return HttpResponseRedirect(reverse("uploads-of-tenant", args=[tenant_id]))


def _find(tenant_id: UUID) -> Tenant:
    tenant = identity.find_tenant(tenant_id=tenant_id)
    if tenant is None:
        raise Http404
    return tenant


urlpatterns = [
    path("", for_operators(overview, needs="storage.view_sweep"), name="uploads-in-flight"),
    path("<uuid:tenant_id>/", for_operators(detail, needs="storage.view_sweep"), name="uploads-of-tenant"),
    path("<uuid:tenant_id>/cancel", for_operators(cancel, needs="storage.change_sweep")),
]
limit_all(urlpatterns)
