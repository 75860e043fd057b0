"""Whether an operator may look at a tenant as one of its members now, and who has done so. Asked for each request of such a session."""

import dataclasses
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet

from apps.identity import models, policies
from apps.identity.dtos.tenants import SupportVisit
from bitvault.kernel import clock, pages
from bitvault.kernel.impersonation import Impersonation

PERMISSION = "identity.impersonate"

_PURPOSE = "identity.support_visits"

NOTED_FOR = timedelta(days=400)
"""How long it is kept who has looked at what: longer than a year, which reports are about. Audit logs keep it for good."""


def list_open() -> "QuerySet[models.Impersonation]":
    """Give those that nobody and nothing has ended yet, their time notwithstanding."""
    return models.Impersonation.objects.filter(ended_at=None)


def find_live(impersonation_id: UUID) -> Impersonation | None:
    """Find one that holds at this moment; never remembered, as sessions are not."""
    row = list_open().filter(pk=impersonation_id).first()
    if row is None or find_end(row) is not None:
        return None
    return Impersonation(
        id=row.id,
        operator_id=row.operator_id,
        operator_name=row.operator_name,
        ends_at=row.expires_at,
        may_open=policies.find(row.tenant_id).support_access == "open",
    )


def find_end(row: models.Impersonation) -> models.ImpersonationEnd | None:
    """Tell why one holds no longer; ``None``: it does."""
    now = clock.now()
    if row.expires_at <= now:
        return models.ImpersonationEnd.TIME
    if not may_impersonate(find_operator(row.operator_id)) or policies.find(row.tenant_id).support_access == "nobody":
        return models.ImpersonationEnd.REFUSED
    own = models.Session.objects.filter(pk=row.operator_session_id, user_id=row.operator_id, expire_date__gt=now)
    there = row.entered_at is None or models.Session.objects.filter(impersonation=row).exists()
    return None if there and own.exists() else models.ImpersonationEnd.SESSION


def find_operator(operator_id: UUID) -> models.User | None:
    """Find an operator who is let in."""
    return models.User.objects.filter(pk=operator_id, is_active=True, is_staff=True).first()


def may_impersonate(operator: models.User | None) -> bool:
    """Tell whether an operator has the permission now."""
    return operator is not None and operator.has_perm(PERMISSION)


def list_visits(tenant_id: UUID, *, cursor: str | None, limit: int) -> pages.Page[SupportVisit]:
    """Read a page of who of support looks at a tenant as whom, and did, the latest first; one whose time is over reads as ended."""
    rows = models.Impersonation.objects.filter(tenant_id=tenant_id).order_by("-id")
    if cursor is not None:
        rows = rows.filter(id__lt=UUID(pages.decode_cursor(_PURPOSE, cursor)[0]))
    fields = tuple(field.name for field in dataclasses.fields(SupportVisit))
    found = [SupportVisit(**values) for values in rows.values(*fields)[: limit + 1]]
    now, items = clock.now(), found[:limit]
    # The sweep writes it down within a minute; it is over to the second.
    shown = [
        dataclasses.replace(one, ended_at=one.expires_at, ended_for=models.ImpersonationEnd.TIME.value)
        if one.ended_at is None and one.expires_at <= now
        else one
        for one in items
    ]
    return pages.Page(shown, pages.encode_cursor(_PURPOSE, [items[-1].id.hex]) if len(found) > limit else None)


def name_operators(tenant_id: UUID, ids: Collection[UUID]) -> dict[UUID, str]:
    """Name those of some people who have looked at a tenant as operators, as the tenant was told."""
    rows = models.Impersonation.objects.filter(tenant_id=tenant_id, operator_id__in=ids).order_by("id")
    return dict(rows.values_list("operator_id", "operator_name"))
