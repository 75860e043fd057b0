"""The operators' page of one tenant's life: suspend it and say why, resume it, see what a deletion takes, ask for it and take it back."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.billing import api as billing
from apps.identity import api as identity
from apps.identity.dtos import TenantOverview
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError, NotFound
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

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
        "title": _("Suspending and deleting tenants"),
        "wanted": wanted,
        "found": found,
        "usage": usage,
        "past": identity.list_deletions(),
    }
    return render(request, "admin/deletions/index.html", context)


@require_POST
def change_suspension(request: HttpRequest) -> HttpResponse:
    """Suspend a tenant, or let its members in again."""

    def suspend(tenant_id: UUID, operator_id: UUID, reason: str) -> None:
        identity.suspend_by_operator(tenant_id=tenant_id, operator_id=operator_id, reason=reason)

    def resume(tenant_id: UUID, operator_id: UUID, _reason: str) -> None:
        identity.resume_by_operator(tenant_id=tenant_id, operator_id=operator_id)

    return _act(
        request,
        {
            "suspend": (suspend, _("Nobody is let in any more; nothing was deleted.")),
            "resume": (resume, _("The members are let in again.")),
        },
    )


@require_POST
def change_deletion(request: HttpRequest) -> HttpResponse:
    """Ask for the deletion of a tenant, or take it back."""

    def delete(tenant_id: UUID, operator_id: UUID, reason: str) -> None:
        identity.request_deletion_by_operator(
            tenant_id=tenant_id, slug=request.POST.get("slug", ""), operator_id=operator_id, reason=reason
        )

    def keep(tenant_id: UUID, operator_id: UUID, _reason: str) -> None:
        identity.withdraw_deletion_by_operator(tenant_id=tenant_id, operator_id=operator_id)

    return _act(
        request,
        {
            "delete": (delete, _("The deletion waits; owners and administrators are written to.")),
            "keep": (keep, _("The deletion is taken back.")),
        },
    )


def _act(request: HttpRequest, acts: Mapping[str, tuple[Callable[[UUID, UUID, str], None], str]]) -> HttpResponse:
    """Do what a button says; a refusal is told on the page."""
    slug, reason = request.POST.get("q", ""), request.POST.get("reason", "")
    back = HttpResponseRedirect(f"{PAGE}?{urlencode({'q': slug})}")
    try:
        tenant_id = identity.get_tenant_overview(slug=slug).tenant.id
        act, done = acts[request.POST.get("act", "")]
        if request.POST["act"] in ("suspend", "delete") and not reason.strip():
            messages.error(request, _("Say why: the reason is kept."))
            return back
        act(tenant_id, UUID(str(request.user.pk)), reason)
    except (BitVaultError, KeyError) as error:
        messages.error(request, _(error.title) if isinstance(error, BitVaultError) else _("There is no such action."))
        return back
    messages.success(request, done)
    return back


urlpatterns = [
    path("", for_operators(overview, needs="identity.view_tenant"), name="deletions"),
    path("suspension", for_operators(change_suspension, needs="identity.suspend_tenant")),
    path("deletion", for_operators(change_deletion, needs="identity.delete_tenant")),
]
limit_all(urlpatterns)
