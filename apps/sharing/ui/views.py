"""The pages of what is shared, and the marks on rows that are. Changes go over REST."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from apps.sharing import api
from apps.sharing.dtos import Received
from apps.sharing.ui import presentation
from bitvault.kernel.errors import Forbidden, NotFound
from bitvault.web.pages import MemberPage, PersonRequest, read_ids

PAGE_SIZE = 100
"""Lines of one answer: more than a screen, drawn at once."""

SHOWN_PEOPLE = 8
"""People and groups whom the details panel names; the dialog has all."""


_SHOWN = {"favourites": Received(only_favourites=True), "favourites-first": Received(sort="favourites")}
"""What the address of "Shared with me" may ask for; without it all, newest first."""


class WithMe(MemberPage):
    """What others have shared with the reader."""

    section = "shared"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show a page of it: newest first, favourites first, or favourites alone."""
        shown = _SHOWN.get(request.GET.get("show", ""), api.RECEIVED)
        page = api.list_shared_with_me(
            actor=request.actor, wanted=shown, limit=PAGE_SIZE, cursor=request.GET.get("cursor") or None
        )
        context = _to_context(
            request, [presentation.to_received(item, request.actor) for item in page.items], page.next_cursor
        )
        context["only_favourites"] = shown.only_favourites
        context["favourites_first"] = shown.sort == "favourites"
        if context["is_first"] and not shown.only_favourites:
            left = api.list_left_shares(actor=request.actor)
            context["left"] = [presentation.to_received(item, request.actor) for item in left.items]
        return render(request, "sharing/with_me.html", context)


class ByMe(MemberPage):
    """What the reader has shared with others."""

    section = "shared-by-me"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show a page of it, newest first."""
        page = api.list_shared_by_me(actor=request.actor, limit=PAGE_SIZE, cursor=request.GET.get("cursor") or None)
        lines = [presentation.to_given(item) for item in page.items]
        context = _to_context(request, lines, page.next_cursor)
        context["asking_count"] = len(api.list_access_requests(actor=request.actor).items)
        return render(request, "sharing/by_me.html", context)


class Requests(MemberPage):
    """Who asks the reader for access to something."""

    section = "shared-by-me"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show the open requests, newest first."""
        found = api.list_access_requests(actor=request.actor).items
        return render(request, "sharing/requests.html", {"lines": [presentation.to_asking(one) for one in found]})


class Shortcuts(MemberPage):
    """The reader's shortcuts in a folder, above its list."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them, if there are any; a folder that is out of reach by now has none to show."""
        ids = read_ids(request)
        try:
            found = api.list_shortcuts(actor=request.actor, folder_id=ids[0]).items if len(ids) == 1 else ()
        except NotFound:
            found = ()
        if not found:
            return HttpResponse("")
        return render(request, "sharing/shortcuts.html", {"lines": [presentation.to_shortcut(one) for one in found]})


class Badges(MemberPage):
    """With whom the nodes of a list are shared, for marks on their rows."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Tell it of those of ``ids`` that are shared; at most a hundred are looked at."""
        ids = read_ids(request)
        badges = api.list_badges(actor=request.actor, node_ids=ids) if ids else []
        return JsonResponse({str(badge.node_id): presentation.to_badge(badge) for badge in badges})


class People(MemberPage):
    """Who reaches a node, for the details panel."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them, each once, with the most that they may; and the way to the dialog where it can be changed."""
        ids = read_ids(request)
        if len(ids) != 1:
            return HttpResponse(status=204)
        try:
            access = api.get_access(actor=request.actor, node_id=ids[0])
        except Forbidden:  # who may only add there is told of nobody
            return HttpResponse(status=204)
        people = presentation.to_people(access, request.actor)
        context = {
            "people": people[:SHOWN_PEOPLE],
            "left": max(0, len(people) - SHOWN_PEOPLE),
            "may_share": "share" in access.node.capabilities and not (access.is_root and not access.in_team_folder),
        }
        return render(request, "sharing/details.html", context)


def _to_context(request: PersonRequest, lines: list[Any], next_cursor: str | None) -> dict[str, Any]:
    kept = {"show": request.GET["show"]} if "show" in request.GET else {}
    more = f"{request.path}?{urlencode({**kept, 'cursor': next_cursor})}" if next_cursor else ""
    return {"lines": lines, "more": more, "is_first": "cursor" not in request.GET}
