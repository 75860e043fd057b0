"""What ``benchmarks.inside`` does with statements."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection

BEGIN = date(2025, 1, 1)
GIB = 1024**3
MADE_UP = "correct horse battery staple"
FOURTH = 4


def make(tenant_count: int, month_count: int) -> dict[str, Any]:
    """Make tenants with usage on each day of so many months, and state month by month; tells how long all of one month took."""
    from apps.billing import metering, models, pricing, statements
    from bitvault.kernel import clock, db, tenancy

    plan = models.Plan.objects.get(slug=models.DEFAULT_PLAN)
    prices = [{"metric": name, "price": "0.02", "included": "1"} for name in pricing.METRICS]
    models.Plan.objects.filter(pk=plan.pk).update(month_price="5", prices=prices)
    models.PlanVersion.objects.filter(plan=plan).update(month_price="5", prices=prices)
    tenants = [_make_tenant(f"stated-{month_count}-{number}") for number in range(tenant_count)]
    ends = [BEGIN]
    for _ in range(month_count):
        ends.append(pricing.next_month(ends[-1]))
    days = [BEGIN + timedelta(days=number) for number in range((ends[-1] - BEGIN).days + 1)]
    names = (*metering.GAUGES, *metering.NOTED, *pricing.METRICS)
    for tenant in tenants:
        with tenancy.entered(tenant), db.write_transaction():
            models.UsageDay.objects.bulk_create(
                models.UsageDay(day=day, metric=name, amount=GIB + number)
                for number, day in enumerate(days)
                for name in dict.fromkeys(names)
            )
    took: list[float] = []
    counted: list[int] = []

    def count(execute: Any, *args: Any) -> Any:
        counted[-1] += 1
        return execute(*args)

    def turn(moment: datetime) -> int:
        made = 0
        begun = time.perf_counter()
        for tenant in tenants:
            with tenancy.entered(tenant), clock.fixed_at(moment):
                made += statements.make_due()
        took.append(time.perf_counter() - begun)
        return made

    with connection.execute_wrapper(count):
        for end in ends[1:]:
            counted.append(0)
            moment = datetime(end.year, end.month, 1, 7, tzinfo=UTC)
            assert turn(moment) == tenant_count
    assert turn(moment) == 0
    return {
        "months": took[:-1],
        "fourth_seconds": took[FOURTH - 1],
        "last_seconds": took[-2],
        "rest_seconds": took[-1],
        "statements": counted[-1] / tenant_count,
    }


def _make_tenant(slug: str) -> Any:
    from apps.identity import api as identity

    made = identity.create_tenant(slug=slug, name=slug, owner_email=f"{slug}@bench.example", owner_password=MADE_UP)
    return identity.find_tenant(tenant_id=made.id)
