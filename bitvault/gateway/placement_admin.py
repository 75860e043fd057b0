"""The operators' pages of where bytes are kept: in which object store a tenant has what, where its new files go, and its moves."""

from uuid import UUID

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.identity import api as identity
from apps.storage import api as storage
from apps.storage.dtos import StoreFacts
from bitvault.gateway import tenant_pages
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError
from bitvault.kernel.tenancy import Tenant
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

PAGE = "/admin/placement/"
OWN = "own"
"""What forms name the installation's own store by."""


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


@require_GET
def detail(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    """Show what a tenant has where, its move, and what another one would bring to the store that is chosen; nothing is changed."""
    tenant = _find(tenant_id)
    stores = storage.list_stores()
    chosen = next((store for store in stores if _name_of(store) == request.GET.get("to")), None)
    with tenancy.entered(tenant):
        holdings = storage.list_holdings(stores=stores)
        context = {
            **admin.site.each_context(request),
            "title": _("Where bytes are kept: %(slug)s") % {"slug": tenant.slug},
            "tenant": tenant,
            "holdings": holdings,
            "stores": [(_name_of(store), store) for store in stores],
            "chosen": chosen,
            "chosen_name": None if chosen is None else _name_of(chosen),
            "plan": None if chosen is None else storage.plan_move(store_id=chosen.id),
            "move": storage.find_move(),
            "kept": storage.measure_kept(),
        }
    return render(request, "admin/placement/tenant.html", context)


@require_POST
def move(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    """Begin to move a tenant's objects to a store, or cancel it; its audit log tells of it."""
    tenant, by = _find(tenant_id), UUID(str(request.user.pk))
    chosen = next((store for store in storage.list_stores() if _name_of(store) == request.POST.get("to")), None)
    try:
        with tenancy.entered(tenant):
            if request.POST.get("act") == "cancel":
                storage.cancel_move(operator_id=by)
                messages.success(request, _("The move was canceled. What it had copied is deleted."))
            elif chosen is None:
                messages.error(request, _("Choose a store."))
            else:
                storage.start_move(store_id=chosen.id, operator_id=by)
                messages.success(request, _("The move has begun. This page shows how far it is."))
    except BitVaultError as error:
        messages.error(request, error.detail)
    return HttpResponseRedirect(reverse("placement-of-tenant", args=[tenant_id]))


def _name_of(store: StoreFacts) -> str:
    return OWN if store.id is None else str(store.id)


def _find(tenant_id: UUID) -> Tenant:
    tenant = identity.find_tenant(tenant_id=tenant_id)
    if tenant is None:
        raise Http404
    return tenant


urlpatterns = [
    path("", for_operators(overview, needs="storage.view_placement"), name="placement"),
    path("place", for_operators(place, needs="storage.change_placement")),
    path("<uuid:tenant_id>/", for_operators(detail, needs="storage.view_placement"), name="placement-of-tenant"),
    path("<uuid:tenant_id>/move", for_operators(move, needs="storage.change_placement")),
]
limit_all(urlpatterns)
