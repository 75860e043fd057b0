"""The pages of what is shared, and the marks on rows that are. Changes go over REST."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from apps.sharing import api
from apps.sharing.ui import presentation
from bitvault.web.pages import MemberPage, PersonRequest

PAGE_SIZE = 100
"""Lines of one answer: more than a screen, drawn at once."""

BADGES_LIMIT = 100
"""Nodes of one question for marks."""


class WithMe(MemberPage):
    """What others have shared with the reader."""

    section = "shared"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show a page of it, newest first."""
        page = api.list_shared_with_me(actor=request.actor, limit=PAGE_SIZE, cursor=request.GET.get("cursor") or None)
        lines = [presentation.to_received(item, request.actor) for item in page.items]
        return render(request, "sharing/with_me.html", _to_context(request, lines, page.next_cursor))


class ByMe(MemberPage):
    """What the reader has shared with others."""

    section = "shared-by-me"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show a page of it, newest first."""
        page = api.list_shared_by_me(actor=request.actor, limit=PAGE_SIZE, cursor=request.GET.get("cursor") or None)
        lines = [presentation.to_given(item) for item in page.items]
        return render(request, "sharing/by_me.html", _to_context(request, lines, page.next_cursor))


class Badges(MemberPage):
    """With whom the nodes of a list are shared, for marks on their rows."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Tell it of those of ``ids`` that are shared; at most a hundred are looked at."""
        ids = set()
        for text in request.GET.get("ids", "").split(",")[:BADGES_LIMIT]:
            with suppress(ValueError):
                ids.add(UUID(text))
        badges = api.list_badges(actor=request.actor, node_ids=ids) if ids else []
        return JsonResponse({str(badge.node_id): presentation.to_badge(badge) for badge in badges})


def _to_context(request: PersonRequest, lines: list[Any], next_cursor: str | None) -> dict[str, Any]:
    more = f"{request.path}?{urlencode({'cursor': next_cursor})}" if next_cursor else ""
    return {"lines": lines, "more": more, "is_first": "cursor" not in request.GET}
