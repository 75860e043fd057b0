"""The operators' view of the stream: for each consumer and tenant how far it is behind, what it gave up on, and what can be done."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.identity import api as identity
from bitvault.events import operating
from bitvault.gateway.rebuilding import request_rebuild
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

PAGE = "/admin/stream/"
PAGE_LENGTH = 100
"""Rows of a page of each list, as on the other screens of operators."""


class _Listed(Sequence[Any]):
    """A list of the stream as a paginator takes it: counted once, and read page by page."""

    def __init__(self, count: Callable[..., int], read: Callable[..., list[Any]], among: list[UUID] | None) -> None:
        self._count, self._read, self._among = count, read, among

    def __len__(self) -> int:
        return self._count(among=self._among)

    def __getitem__(self, rows: Any) -> Any:
        return self._read(among=self._among, offset=rows.start, limit=rows.stop - rows.start)


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show lags and dead letters, of all tenants or of those whose slug has what was searched for."""
    names = {tenant.id: tenant.slug for tenant in identity.list_tenants()}
    wanted = request.GET.get("q", "").strip().lower()
    among = [tenant_id for tenant_id, slug in names.items() if wanted in slug] if wanted else None
    lags = _page(request, "p", _Listed(operating.count_lags, operating.list_lags, among))
    letters = _page(request, "letters", _Listed(operating.count_dead_letters, operating.list_dead_letters, among))
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Event stream"),
        "wanted": wanted,
        "lags": [(lag, names.get(lag.tenant_id, str(lag.tenant_id))) for lag in lags],
        "letters": [(letter, names.get(letter.tenant_id, str(letter.tenant_id))) for letter in letters],
        "pages": {"p": lags, "letters": letters},
        "rebuildable": operating.list_rebuildable(),
        "not_rebuildable": operating.list_not_rebuildable(),
        "paused": operating.list_paused(),
        "active": {tenant.id for tenant in identity.list_active_tenants()},
    }
    return render(request, "admin/events/stream.html", context)


def _page(request: HttpRequest, name: str, listed: _Listed) -> Page[Any]:
    """Give the page of a list that the query asks for under this name, or the nearest one."""
    return Paginator(listed, PAGE_LENGTH).get_page(request.GET.get(name))


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Replay, drop, skip or rebuild; what was done stands in the tenant's audit log."""
    wanted = request.GET.get("q", "")
    back = HttpResponseRedirect(f"{PAGE}?{urlencode({'q': wanted})}" if wanted else PAGE)
    tenant = identity.find_tenant(tenant_id=UUID(request.POST["tenant_id"]))
    if tenant is None:
        messages.error(request, _("This tenant is suspended or gone."))
        return back
    operator = UUID(str(request.user.pk))
    try:
        with tenancy.entered(tenant):
            messages.success(request, _run(request.POST["action"], request.POST, operator))
    except BitVaultError as error:
        messages.error(request, error.detail)
    except Exception as error:  # noqa: BLE001 - whatever a consumer raises belongs before the operator's eyes
        messages.error(request, _("It failed again: %(reason)s") % {"reason": f"{type(error).__name__}: {error}"})
    return back


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
            request_rebuild(consumer=form["consumer"], operator_id=operator)
            return f"The rebuild of {form['consumer']} begins. Its job tells how far it is."
        case _:
            raise BitVaultError("There is no such action.")


urlpatterns = [
    path("", for_operators(overview, needs="events.view_deadletter"), name="stream"),
    path("act", for_operators(act, needs="events.change_deadletter")),
]
limit_all(urlpatterns)
