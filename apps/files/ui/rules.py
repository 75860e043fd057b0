"""What the details panel tells of the rules for files of a folder. Changes go over REST."""

from dataclasses import dataclass

import msgspec
from django.http import HttpResponse
from django.shortcuts import render

from apps.files import api
from apps.files.api import rules
from apps.files.dtos.rules import FolderRules, RulesAbove
from bitvault.web.pages import MemberPage, PersonRequest, read_ids

NOTHING = 204


@dataclass(frozen=True, slots=True)
class Line:
    """Rules of one place, as a line says them."""

    rule_of: str
    folder_id: str
    folder_name: str
    allowed: tuple[str, ...] | None
    refused: tuple[str, ...]
    largest_bytes: int | None


class NodeRules(MemberPage):
    """Which files come into a folder."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Say it of one folder; where everything comes in, only to who could change that."""
        ids = read_ids(request)
        if len(ids) != 1:
            return HttpResponse(status=NOTHING)
        node = api.get_node(actor=request.actor, node_id=ids[0])
        may_change = "manage" in node.capabilities
        if node.kind != "folder":
            return HttpResponse(status=NOTHING)
        found = rules.get_rules(actor=request.actor, node_id=node.id)
        if not may_change and not found.in_force.refuses_something:
            return HttpResponse(status=NOTHING)
        own = _own(found)
        context = {
            "node": node,
            "own": own,
            "above": [_to_line(one) for one in found.above],
            "in_force": found.in_force,
            "is_combined": len(found.above) + (own is not None) > 1,
            "may_change": may_change,
            "stored": msgspec.json.encode(
                {
                    "file_types": found.file_types,
                    "file_extensions": found.file_extensions,
                    "largest_file_bytes": found.largest_file_bytes,
                }
            ).decode(),
        }
        return render(request, "files/details_rules.html", context)


def _own(found: FolderRules) -> Line | None:
    if found.set_at is None:
        return None
    return _line("own", "", "", found.file_types, tuple(found.file_extensions), found.largest_file_bytes)


def _to_line(one: RulesAbove) -> Line:
    folder_id = "" if one.folder_id is None else str(one.folder_id)
    extensions = tuple(one.file_extensions)
    return _line(one.rule_of, folder_id, one.folder_name or "", one.file_types, extensions, one.largest_file_bytes)


def _line(
    rule_of: str, folder_id: str, folder_name: str, types: str, extensions: tuple[str, ...], largest: int | None
) -> Line:
    return Line(
        rule_of,
        folder_id,
        folder_name,
        extensions if types == "only" else None,
        extensions if types == "except" else (),
        largest,
    )
