"""The page of results. It is read like any other page; what is found is judged anew each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.search import api
from apps.search.dtos import Category, Filters, Highlight, Hit, SearchedText, SortName, TextReason
from bitvault.kernel.errors import Invalid
from bitvault.web.pages import MemberPage, PersonRequest

SHOWN = 50
"""Rows of one page: two screens."""

TYPES: tuple[tuple[Category, Any], ...] = (
    ("folder", _("Folders")),
    ("document", _("Documents")),
    ("pdf", _("PDF")),
    ("sheet", _("Spreadsheets")),
    ("slides", _("Presentations")),
    ("image", _("Images")),
    ("video", _("Videos")),
    ("audio", _("Audio")),
    ("archive", _("Archives")),
    ("code", _("Code")),
)
SORTS: tuple[tuple[SortName, Any], ...] = (
    ("relevance", _("Best first")),
    ("modified_at", _("Newest first")),
    ("size_bytes", _("Largest first")),
)


NOTES: dict[TextReason, Any] = {
    "encrypted": _("Found by name only: the file needs a password."),
    "damaged": _("Found by name only: the file is damaged."),
    "too_large": _("Found by name only: the file is too large for its text to be read."),
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
class Line:
    """A hit as the page shows it."""

    name: str
    kind: str
    href: str
    pieces: Sequence[Piece]
    passage: Sequence[Piece]
    note: str
    place: str
    place_href: str
    modified_at: str
    size_label: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter or an order, as a link."""

    label: str
    href: str
    is_on: bool


class SearchPage(MemberPage):
    """What was found."""

    section = "search"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show what fits, or why the search cannot be read."""
        text = request.GET.get("q", "").strip()
        kind = _choose(request.GET.get("type"), get_args(Category))
        sort: SortName = _choose(request.GET.get("sort"), get_args(SortName)) or "relevance"
        context: dict[str, Any] = {
            "query": text,
            "types": [_link(text, label, {"type": name, "sort": sort}, on=name == kind) for name, label in TYPES],
            "everything": _link(text, gettext("Everything"), {"sort": sort}, on=kind is None),
            "sorts": [_link(text, label, {"type": kind, "sort": name}, on=name == sort) for name, label in SORTS],
        }
        if not text and kind is None:
            return render(request, "search/results.html", context)
        try:
            found = api.search(
                actor=request.actor,
                text=text,
                filters=Filters(categories=None if kind is None else frozenset({kind})),
                sort=sort,
                limit=SHOWN,
                cursor=request.GET.get("cursor"),
            )
        except Invalid as error:
            return render(request, "search/results.html", {**context, "refusal": error.detail or error.title})
        context |= {"lines": [_to_line(hit) for hit in found.items], "is_similar": found.is_similar}
        if found.next_cursor:
            more = {"q": text, "type": kind, "sort": sort, "cursor": found.next_cursor}
            context["more_href"] = "/search/?" + urlencode({name: value for name, value in more.items() if value})
        return render(request, "search/results.html", context)


def _choose(value: str | None, known: Sequence[Any]) -> Any:
    return value if value in known else None


def _link(text: str, label: Any, more: dict[str, str | None], *, on: bool) -> Choice:
    facts = {"q": text, **{name: value for name, value in more.items() if value and value != "relevance"}}
    return Choice(str(label), "/search/?" + urlencode(facts), on)


def _to_line(hit: Hit) -> Line:
    node = hit.node
    is_folder = node.kind == "folder"
    parent = hit.path[-1] if hit.path else None
    names = [step.name for step in hit.path if step.name]
    return Line(
        name=node.name,
        kind=node.kind,
        href=f"/files/{node.id}/" if is_folder else f"/api/v1/nodes/{node.id}/content",
        pieces=_cut(node.name, hit.highlights),
        passage=[] if hit.passage is None else _cut(hit.passage.text, hit.passage.highlights),
        note=_describe(hit.text),
        place=" / ".join(names) or gettext("My files"),
        place_href=f"/files/{parent.id}/" if parent else "/files/",
        modified_at=node.modified_at.isoformat(),
        size_label="" if node.size_bytes is None else filesizeformat(node.size_bytes),
    )


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
