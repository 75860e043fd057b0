"""The operators' page of tenants' plans: what each has, uses and is given instead of the plan's room."""

import re
from uuid import UUID

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.billing import api as billing
from apps.billing.api import history
from apps.identity import api as identity
from apps.identity.api import operators
from bitvault.gateway import tenant_pages
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError
from bitvault.kernel.pages import BadCursor
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

PAGE = "/admin/plans/"
CHANGES_SHOWN = 50
GIB = 1024**3
_ROOM = re.compile(r"|[0-9]{1,9}(?:\.[0-9]{1,6})?")


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show the plan of each tenant, or of those whose slug has what was searched for."""
    page = tenant_pages.find_page(request)
    rows = []
    for tenant in page:  # each tenant's quota is in a schema of its own
        with tenancy.entered(tenant):
            given = billing.find_given_room()
            rows.append((tenant, billing.get_quota(), "" if given is None else f"{given / GIB:g}"))
    plans = billing.list_all_plans()
    context = tenant_pages.context_of(request, title=_("Plans of tenants"), page=page, rows=rows, plans=plans)
    return render(request, "admin/plans/index.html", context)


@require_POST
def give(request: HttpRequest) -> HttpResponse:
    """Give a tenant a plan, and room of its own instead of the plan's where a figure is entered; its audit log tells of it."""
    wanted = request.POST.get("q", "")
    back = HttpResponseRedirect(f"{PAGE}?{urlencode({'q': wanted})}" if wanted else PAGE)
    tenant = identity.find_tenant(tenant_id=UUID(request.POST["tenant_id"]))
    if tenant is None:
        messages.error(request, _("This tenant is suspended or gone."))
        return back
    found = _ROOM.fullmatch(request.POST.get("room", "").strip().replace(",", "."))
    if found is None:
        messages.error(request, _("Room of its own is a number of GiB, or nothing."))
        return back
    room = round(float(found[0]) * GIB) if found[0] else None
    try:
        with tenancy.entered(tenant):
            billing.set_quota(plan=request.POST["plan"], limit_bytes=room, operator_id=UUID(str(request.user.pk)))
            quota = billing.get_quota()
    except BitVaultError as error:
        messages.error(request, error.detail)
        return back
    over = max(0, quota.used_bytes - quota.limit_bytes)
    messages.success(
        request,
        _("%(name)s has the plan %(plan)s. It holds from the next upload on.")
        % {"name": tenant.slug, "plan": quota.plan},
    )
    if over:
        messages.warning(
            request,
            f"{tenant.slug} keeps {over} bytes more than that: nothing is deleted, and new uploads are refused.",
        )
    return back


@require_GET
def show_history(request: HttpRequest, slug: str) -> HttpResponse:
    """Show who changed what of a tenant's plan and limits, the latest first."""
    tenant = next((one for one in identity.list_tenants() if one.slug == slug), None)
    if tenant is None:
        raise Http404
    with tenancy.entered(tenant):
        try:
            page = history.list_plan_changes_for_operators(
                cursor=request.GET.get("cursor") or None, limit=CHANGES_SHOWN
            )
        except BadCursor:
            raise Http404 from None
    names = operators.name_operators(user_ids={one.actor_id for one in page.items if one.actor_id is not None})
    context = {
        **admin.site.each_context(request),
        "title": _("Plan of %(name)s: history") % {"name": tenant.slug},
        "tenant": tenant,
        "changes": history.word_plan_changes(changes=page.items, names=names, operator=None),
        "older": page.next_cursor,
        "is_first": "cursor" not in request.GET,
    }
    return render(request, "admin/plans/history.html", context)


urlpatterns = [
    path("", for_operators(overview, needs="billing.view_plan"), name="plans"),
    path("history/<slug:slug>", for_operators(show_history, needs="billing.view_plan"), name="plan-history"),
    path("give", for_operators(give, needs="billing.change_plan")),
]
limit_all(urlpatterns)
