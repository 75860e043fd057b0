"""The pages of favourites and recents. Changes go over REST."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render

from apps.annotations import api
from apps.annotations.ui import presentation
from bitvault.web.pages import MemberPage, PersonRequest

SHOWN = 50
"""Lines of one answer: two screens."""


class FavouritesPage(MemberPage):
    """What the reader wants at hand."""

    section = "favourites"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show it, latest first."""
        page = api.list_favourites(actor=request.actor, limit=SHOWN, cursor=request.GET.get("cursor") or None)
        lines = [presentation.to_favourite_line(one) for one in page.items]
        return render(request, "annotations/favourites.html", _to_context(request, lines, page.next_cursor))


class RecentsPage(MemberPage):
    """What the reader worked with."""

    section = "recents"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show it, last first."""
        page = api.list_recents(actor=request.actor, limit=SHOWN, cursor=request.GET.get("cursor") or None)
        lines = [presentation.to_recent_line(one) for one in page.items]
        return render(request, "annotations/recents.html", _to_context(request, lines, page.next_cursor))


def _to_context(request: PersonRequest, lines: Sequence[Any], next_cursor: str | None) -> dict[str, Any]:
    more = f"{request.path}?{urlencode({'cursor': next_cursor})}" if next_cursor else ""
    return {"lines": lines, "more": more, "is_first": "cursor" not in request.GET}
