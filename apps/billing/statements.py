"""Statements: what each month came to, written once after its end; what turns out later is a line of a later one.

A month is due some hours after its end (UTC), once the meter has gone past it. A turn that finds nothing due asks two small questions. A
statement and its event are one transaction, and its number is the one after the last, so a second turn at once writes nothing.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError
from django.db.models import Max, Min

from apps.billing import currencies, metering, models, pricing, queries
from apps.billing.pricing import Key, Line, Terms
from bitvault.events.api import get_head, get_position, publish
from bitvault.events.catalog.billing import StatementMade
from bitvault.kernel import clock, db, tenancy

GRACE = timedelta(hours=6)
"""How long after a month's end it is stated: consumers that were held up have come by then, and who waits for it reads it that morning."""

CORRECTED_MONTHS = 3
"""How many months before are recomputed with each statement."""

AT_ONCE = 12
"""Statements that one turn makes, of an installation that was away."""

_KEY_FIELDS = ("about_month", "plan", "plan_version", "begin", "end", "metric", "currency")


def make_due() -> int:
    """Write the entered tenant's statements that are due; returns how many."""
    due = _find_due()
    made = 0
    while due and made < AT_ONCE:
        if not _make(due[0], since=due[1]):
            return made
        made += 1
        due = _find_due()
    return made


def _find_due() -> tuple[date, date] | None:
    """Give the next month to state, and the first day that is known of the tenant; ``None``: nothing is due."""
    this_month = (clock.now() - GRACE).date().replace(day=1)
    with db.read_transaction():
        last = models.Statement.objects.aggregate(last=Max("month"))["last"]
        if last is not None and pricing.next_month(last) >= this_month:
            return None
        since = _find_first_day()
    if since is None:
        return None
    month = pricing.next_month(last) if last is not None else since.replace(day=1)
    return (month, since) if month < this_month and _is_metered(month) else None


def _find_first_day() -> date | None:
    first = models.UsageDay.objects.aggregate(first=Min("day"))["first"]
    changed = models.PlanPeriod.objects.filter(begun_at__gt=models.EPOCH).aggregate(first=Min("begun_at"))["first"]
    days = [day for day in (first, changed.date() if changed else None) if day is not None]
    return min(days, default=None)


def _is_metered(month: date) -> bool:
    """Tell whether the meter has come past a month's end: to an event of the next one, or to the head of the stream."""
    head = get_head()
    if get_position(metering.CONSUMER) >= head:
        return True
    with db.read_transaction():
        later = models.UsageDay.objects.filter(day__gte=pricing.next_month(month), metric__in=metering.GAUGES)
        return later.exists()


def _make(month: date, *, since: date) -> bool:
    """Write a statement; false where another turn has written it meanwhile."""
    terms_of = find_terms()
    position = get_position(metering.CONSUMER)
    earlier = list(_months_before(month))
    amounts = _read_amounts(max(earlier[-1], since), pricing.next_month(month))
    charges = _compute(month, since, terms_of, amounts)
    corrections: list[Line] = []
    for about, stated in _read_stated(earlier).items():
        corrections += _correct(stated, _compute(about, since, terms_of, amounts))
    totals: Counter[str] = Counter()
    for line in (*charges, *corrections):
        totals[line.key.currency] += line.amount_minor
    try:
        with db.write_transaction():
            number = (models.Statement.objects.aggregate(last=Max("number"))["last"] or 0) + 1
            models.Statement.objects.create(
                number=number,
                month=month,
                tenant_name=tenancy.current().name,
                made_at=clock.now(),
                as_of_seq=position,
                totals=dict(sorted(totals.items())),
            )
            lines = [(line, False) for line in charges] + [(line, True) for line in corrections]
            models.StatementLine.objects.bulk_create(
                [_to_row(number, at, line, is_correction=late) for at, (line, late) in enumerate(lines, 1)]
            )
            publish(
                StatementMade(
                    actor_id=None,
                    number=number,
                    month=f"{month:%Y-%m}",
                    totals=tuple(
                        f"{currencies.write_amount(minor, currency)} {currency}"
                        for currency, minor in sorted(totals.items())
                    ),
                )
            )
    except IntegrityError:
        return False
    return True


def _read_amounts(begin: date, end: date) -> Mapping[tuple[date, str], int]:
    history = queries.list_history(0, metric=None, begin=begin, end=end).items
    return {(one.day, one.metric): one.amount for one in history}


def _compute(
    month: date, since: date, terms_of: Callable[[date], Terms], amounts: Mapping[tuple[date, str], int]
) -> list[Line]:
    begin, end = max(month, since), pricing.next_month(month)
    return pricing.charge(month, pricing.cut_into_pieces(begin, end, terms_of), amounts)


