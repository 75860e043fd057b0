"""The pages of statements: what each month came to, and one of them with its lines."""

from datetime import date, timedelta
from itertools import groupby
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from apps.billing import api
from apps.billing.dtos import StatementDetail, StatementLine, StatementWords
from bitvault.kernel.permissions import Permission
from bitvault.web.pages import MemberPage, PersonRequest

SHOWN = 24
"""Statements of one page: two years."""


class StatementsPage(MemberPage):
    """All statements, for those who administer the vault."""

    section = "usage"
    permissions = (Permission.MANAGE_BILLING,)

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show a page of them, the newest first."""
        page = api.list_statements(actor=request.actor, limit=SHOWN, cursor=request.GET.get("cursor") or None)
        context = {"statements": page.items, "next_cursor": page.next_cursor}
        return render(request, "billing/statements.html", context)


class StatementPage(MemberPage):
    """One of them."""

    section = "usage"
    permissions = (Permission.MANAGE_BILLING,)

    def get(self, request: PersonRequest, month: str) -> HttpResponse:
        """Show its lines by plan and days, corrections last."""
        statement = api.get_statement(actor=request.actor, month=month)
        words = api.word_statement()
        context = {"statement": statement, "pieces": _to_pieces(statement, words), "counting": words.counting}
        return render(request, "billing/statement.html", context)


class StatementPdf(MemberPage):
    """One of them as PDF, in the language that the reader has chosen."""

    section = "usage"
    permissions = (Permission.MANAGE_BILLING,)

    def get(self, request: PersonRequest, month: str) -> HttpResponse:
        """Send it."""
        content = api.write_statement(actor=request.actor, month=month, form="pdf")
        name = f"statement-{month}.pdf"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(content, content_type="application/pdf", headers=headers)


def _to_pieces(statement: StatementDetail, words: StatementWords) -> list[dict[str, Any]]:
    """Give the lines by the days and the plan that they are about."""
    pieces: list[dict[str, Any]] = []
    for (is_correction, begin, end, name, _), lines in groupby(statement.lines, _piece_of):
        begins_corrections = is_correction and not any(piece["is_correction"] for piece in pieces)
        pieces.append(
            {
                "is_correction": is_correction,
                "begins_corrections": begins_corrections,
                "plan_name": name,
                "begin": begin,
                "last": end - timedelta(days=1),
                "lines": [_to_line(line, words) for line in lines],
            }
        )
    return pieces


def _piece_of(line: StatementLine) -> tuple[bool, date, date, str, int]:
    return line.is_correction, line.begin, line.end, line.plan_name, line.plan_version


def _to_line(line: StatementLine, words: StatementWords) -> dict[str, Any]:
    return {
        "what": words.metrics[line.metric],
        "units": line.units_short,
        "unit": words.units[line.unit],
        "included": line.included_short,
        "price": line.price,
        "amount": line.amount,
        "currency": line.currency,
    }
