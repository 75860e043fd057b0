"""Reads of quotas and of the meter."""

from collections.abc import Iterator
from datetime import date, timedelta

from django.db import connection

from apps.billing import dtos, metering, models
from bitvault.kernel import clock, db
from bitvault.kernel.errors import ProgrammingError

_ROOM = """
SELECT p.slug, COALESCE(q.limit_bytes, p.limit_bytes), COALESCE(q.used_bytes, 0), COALESCE(q.reserved_bytes, 0)
FROM public.billing_plan p LEFT JOIN billing_quota q ON q.plan_id = p.id AND q.scope = %(scope)s
WHERE q.scope IS NOT NULL OR (p.slug = %(plan)s AND NOT EXISTS (SELECT FROM billing_quota WHERE scope = %(scope)s))
"""


class PlanMissing(ProgrammingError):
    """The default plan, which a migration makes, is not there."""


def get_quota() -> dtos.Quota:
    """Read the tenant's room. One that has uploaded nothing yet has no row: then it is the default plan's."""
    with db.read_transaction():
        return read_quota()


def read_quota() -> dtos.Quota:
    """Read the tenant's room inside the open transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_ROOM, {"scope": models.TENANT_SCOPE, "plan": models.DEFAULT_PLAN})
        row = cursor.fetchone()
    if row is None:
        raise PlanMissing(models.DEFAULT_PLAN)
    plan, limit_bytes, used_bytes, reserved_bytes = row
    return dtos.Quota(
        scope=models.TENANT_SCOPE,
        plan=plan,
        limit_bytes=limit_bytes,
        used_bytes=used_bytes,
        reserved_bytes=reserved_bytes,
        available_bytes=max(0, limit_bytes - used_bytes - reserved_bytes),
    )


def get_usage(position: int) -> dtos.Usage:
    """Read the gauges; ``position`` is how far the meter has come at least."""
    with db.read_transaction():
        amounts = dict(models.UsageGauge.objects.values_list("metric", "amount"))
    return dtos.Usage(**{metric: amounts.get(metric, 0) for metric in metering.GAUGES}, as_of_seq=position)


def list_history(position: int, *, metric: str | None, begin: date, end: date) -> dtos.UsageHistory:
    """Read days from ``begin`` up to, but not with, ``end``; of a gauge those without a change, too, up to today."""
    written = models.UsageDay.objects.filter(**({} if metric is None else {"metric": metric}))
    earlier = written.filter(metric__in=metering.GAUGES, day__lt=begin).order_by("metric", "-day").distinct("metric")
    with db.read_transaction(frozen=True):
        standing = dict(earlier.values_list("metric", "amount"))
        rows = written.filter(day__gte=begin, day__lt=end).values_list("day", "metric", "amount")
        changes = {(day, name): amount for day, name, amount in rows}
    for day in _days(begin, min(end, clock.now().date() + timedelta(days=1))):
        standing |= {name: changes[day, name] for name in metering.GAUGES if (day, name) in changes}
        changes |= {(day, name): amount for name, amount in standing.items()}
    items = [dtos.UsageOfDay(day, name, amount) for (day, name), amount in sorted(changes.items())]
    return dtos.UsageHistory(items=items, as_of_seq=position)


def _days(begin: date, end: date) -> Iterator[date]:
    return (begin + timedelta(days=number) for number in range((end - begin).days))