def _months_before(month: date) -> Iterator[date]:
    for _ in range(CORRECTED_MONTHS):
        month = (month - timedelta(days=1)).replace(day=1)
        yield month


def _read_stated(months: Sequence[date]) -> dict[date, dict[Key, tuple[int, int, models.StatementLine]]]:
    """Read what all statements together say of those of these months that have one, the latest first: quantity and amount by line."""
    with db.read_transaction(frozen=True):
        stated = models.Statement.objects.filter(month__in=months).order_by("-month").values_list("month", flat=True)
        found: dict[date, dict[Key, tuple[int, int, models.StatementLine]]] = {month: {} for month in stated}
        rows = list(models.StatementLine.objects.filter(about_month__in=list(found)).order_by("number", "position"))
    for row in rows:
        lines = found[row.about_month]
        key = Key(*(getattr(row, name) for name in _KEY_FIELDS))
        quantity, amount, _ = lines.get(key, (0, 0, row))
        lines[key] = quantity + int(row.quantity), amount + row.amount_minor, row
    return found


def _correct(stated: Mapping[Key, tuple[int, int, models.StatementLine]], expected: Sequence[Line]) -> list[Line]:
    """Give the lines that bring what was stated to what is expected now."""
    found = []
    for line in expected:
        quantity, amount, _ = stated.get(line.key, (0, 0, None))
        if (quantity, amount) != (line.quantity, line.amount_minor):
            found.append(
                _difference(line.key, line.plan_name, line.price, line.quantity - quantity, line.amount_minor - amount)
            )
    known = {line.key for line in expected}
    for key, (quantity, amount, row) in stated.items():
        if key not in known and (quantity or amount):
            found.append(_difference(key, row.plan_name, row.price, -quantity, -amount))
    return found


def _difference(key: Key, plan_name: str, price: Decimal, quantity: int, amount_minor: int) -> Line:
    units = pricing.to_decimal(pricing.units_of(key.metric, key.month, quantity))
    return Line(key, plan_name, quantity, units, Decimal(0), price, amount_minor)


def _to_row(number: int, position: int, line: Line, *, is_correction: bool) -> models.StatementLine:
    key = line.key
    return models.StatementLine(
        number=number,
        position=position,
        about_month=key.month,
        is_correction=is_correction,
        plan=key.plan,
        plan_name=line.plan_name,
        plan_version=key.plan_version,
        begin=key.begin,
        end=key.end,
        metric=key.metric,
        quantity=line.quantity,
        units=line.units,
        included=line.included,
        price=line.price,
        currency=key.currency,
        amount_minor=line.amount_minor,
    )


# --- which terms held --------------------------------------------------------------------------------------------------------


def find_terms() -> Callable[[date], Terms]:
    """Give a function that tells the terms of a day: of the plan and version in force at its end."""
    with db.read_transaction():
        periods = list(models.PlanPeriod.objects.order_by("begun_at").values_list("begun_at", "plan_id"))
        if not periods:
            quota = models.Quota.objects.filter(scope=models.TENANT_SCOPE).values_list("plan_id", flat=True).first()
            plan_id = quota or models.Plan.objects.values_list("id", flat=True).get(slug=models.DEFAULT_PLAN)
            periods = [(models.EPOCH, plan_id)]
        versions = _list_versions({plan_id for _, plan_id in periods})
    begins = [begun_at for begun_at, _ in periods]

    def terms_of(day: date) -> Terms:
        end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)
        _, plan_id = periods[max(0, _last_before(begins, end))]
        moments, terms = versions[plan_id]
        return terms[max(0, _last_before(moments, end))]

    return terms_of


def _last_before(moments: Sequence[datetime], end: datetime) -> int:
    return bisect_right(moments, end - timedelta(microseconds=1)) - 1


def _list_versions(plan_ids: set[Any]) -> dict[Any, tuple[list[datetime], list[Terms]]]:
    rows = (
        models.PlanVersion.objects.filter(plan_id__in=plan_ids).select_related("plan").order_by("begun_at", "version")
    )
    found: dict[Any, tuple[list[datetime], list[Terms]]] = {}
    for row in rows:
        moments, terms = found.setdefault(row.plan_id, ([], []))
        moments.append(row.begun_at)
        terms.append(
            Terms(row.plan.slug, row.name, row.version, row.currency, row.month_price, pricing.read_prices(row.prices))
        )
    for plan in models.Plan.objects.filter(pk__in=plan_ids - found.keys()):
        # Written by hand, past the operators' screen: it has been as it is now.
        prices = pricing.read_prices(plan.prices)
        now = Terms(plan.slug, plan.name, plan.version, plan.currency, plan.month_price, prices)
        found[plan.pk] = [models.EPOCH], [now]
    return found
