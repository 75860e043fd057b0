"""What narrows the page of results: what its address says, and the links that choose more or take something away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, get_args
from urllib.parse import urlencode
from uuid import UUID

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.search import api
from apps.search.dtos import Category, Facet, Facets, Filters, Since, SortName
from bitvault.kernel import clock
from bitvault.kernel.actor import Actor

TYPES: dict[Category, Any] = {
    "folder": _("Folders"),
    "document": _("Documents"),
    "pdf": _("PDF"),
    "sheet": _("Spreadsheets"),
    "slides": _("Presentations"),
    "image": _("Images"),
    "video": _("Videos"),
    "audio": _("Audio"),
    "archive": _("Archives"),
    "code": _("Code"),
    "text": _("Texts"),
    "other": _("Other files"),
}
SORTS: dict[SortName, Any] = {
    "relevance": _("Best first"),
    "modified_at": _("Newest first"),
    "size_bytes": _("Largest first"),
}
TIMES: dict[Since, Any] = {
    "day": _("Last 24 hours"),
    "week": _("Last 7 days"),
    "month": _("Last 30 days"),
    "year": _("Last 12 months"),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an address of the page says."""

    q: str = ""
    type: Category | None = None
    owner: UUID | None = None
    tag: UUID | None = None
    since: Since | None = None
    inside: UUID | None = None
    trashed: bool = False
    sort: SortName = "relevance"

    @property
    def filters(self) -> Filters:
        """What narrows the search beside its words."""
        return Filters(
            categories=None if self.type is None else frozenset({self.type}),
            owner_ids=None if self.owner is None else frozenset({self.owner}),
            modified_after=None if self.since is None else clock.now() - api.SINCE[self.since],
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is chosen beside words and order, so that a search without words makes sense."""
        return self.filters != Filters() or self.tag is not None

    def href(self, **more: str) -> str:
        """Write the address that says the same."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        told["in"], told["sort"] = told.pop("inside"), None if self.sort == "relevance" else self.sort
        told["trashed"] = "1" if self.trashed else None
        return "/search/?" + urlencode({name: str(value) for name, value in {**told, **more}.items() if value})


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter or an order, as a link; ``count`` says how many of what was found it leaves."""

    label: str
    href: str
    is_on: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Choices of one kind, of which one can be on."""

    label: str
    choices: Sequence[Choice]


def read(asked: Mapping[str, str]) -> Chosen:
    """Read an address; what cannot be read is left out."""
    return Chosen(
        q=asked.get("q", "").strip(),
        type=_choose(asked.get("type"), get_args(Category)),
        owner=_read_id(asked.get("owner")),
        tag=_read_id(asked.get("tag")),
        since=_choose(asked.get("since"), get_args(Since)),
        inside=_read_id(asked.get("in")),
        trashed=asked.get("trashed") == "1",
        sort=_choose(asked.get("sort"), get_args(SortName)) or "relevance",
    )


def _choose(value: str | None, known: Sequence[Any]) -> Any:
    return value if value in known else None


def _read_id(value: str | None) -> UUID | None:
    try:
        return UUID(value or "")
    except ValueError:
        return None


def list_taken(actor: Actor, chosen: Chosen, facets: Facets | None, inside_name: str) -> list[Choice]:
    """List what narrows the search, each with the address without it."""
    taken = [
        Choice(text, replace(chosen, q=rest).href()) for text, rest in api.list_filters(actor=actor, text=chosen.q)
    ]
    if chosen.trashed:
        taken.append(Choice(gettext("In the trash"), replace(chosen, trashed=False).href()))
    if chosen.inside is not None:
        label = gettext("In “%(name)s”") % {"name": inside_name} if inside_name else gettext("In this folder")
        taken.append(Choice(label, replace(chosen, inside=None).href()))
    if chosen.type is not None:
        taken.append(Choice(str(TYPES[chosen.type]), replace(chosen, type=None).href()))
    if chosen.owner is not None:
        named = {each.value: each.label for each in facets.owners} if facets is not None else {}
        label = named.get(str(chosen.owner)) or gettext("One person")
        taken.append(Choice(label, replace(chosen, owner=None).href()))
    if chosen.tag is not None:
        named = {each.value: each.label for each in facets.tags} if facets is not None else {}
        label = named.get(str(chosen.tag)) or gettext("One tag")
        taken.append(Choice(label, replace(chosen, tag=None).href()))
    if chosen.since is not None:
        taken.append(Choice(str(TIMES[chosen.since]), replace(chosen, since=None).href()))
    return taken


def list_groups(chosen: Chosen, facets: Facets | None) -> list[Group]:
    """List what may be chosen further: what was found, with counts, where some choice leaves less than all; every type before a search."""
    groups = []
    if chosen.type is None:
        counts = {facet.value: facet.count for facet in facets.types} if facets is not None else {}
        groups.append(
            Group(
                gettext("Type"),
                [
                    Choice(str(label), replace(chosen, type=name).href(), count=counts.get(name))
                    for name, label in TYPES.items()
                    if name in counts or (facets is None and name not in ("text", "other"))
                ],
            )
        )
    if chosen.owner is None and facets is not None:
        groups.append(Group(gettext("Person"), [_to_owner(chosen, facet) for facet in facets.owners if facet.label]))
    if chosen.tag is None and facets is not None:
        groups.append(Group(gettext("Tag"), [_to_tag(chosen, facet) for facet in facets.tags]))
    if facets is not None:
        told = [
            Choice(each.label, replace(chosen, q=f"{chosen.q} {each.value}".strip()).href(), count=each.count)
            for each in facets.metadata
            if each.value not in chosen.q
        ]
        groups.append(Group(gettext("Metadata"), told))
    if facets is not None:
        counted = (
            ("locked", gettext("Locked"), facets.locked_count),
            ("held", gettext("On legal hold"), facets.held_count),
        )
        told = [
            Choice(label, replace(chosen, q=f"{chosen.q} {key}:yes".strip()).href(), count=count)
            for key, label, count in counted
            if count and f"{key}:" not in chosen.q
        ]
        if told:
            groups.append(Group(gettext("State"), told))
    if chosen.since is None and facets is not None:
        counts = {facet.value: facet.count for facet in facets.modified}
        groups.append(
            Group(
                gettext("Changed"),
                [
                    Choice(str(label), replace(chosen, since=name).href(), count=counts[name])
                    for name, label in TIMES.items()
                    if name in counts
                ],
            )
        )
    total = sum(facet.count for facet in facets.kinds) if facets is not None else None
    return [group for group in groups if any(choice.count is None or choice.count != total for choice in group.choices)]


def _to_owner(chosen: Chosen, facet: Facet) -> Choice:
    return Choice(facet.label, replace(chosen, owner=UUID(facet.value)).href(), count=facet.count)


def _to_tag(chosen: Chosen, facet: Facet) -> Choice:
    return Choice(facet.label, replace(chosen, tag=UUID(facet.value)).href(), count=facet.count)


def list_sorts(chosen: Chosen) -> list[Choice]:
    """List the orders."""
    return [
        Choice(str(label), replace(chosen, sort=name).href(), is_on=name == chosen.sort)
        for name, label in SORTS.items()
    ]
