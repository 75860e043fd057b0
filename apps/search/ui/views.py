"""The page of results. It is read like any other page; what is found is judged anew each time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.files.dtos import Lock
from apps.search import api
from apps.search.dtos import Facets, FoundRemark, Highlight, Hit, SearchedText, TextReason
from apps.search.ui import choices
from apps.search.ui.choices import Chosen
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import Invalid
from bitvault.web.pages import MemberPage, PersonRequest
from bitvault.web.sizes import size_in_words

SHOWN = 50
"""Rows of one page: two screens."""

NOTES: dict[TextReason, Any] = {
    "encrypted": _("Found by name only: the file needs a password."),
    "damaged": _("Found by name only: the file is damaged."),
    "too_large": _("Found by name only: the file is too large for its text to be read."),
    "infected": _("Found by name only: malware was found in the file."),
    "withheld": _("Found by name only until the file has been scanned for malware."),
    "too_complex": _("Found by name only: reading its text would take too long."),
    "no_text": _("Found by name only: there is no text inside, as in a scan."),
    "failed": _("Found by name only: its text could not be read."),
}
"""What is said of files whose text is not searched, though their type has one."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a name or passage, marked where the words stand."""

    text: str
    is_marked: bool


@dataclass(frozen=True, slots=True)
class Written:
    """Where the words stand in a comment or a description, and where it is shown."""

    label: str
    pieces: Sequence[Piece]
    href: str


@dataclass(frozen=True, slots=True)
class Line:
    """A hit as the page shows it."""

    id: str
    name: str
    kind: str
    href: str
    pieces: Sequence[Piece]
    passage: Sequence[Piece]
    remark: "Written | None"
    note: str
    place: str
    place_href: str
    modified_at: str
    size_label: str
    is_viewable: bool
    """Whether the viewer shows it."""
    revision: int
    size_bytes: int
    lock: Lock | None


class SearchPage(MemberPage):
    """What was found."""

    section = "search"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show what fits, or why the search cannot be read."""
        chosen = choices.read(request.GET.dict())
        if not chosen.q and not chosen.is_narrowed:
            return render(request, "search/results.html", _frame(request.actor, chosen, None, ""))
        try:
            found = api.search(
                actor=request.actor,
                text=chosen.q,
                filters=chosen.filters,
                tag=None if chosen.tag is None else str(chosen.tag),
                inside_id=chosen.inside,
                trashed=chosen.trashed,
                facets=True,
                sort=chosen.sort,
                limit=SHOWN,
                cursor=request.GET.get("cursor"),
            )
        except Invalid as error:
            context = _frame(request.actor, chosen, None, "")
            return render(request, "search/results.html", {**context, "refusal": error.detail})
        context = _frame(request.actor, chosen, found.facets, _find_inside(chosen, found.items))
        context |= {"lines": [_to_line(hit) for hit in found.items], "is_similar": found.is_similar}
        context["is_names_only"] = found.is_names_only
        if found.next_cursor:
            context["more_href"] = chosen.href(cursor=found.next_cursor)
        return render(request, "search/results.html", context)


def _frame(actor: Actor, chosen: Chosen, facets: Facets | None, inside_name: str) -> dict[str, Any]:
    """What the page says of the search itself."""
    return {
        "query": chosen.q,
        "is_trash": chosen.trashed,
        "taken": choices.list_taken(actor, chosen, facets, inside_name),
        "groups": choices.list_groups(chosen, facets),
        "sorts": choices.list_sorts(chosen),
        "is_capped": facets is not None and facets.is_capped,
        "trash_href": None if chosen.trashed or not chosen.q else replace(chosen, trashed=True, inside=None).href(),
    }


def _find_inside(chosen: Chosen, hits: Sequence[Hit]) -> str:
    """Find what the folder is called in which is searched: each hit tells the way to it."""
    return next((step.name for hit in hits for step in hit.path if step.id == chosen.inside), "")


def _to_line(hit: Hit) -> Line:
    node = hit.node
    parent = hit.path[-1] if hit.path else None
    names = [gettext("My files") if step.is_own_root else step.name for step in hit.path]
    return Line(
        id=str(node.id),
        name=node.name,
        kind=node.kind,
        href=_find_href(hit),
        pieces=_cut(node.name, hit.highlights),
        passage=[] if hit.passage is None else _cut(hit.passage.text, hit.passage.highlights),
        remark=None if hit.remark is None else _to_written(hit, hit.remark),
        note=_describe(hit.text),
        place=" / ".join(names or _read_origin(hit)) or gettext("My files"),
        place_href="/trash/" if hit.origin_path is not None else f"/files/{parent.id}/" if parent else "/files/",
        modified_at=node.modified_at.isoformat(),
        size_label="" if node.size_bytes is None else size_in_words(node.size_bytes),
        is_viewable=node.kind == "file" and "view" in node.capabilities and hit.origin_path is None,
        revision=node.revision,
        size_bytes=node.size_bytes or 0,
        lock=node.lock,
    )


def _to_written(hit: Hit, remark: FoundRemark) -> Written:
    node, parent = hit.node, hit.path[-1] if hit.path else None
    pieces = _cut(remark.passage.text, remark.passage.highlights)
    if hit.origin_path is not None:
        href = ""
    elif remark.kind == "description":
        href = f"/files/{node.id}/"
    else:
        href = f"/files/{parent.id if parent else node.id}/#comments={node.id}"
    return Written(gettext("Description") if remark.kind == "description" else gettext("Comment"), pieces, href)


def _read_origin(hit: Hit) -> list[str]:
    """Read the folders in which something was that lies in the trash."""
    return [name for name in (hit.origin_path or "").split("/")[:-1] if name]


def _find_href(hit: Hit) -> str:
    """Where a hit leads: into the folder, to the bytes of a file, and from the trash to the trash."""
    if hit.origin_path is not None:
        return "/trash/"
    return f"/files/{hit.node.id}/" if hit.node.kind == "folder" else f"/api/v1/nodes/{hit.node.id}/content"


def _describe(text: SearchedText | None) -> str:
    """Say why a file is found by its name alone, or by the beginning of its text; nothing where all is as it should be."""
    if text is None:
        return ""
    if text.state == "waiting":
        return gettext("The text inside is still being read.")
    if text.is_cut:
        return gettext("Only the beginning of its long text is searched.")
    return str(NOTES.get(text.reason, "")) if text.reason is not None else ""


def _cut(text: str, marks: Sequence[Highlight]) -> list[Piece]:
    """Cut a text where marks begin and end."""
    pieces, end = [], 0
    for mark in marks:
        pieces += [Piece(text[end : mark.start], is_marked=False), Piece(text[mark.start : mark.end], is_marked=True)]
        end = mark.end
    return [piece for piece in [*pieces, Piece(text[end:], is_marked=False)] if piece.text]
