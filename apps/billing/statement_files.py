"""Statements as files: CSV (RFC 4180) for spreadsheets, PDF for people. Both are made anew from rows that never change.

The PDF carries its fonts (DejaVu, cut down to European scripts), since the fonts that every reader has know no ``Ł``.
"""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from django.utils.formats import date_format
from django.utils.translation import gettext
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

from apps.billing.currencies import write_locally
from apps.billing.dtos import StatementDetail, StatementLine
from apps.billing.statement_wording import METRICS, UNITS, words

COLUMNS = (
    *("number", "month", "position", "about_month", "is_correction", "plan", "plan_name", "plan_version"),
    *("begin", "end", "metric", "quantity", "unit", "units", "included", "price", "currency", "amount"),
)

_WIDTHS = (52, 48, 24, 24, 32)
"""Of the PDF's columns, in millimetres."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_FONTS = Path(__file__).parent / "fonts"


def to_csv(statement: StatementDetail) -> bytes:
    """Write the lines, a row each; ``end`` is exclusive, as everywhere."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for line in statement.lines:
        facts = {"number": statement.number, "month": statement.month}
        writer.writerow([_to_cell(facts.get(name, getattr(line, name, ""))) for name in COLUMNS])
    return out.getvalue().encode()


def _to_cell(value: object) -> str:
    """Keep a spreadsheet from taking a name for a formula; a number may be negative."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if not text.startswith(_FORMULA_STARTS) or _is_number(text):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()


def to_pdf(statement: StatementDetail) -> bytes:
    """Write the statement in the current language; the same statement gives the same bytes."""
    _register_fonts()
    out = io.BytesIO()
    title = gettext("Statement %(number)s") % {"number": statement.number}
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        title=f"{title} – {statement.tenant_name}",
        author="BitVault",
        invariant=True,
        leftMargin=15 * mm,
        rightMargin=15 * mm,
        topMargin=18 * mm,
        bottomMargin=18 * mm,
    )
    document.build(_story(statement, title), onFirstPage=_draw_foot, onLaterPages=_draw_foot)
    return out.getvalue()


def _story(statement: StatementDetail, title: str) -> list[Any]:
    made_on = date_format(statement.made_at, "DATE_FORMAT")
    story: list[Any] = [
        Paragraph(_escape(title), _style(18, bold=True)),
        Spacer(0, 2 * mm),
        Paragraph(_escape(statement.tenant_name), _style(12)),
        Paragraph(
            _escape(gettext("Month %(month)s, made on %(day)s") % {"month": statement.month, "day": made_on}),
            _style(10),
        ),
        Spacer(0, 6 * mm),
    ]
    has_corrections = False
    for (is_correction, begin, end, name, _), lines in groupby(statement.lines, _piece_of):
        if is_correction and not has_corrections:
            has_corrections = True
            heading = gettext("Corrections of earlier statements")
            story += [Spacer(0, 5 * mm), Paragraph(_escape(heading), _style(12, bold=True))]
        days = f"{begin.isoformat()} – {(end - timedelta(days=1)).isoformat()}"
        story += [Spacer(0, 3 * mm), Paragraph(_escape(f"{name}, {days}"), _style(9, bold=True)), Spacer(0, 1 * mm)]
        story.append(_table(list(lines)))
    story.append(Spacer(0, 5 * mm))
    for money in statement.totals:
        total = gettext("Total: %(amount)s %(currency)s") % {
            "amount": write_locally(money.amount),
            "currency": money.currency,
        }
        story.append(Paragraph(_escape(total), _style(12, bold=True, right=True)))
    return [*story, Spacer(0, 6 * mm), Paragraph(_escape(words().counting), _style(8))]


def _piece_of(line: StatementLine) -> tuple[bool, date, date, str, int]:
    return line.is_correction, line.begin, line.end, line.plan_name, line.plan_version


def _table(lines: Sequence[StatementLine]) -> Table:
    head = gettext("What"), gettext("Quantity"), gettext("Included"), gettext("Price"), gettext("Amount")
    rows = [[_cell(text, at, bold=True) for at, text in enumerate(head)]]
    for line in lines:
        exact = line.units_short, line.included_short, line.price, line.amount
        quantity, included, price, amount = (write_locally(one) for one in exact)
        texts = METRICS[line.metric], f"{quantity} {UNITS[line.unit]}", included, price, f"{amount} {line.currency}"
        rows.append([_cell(str(text), at) for at, text in enumerate(texts)])
    thin = (0, 0), (-1, -1), 0.25, colors.lightgrey
    style = [("LINEBELOW", *thin), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    return Table(rows, colWidths=[width * mm for width in _WIDTHS], repeatRows=1, style=style)


def _cell(text: str, column: int, *, bold: bool = False) -> Paragraph:
    return Paragraph(_escape(text), _style(8, bold=bold, right=column > 0))


def _draw_foot(canvas: Any, document: Any) -> None:
    canvas.setFont("DejaVuSans", 8)
    canvas.drawRightString(A4[0] - 15 * mm, 10 * mm, str(document.page))


@cache
def _style(size: int, *, bold: bool = False, right: bool = False) -> ParagraphStyle:
    font = "DejaVuSans-Bold" if bold else "DejaVuSans"
    return ParagraphStyle(
        f"{font}-{size}-{right}", fontName=font, fontSize=size, leading=size * 1.3, alignment=2 if right else 0
    )


@cache
def _register_fonts() -> None:
    for name in ("DejaVuSans", "DejaVuSans-Bold"):
        pdfmetrics.registerFont(TTFont(name, _FONTS / f"{name}.ttf"))


def _escape(text: str) -> str:
    """Paragraphs read a little XML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


WRITERS: dict[Literal["csv", "pdf"], Callable[[StatementDetail], bytes]] = {"csv": to_csv, "pdf": to_pdf}
