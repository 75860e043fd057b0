"""What a month costs: the meter's days, by the plan that was in force on each, as exact fractions until a line is rounded.

A day (UTC) belongs to the plan and the version of it that are in force at the day's end, as a day's figure is that of its end. Days in
a row with the same version are a piece, and each piece has lines of its own. What there is (a gauge) is added up day by day; what
happened (a flow) is added up. Both are priced by the month: a month of 31 days charges a thirty-first of a price for each day, and what
a plan includes counts by days in the same way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

import msgspec

from apps.billing import currencies, metering

Unit = Literal["day", "GiB month", "person month", "GiB", "1000"]

PLAN = "plan"
"""The line of the plan's own price; its quantity is days."""

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Metered:
    """How a metric is priced: ``size`` of its amounts are one unit, for a gauge over a whole month."""

    unit: Unit
    size: int
    is_gauge: bool


METRICS: dict[str, Metered] = {
    "live_bytes": Metered("GiB month", GIB, is_gauge=True),
    "trash_bytes": Metered("GiB month", GIB, is_gauge=True),
    metering.DERIVED: Metered("GiB month", GIB, is_gauge=True),
    metering.MEMBERS: Metered("person month", 1, is_gauge=True),
    metering.GUESTS: Metered("person month", 1, is_gauge=True),
    metering.UPLOADED: Metered("GiB", GIB, is_gauge=False),
    metering.UPLOADS: Metered("1000", 1000, is_gauge=False),
    metering.DOWNLOADED: Metered("GiB", GIB, is_gauge=False),
    metering.DOWNLOADS: Metered("1000", 1000, is_gauge=False),
}
"""In the order of a statement."""

Amount = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?\Z")]


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a plan asks for a unit of a metric, above what it includes each month."""

    metric: str
    price: Amount
    included: Amount = "0"

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise ValueError(f"metric is one of {', '.join(METRICS)}")


@dataclass(frozen=True, slots=True)
class Terms:
    """A version of a plan as a statement needs it."""

    plan: str
    name: str
    version: int
    currency: str
    month_price: Decimal
    prices: Sequence[Price]


@dataclass(frozen=True, slots=True)
class Piece:
    """Days in a row of one month with the same terms; ``end`` is exclusive."""

    begin: date
    end: date
    terms: Terms


@dataclass(frozen=True, slots=True)
class Key:
    """What a line is about: the same line of a recomputed month has the same."""

    month: date
    plan: str
    plan_version: int
    begin: date
    end: date
    metric: str
    currency: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line before it is written. ``quantity`` is exact: days, byte-days, person-days, bytes or times."""

    key: Key
    plan_name: str
    quantity: int
    units: Decimal
    included: Decimal
    price: Decimal
    amount_minor: int


def cut_into_pieces(begin: date, end: date, terms_of: Callable[[date], Terms]) -> list[Piece]:
    """Cut days into pieces of the same terms."""
    pieces: list[Piece] = []
    for number in range((end - begin).days):
        day = begin + timedelta(days=number)
        terms = terms_of(day)
        if pieces and pieces[-1].terms == terms:
            pieces[-1] = Piece(pieces[-1].begin, day + timedelta(days=1), terms)
        else:
            pieces.append(Piece(day, day + timedelta(days=1), terms))
    return pieces


def charge(month: date, pieces: Sequence[Piece], amounts: Mapping[tuple[date, str], int]) -> list[Line]:
    """Give the lines of a month.

    :param amounts: by day and metric; of a gauge for each day, also those on which it did not change.
    """
    lines = []
    for piece in pieces:
        days = [piece.begin + timedelta(days=number) for number in range((piece.end - piece.begin).days)]
        share = Fraction(len(days), days_of(month))
        lines.append(_charge_plan(month, piece, len(days), share))
        prices = {price.metric: price for price in piece.terms.prices}
        for metric in METRICS:
            quantity = sum(amounts.get((day, metric), 0) for day in days)
            if quantity or metric in prices:
                lines.append(_charge_metric(month, piece, metric, quantity, prices.get(metric), share))
    return lines


def days_of(month: date) -> int:
    """Count the days of a month, named by its first."""
    return (next_month(month) - month).days


def next_month(month: date) -> date:
    """Give the first day of the month after."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def units_of(metric: str, month: date, quantity: int) -> Fraction:
    """Say a quantity in the units that are priced."""
    if metric == PLAN:
        return Fraction(quantity)
    metered = METRICS[metric]
    return Fraction(quantity, metered.size * (days_of(month) if metered.is_gauge else 1))


def to_decimal(number: Fraction) -> Decimal:
    """Write a number for reading: six digits behind the point, half to even."""
    return Decimal(round(number * 10**6)).scaleb(-6)


def _charge_plan(month: date, piece: Piece, day_count: int, share: Fraction) -> Line:
    terms = piece.terms
    amount = Fraction(terms.month_price) * share
    return Line(
        key=_key(month, piece, PLAN),
        plan_name=terms.name,
        quantity=day_count,
        units=Decimal(day_count),
        included=Decimal(0),
        price=terms.month_price,
        amount_minor=currencies.round_to_minor(amount, terms.currency),
    )


def _charge_metric(month: date, piece: Piece, metric: str, quantity: int, price: Price | None, share: Fraction) -> Line:
    terms, each = piece.terms, Decimal(price.price if price else 0)
    units = units_of(metric, month, quantity)
    included = Fraction(price.included if price else 0) * share
    amount = max(Fraction(0), units - included) * Fraction(each)
    return Line(
        key=_key(month, piece, metric),
        plan_name=terms.name,
        quantity=quantity,
        units=to_decimal(units),
        included=to_decimal(included),
        price=each,
        amount_minor=currencies.round_to_minor(amount, terms.currency),
    )


def _key(month: date, piece: Piece, metric: str) -> Key:
    terms = piece.terms
    return Key(month, terms.plan, terms.version, piece.begin, piece.end, metric, terms.currency)


def read_prices(stored: Any) -> tuple[Price, ...]:
    """Read a plan's prices from its row.

    :raises msgspec.ValidationError: they are none.
    """
    return tuple(msgspec.convert(stored or [], list[Price]))
