"""The pages of favourites, recents and tags, and what the details panel tells of tags. Changes go over REST."""

from collections.abc import Sequence
from typing import Any, get_args
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from apps.annotations import api
from apps.annotations.dtos import TagColour
from apps.annotations.ui import presentation
from apps.files import api as files
from bitvault.kernel.permissions import Permission
from bitvault.web.pages import MemberPage, PersonRequest, read_ids

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


class TagsPage(MemberPage):
    """All tags of the tenant."""

    section = "tags"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them; administrators rename, recolour and delete them here."""
        context = {
            "tags": api.list_tags(actor=request.actor),
            "administers": request.actor.may(Permission.MANAGE_TAGS),
            "colours": [(colour, presentation.COLOURS[colour]) for colour in get_args(TagColour)],
        }
        return render(request, "annotations/tags.html", context)


class TagPage(MemberPage):
    """What has a tag."""

    section = "tags"

    def get(self, request: PersonRequest, tag_id: UUID) -> HttpResponse:
        """Show what of it the reader sees, latest tagged first."""
        actor, cursor = request.actor, request.GET.get("cursor") or None
        tag = api.get_tag(actor=actor, tag_id=tag_id)
        page = api.list_tagged(actor=actor, tag_id=tag_id, limit=SHOWN, cursor=cursor)
        lines = [presentation.to_line(node) for node in page.items]
        return render(request, "annotations/tag.html", {"tag": tag, **_to_context(request, lines, page.next_cursor)})


class NodeTags(MemberPage):
    """The tags of a node, for the details panel."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them, and the way to change them for whoever may."""
        ids = read_ids(request)
        if len(ids) != 1:
            return HttpResponse(status=204)
        node = files.get_node(actor=request.actor, node_id=ids[0])
        marks = api.list_marks(actor=request.actor, node_ids=[node.id])
        context = {"tags": marks[0].tags if marks else (), "may_edit": "edit" in node.capabilities}
        return render(request, "annotations/details_tags.html", context)


def _to_context(request: PersonRequest, lines: Sequence[Any], next_cursor: str | None) -> dict[str, Any]:
    more = f"{request.path}?{urlencode({'cursor': next_cursor})}" if next_cursor else ""
    return {"lines": lines, "more": more, "is_first": "cursor" not in request.GET}
