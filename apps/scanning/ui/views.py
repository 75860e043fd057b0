"""The pages of scanning: the rule with the quarantine, and what details panel and rows say. Changes go over REST."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from apps.scanning import api
from apps.scanning.ui import presentation
from bitvault.kernel.permissions import Permission
from bitvault.web.naming import finder
from bitvault.web.pages import MemberPage, PersonRequest, read_ids

PAGE = 25


class ScanningPage(MemberPage):
    """How the vault has its content scanned, and what was found."""

    section = "settings"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show the rule and a page of the quarantine, the latest first."""
        request.actor.require_permission(Permission.MANAGE_SETTINGS)
        cursor = request.GET.get("cursor") or None
        page = api.list_quarantine(actor=request.actor, cursor=cursor, limit=PAGE)
        people = {one for item in page.items for one in (item.sender_id, item.released_by) if one is not None}
        names = finder().find_names(request.actor, people=people).people
        context = {
            "tab": "scanning",
            "rule": api.get_rule(actor=request.actor),
            "modes": presentation.MODES.items(),
            "unscanned": presentation.UNSCANNED.items(),
            "found": [
                {
                    "facts": item,
                    "sender": names.get(item.sender_id, "") if item.sender_id else "",
                    "released_by": names.get(item.released_by, "") if item.released_by else "",
                }
                for item in page.items
            ],
            "next_cursor": page.next_cursor,
            "is_first": cursor is None,
        }
        return render(request, "scanning/settings.html", context)


class NodeDetails(MemberPage):
    """How it stands with one file, for the details panel."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Say it; where nothing was ever scanned there is no such section."""
        ids = read_ids(request)
        found = api.list_scans(actor=request.actor, node_ids=ids) if len(ids) == 1 else []
        is_on = api.get_rule(actor=request.actor).mode != "off"
        if not found or (found[0].state == "unscanned" and not is_on):
            return HttpResponse(status=204)
        return render(request, "scanning/details.html", {"line": presentation.to_line(found[0])})


class Marks(MemberPage):
    """How it stands with the files of a list, for marks on their rows."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Tell it of those of ``ids`` with which there is something to heed; at most a hundred are looked at.

        ``is_on`` is whether any file can have a mark: where none can, a page need not ask again.
        """
        ids = read_ids(request)
        scans = api.list_scans(actor=request.actor, node_ids=ids) if ids else []
        marks = {str(scan.node_id): presentation.to_mark(scan) for scan in scans}
        is_on = api.is_anything_marked(actor=request.actor)
        return JsonResponse({"is_on": is_on, "marks": {key: mark for key, mark in marks.items() if mark is not None}})
