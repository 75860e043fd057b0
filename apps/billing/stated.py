"""Reading statements, as rows for other programs and as DTOs."""

import re
from datetime import date

from apps.billing import currencies, dtos, models, pricing
from apps.billing.errors import StatementUnknown
from bitvault.kernel import db, pages

_PURPOSE = "billing.statements"
_MONTH = re.compile(r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])")


def list_statements(*, cursor: str | None, limit: int) -> pages.Page[dtos.Statement]:
    """Read a page of the entered tenant's statements, the newest first."""
    rows = models.Statement.objects.order_by("-number")
    if cursor is not None:
        rows = rows.filter(number__lt=pages.decode_cursor(_PURPOSE, cursor)[0])
    with db.read_transaction():
        found = list(rows[: limit + 1])
    items = [_to_statement(row) for row in found[:limit]]
    return pages.Page(items, pages.encode_cursor(_PURPOSE, [items[-1].number]) if len(found) > limit else None)


def get_statement(month: str) -> dtos.StatementDetail:
    """Read the statement of a month with its lines.

    :raises StatementUnknown: there is none, or that is no month.
    """
    if not _MONTH.fullmatch(month):
        raise StatementUnknown
    with db.read_transaction():
        row = models.Statement.objects.filter(month=date.fromisoformat(f"{month}-01")).first()
        if row is None:
            raise StatementUnknown
        lines = list(models.StatementLine.objects.filter(number=row.number).order_by("position"))
    head = _to_statement(row)
    return dtos.StatementDetail(
        head.number,
        head.month,
        head.tenant_name,
        head.made_at,
        head.as_of_seq,
        head.totals,
        [_to_line(line) for line in lines],
    )


def _to_statement(row: models.Statement) -> dtos.Statement:
    totals = [
        dtos.Money(currency, minor, currencies.write_amount(minor, currency))
        for currency, minor in sorted(row.totals.items())
    ]
    return dtos.Statement(row.number, f"{row.month:%Y-%m}", row.tenant_name, row.made_at, row.as_of_seq, totals)


def _to_line(row: models.StatementLine) -> dtos.StatementLine:
    return dtos.StatementLine(
        position=row.position,
        about_month=f"{row.about_month:%Y-%m}",
        is_correction=row.is_correction,
        plan=row.plan,
        plan_name=row.plan_name,
        plan_version=row.plan_version,
        begin=row.begin,
        end=row.end,
        metric=row.metric,
        quantity=int(row.quantity),
        unit="day" if row.metric == pricing.PLAN else pricing.METRICS[row.metric].unit,
        units=f"{row.units.normalize():f}",
        included=f"{row.included.normalize():f}",
        price=currencies.write_price(row.price, row.currency),
        currency=row.currency,
        amount_minor=row.amount_minor,
        amount=currencies.write_amount(row.amount_minor, row.currency),
    )
