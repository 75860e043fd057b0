"""The operators' page of where bytes are kept: in which object store each tenant has what, and where its new files go."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.identity import api as identity
from apps.storage import api as storage
from bitvault.gateway import tenant_pages
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

PAGE = "/admin/placement/"


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show for each tenant, or for those whose slug has what was searched for, in which stores it has what."""
    page = tenant_pages.find_page(request)
    stores = storage.list_stores()
    rows = []
    for tenant in page:  # each tenant's bytes are named in a schema of its own
        with tenancy.entered(tenant):
            rows.append((tenant, storage.list_holdings(stores=stores)))
    context = tenant_pages.context_of(request, title=_("Where bytes are kept"), page=page, rows=rows, stores=stores)
    return render(request, "admin/placement/index.html", context)


@require_POST
def place(request: HttpRequest) -> HttpResponse:
    """Have a tenant's new files kept in a store; its audit log tells of it."""
    wanted = request.POST.get("q", "")
    back = HttpResponseRedirect(f"{PAGE}?{urlencode({'q': wanted})}" if wanted else PAGE)
    try:
        tenant = identity.find_tenant(tenant_id=UUID(request.POST["tenant_id"]))
        store_id = UUID(request.POST["store_id"]) if request.POST.get("store_id") else None
    except (KeyError, ValueError):
        tenant, store_id = None, None
    if tenant is None:
        messages.error(request, _("This tenant is suspended or gone."))
        return back
    try:
        with tenancy.entered(tenant):
            storage.place_tenant(store_id=store_id, operator_id=UUID(str(request.user.pk)))
    except BitVaultError as error:
        messages.error(request, error.detail)
        return back
    messages.success(
        request,
        _("New files of %(slug)s go there from now on; what is here stays where it is.") % {"slug": tenant.slug},
    )
    return back


urlpatterns = [
    path("", for_operators(overview, needs="storage.view_placement"), name="placement"),
    path("place", for_operators(place, needs="storage.change_placement")),
]
limit_all(urlpatterns)
