"""The operators' page of one tenant's life: suspend it and say why, resume it, see what a deletion takes, ask for it and take it back."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from apps.billing import api as billing
from apps.identity import api as identity
from apps.identity.dtos import TenantOverview
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError, NotFound
from bitvault.web.limits.routes import limit_all

PAGE = "/admin/deletions/"


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show deletions, and the tenant that was searched for with what there is of it."""
    wanted = request.GET.get("q", "").strip()
    found: TenantOverview | None = None
    usage = None
    if wanted:
        try:
            found = identity.get_tenant_overview(slug=wanted)
        except NotFound as error:
            messages.error(request, error.detail)
    if found is not None and found.state != "removing":
        with tenancy.entered(found.tenant):
            usage = billing.find_usage()
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Suspending and deleting tenants",
        "wanted": wanted,
        "found": found,
        "usage": usage,
        "past": identity.list_deletions(),
    }
    return render(request, "admin/deletions/index.html", context)


@require_POST
@permission_required("identity.change_tenant", raise_exception=True)
def act(request: HttpRequest) -> HttpResponse:
    """Do what a button says; a refusal is told on the page."""
    slug = request.POST.get("q", "")
    operator_id, reason = UUID(str(request.user.pk)), request.POST.get("reason", "")
    back = HttpResponseRedirect(f"{PAGE}?{urlencode({'q': slug})}")
    try:
        tenant_id = identity.get_tenant_overview(slug=slug).tenant.id
        acts: dict[str, tuple[Callable[[], Any], str]] = {
            "suspend": (
                lambda: identity.suspend_by_operator(tenant_id=tenant_id, operator_id=operator_id, reason=reason),
                "Nobody is let in any more; nothing was deleted.",
            ),
            "resume": (
                lambda: identity.resume_by_operator(tenant_id=tenant_id, operator_id=operator_id),
                "The members are let in again.",
            ),
            "delete": (
                lambda: identity.request_deletion_by_operator(
                    tenant_id=tenant_id, slug=request.POST.get("slug", ""), operator_id=operator_id, reason=reason
                ),
                "The deletion waits; owners and administrators are written to.",
            ),
            "keep": (
                lambda: identity.withdraw_deletion_by_operator(tenant_id=tenant_id, operator_id=operator_id),
                "The deletion is taken back.",
            ),
        }
        do, done = acts[request.POST.get("act", "")]
        if request.POST["act"] in ("suspend", "delete") and not reason.strip():
            messages.error(request, "Say why: the reason is kept.")
            return back
        do()
    except (BitVaultError, KeyError) as error:
        messages.error(request, error.title if isinstance(error, BitVaultError) else "There is no such action.")
        return back
    messages.success(request, done)
    return back


urlpatterns = [
    path("", admin.site.admin_view(overview), name="deletions"),
    path("act", admin.site.admin_view(act)),
]
limit_all(urlpatterns)
