"""The page of usage: how much room there is, what counts, how it came to be, and what the plan gives."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.billing import api
from apps.billing.api import history, paying
from apps.billing.ui import charts, rooms
from bitvault.kernel import clock
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import BadCursor
from bitvault.kernel.permissions import Permission
from bitvault.web import naming, seats
from bitvault.web.pages import MemberPage, PersonRequest

PERIODS = (30, 90, 365)
"""Days that the chart shows."""

STORED = ("live_bytes", "trash_bytes")
FLOWS = ("uploads_committed_count", "uploaded_bytes", "downloads_signed_count", "downloaded_bytes")

CHANGES_SHOWN = 10

LEVELS = ((100, "full"), (80, "high"))


class UsagePage(MemberPage):
    """What the vault uses, for those who administer it."""

    section = "usage"
    permissions = (Permission.MANAGE_BILLING,)

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show it, with the history of the chosen period."""
        actor = request.actor
        if not api.shows_usage(actor=actor):
            raise NotFound
        wanted = request.GET.get("days", "")
        days = next((period for period in PERIODS if wanted == str(period)), PERIODS[0])
        end = clock.now().date() + timedelta(days=1)
        begin = end - timedelta(days=days)
        quota = api.get_quota(actor=actor)
        usage = api.get_usage(actor=actor)
        by_day = api.list_usage_history(actor=actor, metric=None, begin=begin, end=end).items
        percent = charts.share(quota.used_bytes, quota.limit_bytes)
        context: dict[str, Any] = {
            "quota": quota,
            "usage": usage,
            "percent": percent,
            "level": next((name for least, name in LEVELS if percent >= least), ""),
            "over_bytes": max(0, quota.used_bytes - quota.limit_bytes),
            "counted": [
                {"label": _("Files and their versions"), "size": usage.live_bytes, "kind": "live"},
                {"label": _("Trash"), "size": usage.trash_bytes, "kind": "trash"},
                {"label": _("Promised to uploads under way"), "size": quota.reserved_bytes, "kind": "reserved"},
            ],
            "scopes": rooms.to_rows(actor, api.list_limited_scopes(actor=actor).items),
            "seats": _to_seats(seats.counter()(actor)),
            "payment": paying.get_payment(actor=actor),
            "came_back": _read_return(request.GET.get("payment", "")),
            "plans": api.list_plans(actor=actor).items,
            **_list_changes(request),
            "chart": charts.draw_stacked(by_day, STORED, begin=begin, end=end),
            "flows": charts.sum_of(by_day, FLOWS),
            "days": days,
            "periods": PERIODS,
            "begin": begin,
            "last": end - timedelta(days=1),
        }
        return render(request, "billing/usage.html", context)


def _list_changes(request: PersonRequest) -> dict[str, Any]:
    """Give a page of what was changed of the plan; a cursor of another list begins with the latest."""
    cursor = request.GET.get("changes") or None
    try:
        page = history.list_plan_changes(actor=request.actor, cursor=cursor, limit=CHANGES_SHOWN)
    except BadCursor:
        cursor = None
        page = history.list_plan_changes(actor=request.actor, limit=CHANGES_SHOWN)
    people = {one.actor_id for one in page.items if one.actor_id is not None and one.changed_by != "operator"}
    names = naming.finder().find_names(request.actor, people=people).people if people else {}
    operator = gettext("The operator of this installation")
    return {
        "changes": history.word_plan_changes(changes=page.items, names=names, operator=operator),
        "older_changes": page.next_cursor,
        "are_latest_changes": cursor is None,
    }


def _read_return(word: str) -> str:
    """Tell how somebody comes back from where a plan is paid for."""
    return word if word in ("done", "canceled") else ""


def _to_seats(counted: seats.Seats) -> list[dict[str, Any]]:
    """Give what the plan limits besides room, as it is called."""
    named = (
        (_("Members"), counted.members),
        (_("Guests"), counted.guests),
        (_("Links and file requests"), counted.links),
    )
    return [
        {
            "label": label,
            "seat": seat,
            "percent": None if seat.limit is None else charts.share(seat.used_count + seat.invited_count, seat.limit),
            "is_full": seat.limit is not None and seat.used_count + seat.invited_count >= seat.limit,
        }
        for label, seat in named
    ]
