"""The operators' view of search: how far each tenant's index is, and why the text inside files is not searched."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.identity import api as identity
from apps.search import api as search
from bitvault.events import operating
from bitvault.gateway import tenant_pages
from bitvault.kernel import tenancy
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

PAGE = "/admin/search/"


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show the index of each tenant, or of those whose slug has what was searched for."""
    page = tenant_pages.find_page(request)
    among = [tenant.id for tenant in page]
    lags = operating.list_lags(among=among, offset=0, limit=operating.count_lags(among=among)) if among else []
    behind = {lag.tenant_id: lag for lag in lags if lag.consumer == search.CONSUMER}
    rows = []
    for tenant in page:  # each tenant's index is in a schema of its own
        with tenancy.entered(tenant):
            rows.append((tenant, search.count_index(), behind.get(tenant.id)))
    paused = operating.list_paused()
    context = tenant_pages.context_of(
        request,
        title=_("Search"),
        page=page,
        rows=rows,
        paused=paused.get(search.CONSUMER),
        is_paused=search.CONSUMER in paused,
    )
    return render(request, "admin/search/index.html", context)


@require_POST
def read_again(request: HttpRequest) -> HttpResponse:
    """Have those texts of a tenant read again that could not be read for a reason that was not the file's."""
    tenant = identity.find_tenant(tenant_id=UUID(request.POST["tenant_id"]))
    if tenant is None:
        messages.error(request, _("This tenant is suspended or gone."))
        return HttpResponseRedirect(PAGE)
    with tenancy.entered(tenant):
        count = search.read_failed_again()
    messages.success(
        request, _("%(count)s texts of %(name)s will be read again.") % {"count": count, "name": tenant.slug}
    )
    return HttpResponseRedirect(PAGE)


@require_POST
def build(request: HttpRequest) -> HttpResponse:
    """Have a tenant's index built in OpenSearch, beside the one that is searched."""
    tenant = identity.find_tenant(tenant_id=UUID(request.POST["tenant_id"]))
    if tenant is None:
        messages.error(request, _("This tenant is suspended or gone."))
        return HttpResponseRedirect(PAGE)
    with tenancy.entered(tenant):
        is_asked = search.build_outside_index()
    if is_asked:
        messages.success(
            request, f"The index of {tenant.slug} is built in OpenSearch, beside the one that is searched."
        )
    else:
        messages.error(request, _("BITVAULT_SEARCH_ENGINE is not opensearch."))
    return HttpResponseRedirect(PAGE)


urlpatterns = [
    path("", for_operators(overview, needs="events.view_deadletter"), name="search-index"),
    path("build", for_operators(build, needs="events.change_deadletter")),
    path("read-again", for_operators(read_again, needs="events.change_deadletter")),
]
limit_all(urlpatterns)
