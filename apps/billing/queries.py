"""Reads of quotas and of the meter."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date, timedelta
from typing import Any

from django.db import connection

from apps.billing import currencies, dtos, metering, models
from bitvault.kernel import clock, db
from bitvault.kernel.errors import ProgrammingError
from bitvault.kernel.policies import Policy

_ROOM = """
SELECT p.slug, p.name, p.version, LEAST(COALESCE(q.limit_bytes, p.limit_bytes), q.own_limit_bytes),
    COALESCE(q.used_bytes, 0), COALESCE(q.reserved_bytes, 0), COALESCE(q.limit_bytes, p.limit_bytes), q.own_limit_bytes,
    COALESCE(q.file_limit_bytes, p.file_limit_bytes), COALESCE(q.trash_days, p.trash_days),
    COALESCE(q.member_limit, p.member_limit), COALESCE(q.guest_limit, p.guest_limit), COALESCE(q.link_limit, p.link_limit)
FROM public.billing_plan p LEFT JOIN billing_quota q ON q.plan_id = p.id AND q.scope = %(scope)s
WHERE q.scope IS NOT NULL OR (p.slug = %(plan)s AND NOT EXISTS (SELECT FROM billing_quota WHERE scope = %(scope)s))
"""

_PLAN = (
    *("slug", "name", "version", "limit_bytes", "file_limit_bytes", "trash_days"),
    *("member_limit", "guest_limit", "link_limit", "currency", "month_price"),
)


class PlanMissing(ProgrammingError):
    """The default plan, which a migration makes, is not there."""


def get_quota() -> dtos.Quota:
    """Read the tenant's room. One that has uploaded nothing yet has no row: then it is the default plan's."""
    with db.read_transaction():
        return read_quota()


def read_quota() -> dtos.Quota:
    """Read the tenant's room inside the open transaction."""
    plan, _, _, limit_bytes, used_bytes, reserved_bytes, given_bytes, own_limit_bytes, file_limit_bytes, days, *_ = (
        _read()
    )
    return dtos.Quota(
        scope=models.TENANT_SCOPE,
        plan=plan,
        limit_bytes=limit_bytes,
        used_bytes=used_bytes,
        reserved_bytes=reserved_bytes,
        available_bytes=max(0, limit_bytes - used_bytes - reserved_bytes),
        given_bytes=given_bytes,
        own_limit_bytes=own_limit_bytes,
        file_limit_bytes=file_limit_bytes,
        trash_days=days,
    )


def read_figures() -> dict[str, Any]:
    """Read what the plan and the operators give the tenant, and its own limit, inside the open transaction."""
    slug, name, _, _, _, _, given_bytes, own_limit_bytes, file_limit_bytes, days, members, guests, links = _read()
    return {
        "plan": slug,
        "plan_name": name,
        "given_bytes": given_bytes,
        "own_limit_bytes": own_limit_bytes,
        "file_limit_bytes": file_limit_bytes,
        "trash_days": days,
        "member_limit": members,
        "guest_limit": guests,
        "link_limit": links,
    }


def find_policy() -> Policy:
    """Resolve what a plan decides for the entered tenant (``kernel.policies``): inside an open transaction, or in one of its own."""
    with nullcontext() if db.find_open() else db.read_transaction():
        slug, name, version, *_, file_limit_bytes, trash_days, member_limit, guest_limit, link_limit = _read()
    return Policy(
        plan=slug,
        plan_name=name,
        plan_version=version,
        file_limit_bytes=file_limit_bytes,
        trash_days=trash_days,
        member_limit=member_limit,
        guest_limit=guest_limit,
        link_limit=link_limit,
    )


def _read() -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_ROOM, {"scope": models.TENANT_SCOPE, "plan": models.DEFAULT_PLAN})
        row: tuple[Any, ...] | None = cursor.fetchone()
    if row is None:
        raise PlanMissing(models.DEFAULT_PLAN)
    return row


def list_plans() -> list[dtos.Plan]:
    """List the installation's plans, the tenant's first."""
    with db.read_transaction():
        current = read_quota().plan
        rows = models.Plan.objects.order_by("limit_bytes", "slug").values(*_PLAN)
        found = [_to_plan(row, is_current=row["slug"] == current) for row in rows]
    return sorted(found, key=lambda plan: not plan.is_current)


def list_all_plans() -> list[dtos.Plan]:
    """List the installation's plans, the smallest first; no tenant is entered."""
    rows = models.Plan.objects.order_by("limit_bytes", "slug").values(*_PLAN)
    return [_to_plan(row, is_current=False) for row in rows]


def _to_plan(row: dict[str, Any], *, is_current: bool) -> dtos.Plan:
    price = currencies.write_price(row["month_price"], row["currency"])
    return dtos.Plan(**{**row, "month_price": price}, is_current=is_current)


def find_given_room() -> int | None:
    """Read what operators give the tenant instead of its plan's room."""
    with db.read_transaction():
        quota = models.Quota.objects.filter(scope=models.TENANT_SCOPE).first()
        return None if quota is None else quota.limit_bytes


def get_usage(position: int) -> dtos.Usage:
    """Read the gauges; ``position`` is how far the meter has come at least."""
    with db.read_transaction():
        amounts = dict(models.UsageGauge.objects.values_list("metric", "amount"))
    return dtos.Usage(**{metric: amounts.get(metric, 0) for metric in metering.GAUGES}, as_of_seq=position)


def list_history(position: int, *, metric: str | None, begin: date, end: date) -> dtos.UsageHistory:
    """Read days from ``begin`` up to, but not with, ``end``; of a gauge those without a change, too, up to today."""
    written = models.UsageDay.objects.filter(**({} if metric is None else {"metric": metric}))
    gauges = (*metering.GAUGES, *metering.NOTED)
    earlier = written.filter(metric__in=gauges, day__lt=begin).order_by("metric", "-day").distinct("metric")
    with db.read_transaction(frozen=True):
        standing = dict(earlier.values_list("metric", "amount"))
        rows = written.filter(day__gte=begin, day__lt=end).values_list("day", "metric", "amount")
        changes = {(day, name): amount for day, name, amount in rows}
    for day in _days(begin, min(end, clock.now().date() + timedelta(days=1))):
        standing |= {name: changes[day, name] for name in gauges if (day, name) in changes}
        changes |= {(day, name): amount for name, amount in standing.items()}
    items = [dtos.UsageOfDay(day, name, amount) for (day, name), amount in sorted(changes.items())]
    return dtos.UsageHistory(items=items, as_of_seq=position)


def _days(begin: date, end: date) -> Iterator[date]:
    return (begin + timedelta(days=number) for number in range((end - begin).days))
