"""The operators' list of tenants: plan, room, people, last activity and health of each, in a number of queries that is always the same."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.billing.api import noted
from apps.billing.dtos import NotedRoom
from apps.identity import api as identity
from apps.identity.dtos import ListedTenant
from apps.storage.api import runs
from bitvault.events import operating as stream
from bitvault.gateway import tenant_pages
from bitvault.jobs import operating as jobs
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

LATE_SECONDS = 120.0
FULL_PERCENT = 95

STATES = ("active", "suspended", "removing")


@dataclass(frozen=True, slots=True)
class Row:
    """A tenant with what is known of it."""

    tenant: ListedTenant
    room: NotedRoom | None
    active_at: datetime | None
    """When something last happened in it, or somebody was seen."""
    troubles: Sequence[str]


class _Listed(Sequence[ListedTenant]):
    """The tenants as a paginator takes them: counted with the page that is read."""

    def __init__(self, wanted: str, state: str) -> None:
        self._wanted, self._state = wanted, state

    def __len__(self) -> int:
        return identity.list_tenants_for_operators(wanted=self._wanted, state=self._state, limit=0)[0]

    def __getitem__(self, rows: Any) -> Any:
        limit = rows.stop - rows.start
        return identity.list_tenants_for_operators(
            wanted=self._wanted, state=self._state, offset=rows.start, limit=limit
        )[1]


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show tenants by slug, of all states or one, those whose slug or name has what was searched for."""
    state = request.GET.get("state", "")
    listed = _Listed(tenant_pages.read_search(request), state if state in STATES else "")
    page = Paginator(listed, tenant_pages.PAGE_LENGTH).get_page(request.GET.get("p"))
    context = tenant_pages.context_of(
        request, title=_("Tenants"), page=page, rows=list_rows(list(page)), state=state, states=STATES
    )
    return render(request, "admin/tenants/index.html", context)


def list_rows(tenants: Sequence[ListedTenant]) -> list[Row]:
    """Put together what several modules know of these tenants."""
    ids = [tenant.id for tenant in tenants]
    room = noted.list_noted_room(tenant_ids=ids)
    published = stream.list_last_published(among=ids)
    troubles = _find_troubles(ids)
    rows = []
    for tenant in tenants:
        moments = [moment for moment in (published.get(tenant.id), tenant.seen_at) if moment is not None]
        own = troubles.get(tenant.id, [])
        has = room.get(tenant.id)
        if has is not None and has.percent >= FULL_PERCENT:
            own = [_("nearly full") if has.used_bytes <= has.limit_bytes else _("over its room"), *own]
        rows.append(Row(tenant, has, max(moments, default=None), own))
    return rows


def _find_troubles(ids: Collection[UUID]) -> Mapping[UUID, list[str]]:
    found: dict[UUID, list[str]] = {tenant_id: [] for tenant_id in ids}
    if not ids:
        return found
    failed, stopped = jobs.count_failed(among=ids), runs.list_stopped(tenant_ids=ids)
    for lag in stream.list_lags(among=ids, limit=len(ids) * len(stream.list_consumers())):
        if lag.dead_letter_count:
            found[lag.tenant_id].append(_("dead letters of %(name)s") % {"name": lag.consumer})
        if lag.seconds > LATE_SECONDS and not lag.is_suspended:
            found[lag.tenant_id].append(_("%(name)s is behind") % {"name": lag.consumer})
    for tenant_id, own in found.items():
        if tenant_id in failed:
            own.append(_("failed jobs"))
        if tenant_id in stopped:
            own.append(_("a run over the store was stopped"))
    return found


urlpatterns = [path("", for_operators(overview, needs="identity.view_tenant"), name="tenants")]
limit_all(urlpatterns)
