"""The operators' view of the stream: for each consumer and tenant how far it is behind, what it gave up on, and what can be done."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from apps.identity import api as identity
from bitvault.events import operating
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError

PAGE = "/admin/stream/"
SHOWN_LIMIT = 500
"""Rows of each list: the furthest behind come first, and an operator who has more than this many has one cause to look for."""


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show lags and dead letters."""
    names = {tenant.id: tenant.slug for tenant in identity.list_tenants()}
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Event stream",
        "lags": [(lag, names.get(lag.tenant_id, str(lag.tenant_id))) for lag in operating.list_lags(limit=SHOWN_LIMIT)],
        "letters": [
            (letter, names.get(letter.tenant_id, str(letter.tenant_id)))
            for letter in operating.list_dead_letters(limit=SHOWN_LIMIT)
        ],
        "rebuildable": operating.list_rebuildable(),
        "lasting": operating.list_lasting(),
        "active": {tenant.id for tenant in identity.list_active_tenants()},
    }
    return render(request, "admin/events/stream.html", context)


@require_POST
@permission_required("events.change_deadletter", raise_exception=True)
def act(request: HttpRequest) -> HttpResponse:
    """Replay, drop, skip or rebuild; what was done stands in the tenant's audit log."""
    tenant = identity.find_tenant(tenant_id=UUID(request.POST["tenant_id"]))
    if tenant is None:
        messages.error(request, "This tenant is suspended or gone.")
        return HttpResponseRedirect(PAGE)
    operator = UUID(str(request.user.pk))
    try:
        with tenancy.entered(tenant):
            messages.success(request, _run(request.POST["action"], request.POST, operator))
    except BitVaultError as error:
        messages.error(request, error.detail)
    except Exception as error:  # noqa: BLE001 - whatever a consumer raises belongs before the operator's eyes
        messages.error(request, f"It failed again: {type(error).__name__}: {error}")
    return HttpResponseRedirect(PAGE)


def _run(action: str, form: Any, operator: UUID) -> str:
    match action:
        case "replay":
            operating.replay_dead_letter(letter_id=UUID(form["letter_id"]), by=operator)
            return "The event was replayed."
        case "drop":
            operating.drop_dead_letter(letter_id=UUID(form["letter_id"]), by=operator)
            return "The event was dropped."
        case "skip":
            seq = operating.skip_event(consumer=form["consumer"], by=operator)
            return f"Event {seq} was skipped."
        case "rebuild":
            seq = operating.rebuild(consumer=form["consumer"], by=operator)
            return f"Rebuilt as of {seq}; what came after follows by itself."
        case _:
            raise BitVaultError("There is no such action.")


urlpatterns = [
    path("", admin.site.admin_view(overview)),
    path("act", admin.site.admin_view(act)),
]
