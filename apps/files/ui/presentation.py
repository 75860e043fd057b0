"""How nodes look on a page: rows, the way down to a folder, columns. The table of file types is shared with the browser's modules."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.files.dtos import Node, OrderName, Path, SortName, TeamFolder, TrashedNode
from bitvault.kernel.names import PortabilityProblem
from bitvault.web.sizes import size_in_words

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ROOT_NAME = _("My files")
TEAMS_NAME = _("Team folders")
TEAMS_HREF = "/teams/"

LONGEST_EXTENSION = 10
"""With its dot; a longer ending is a part of the name. The browser's ``types.js`` says the same."""

SHOWN_STEPS = 4
"""Steps of the way to a folder that are written out; what lies between goes into a menu, so that the last names stay readable."""

_TABLE = json.loads((FilePath(__file__).parent / "static" / "files" / "types.json").read_text())
_TYPES: dict[str, str] = _TABLE["extensions"]
_LABELS: dict[str, str] = _TABLE["labels"]

_COLUMNS: tuple[tuple[str, SortName, "StrOrPromise"], ...] = (
    ("name", "name", _("Name")),
    ("modified", "modified_at", _("Modified")),
    ("size", "size_bytes", _("Size")),
)
_CHOICES: tuple[tuple["StrOrPromise", SortName, OrderName], ...] = (
    (_("Name, A to Z"), "name", "asc"),
    (_("Name, Z to A"), "name", "desc"),
    (_("Newest first"), "modified_at", "desc"),
    (_("Oldest first"), "modified_at", "asc"),
    (_("Largest first"), "size_bytes", "desc"),
    (_("Smallest first"), "size_bytes", "asc"),
)
_ARIA: dict[OrderName, str] = {"asc": "ascending", "desc": "descending"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list."""

    id: str
    kind: str
    name: str
    stem: str
    extension: str
    type: str
    label: "StrOrPromise"
    href: str
    revision: int
    modified_at: str
    size_bytes: int | str
    size_label: str
    select_label: str
    owner_id: str = ""
    owner: "StrOrPromise" = ""
    """Who made it, in words; empty for somebody who has left."""
    name_problems: Sequence[PortabilityProblem] = ()
    lock: str = ""
    """JSON of the lock that holds, which the browser's ``locks.js`` puts into words of the reader's own time."""

    @property
    def unfit_for_windows(self) -> bool:
        """Whether Windows cannot hold the name."""
        return any(problem.startswith("windows") for problem in self.name_problems)

    @property
    def misleading(self) -> bool:
        """Whether the name does not read as it is: by direction, by what nobody sees, or by letters that imitate others."""
        return any(not problem.startswith("windows") for problem in self.name_problems)


@dataclass(frozen=True, slots=True)
class TrashRow:
    """One line of the trash."""

    id: str
    kind: str
    name: str
    stem: str
    extension: str
    type: str
    label: "StrOrPromise"
    origin: str
    trashed_at: str
    expires_at: str
    kept: "StrOrPromise"
    """Why it stays whatever its time says; empty where nothing keeps it."""
    kept_until: str
    select_label: str


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One team folder in the list of them."""

    id: str
    name: str
    href: str
    may: str
    may_manage: bool
    expires_at: str
    state: str
    """Changes with whatever the line shows."""


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the way to a folder; a step with ``hidden`` ones stands for them, and one without an id is no folder."""

    id: str = ""
    name: "StrOrPromise" = ""
    href: str = ""
    current: bool = False
    hidden: "tuple[Crumb, ...]" = field(default=())


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head: where a click leads, and how it sorts now."""

    key: str
    label: "StrOrPromise"
    href: str
    aria_sort: str


@dataclass(frozen=True, slots=True)
class SortChoice:
    """One order as a menu offers it."""

    label: "StrOrPromise"
    href: str
    current: bool


BLANK_ROW = Row("", "file", "", "", "", "file", _("File"), "", 0, "", "", "", "")
"""What the browser's modules fill in for a node that appears while the page is open."""

BLANK_TRASH_ROW = TrashRow("", "file", "", "", "", "file", _("File"), "", "", "", "", "", "")
"""The same for the trash."""


def split_name(name: str) -> tuple[str, str]:
    """Split a name into what may be cut short on a narrow screen and the ending that must stay."""
    stem, dot, ending = name.rpartition(".")
    if not stem or not ending or len(ending) + 1 > LONGEST_EXTENSION or any(letter.isspace() for letter in ending):
        return name, ""
    return stem, dot + ending


def type_of(node: Node) -> str:
    """Tell which icon a node has."""
    if node.kind == "folder":
        return "folder"
    return _TYPES.get(split_name(node.name)[1][1:].lower(), "file")


def label_of(node: Node) -> str:
    """Say what a node is, in the reader's language."""
    return gettext(_LABELS[type_of(node)])


def to_row(node: Node, owners: Mapping[UUID, str]) -> Row:
    """Give a node as a line of a list; ``owners`` names who made it."""
    stem, extension = split_name(node.name)
    kind = type_of(node)
    return Row(
        id=str(node.id),
        kind=node.kind,
        name=node.name,
        stem=stem,
        extension=extension,
        type=kind,
        label=gettext(_LABELS[kind]),
        href=folder_href(node) if node.kind == "folder" else f"/api/v1/nodes/{node.id}/content",
        revision=node.revision,
        modified_at=node.modified_at.isoformat(),
        size_bytes="" if node.size_bytes is None else node.size_bytes,
        size_label="" if node.size_bytes is None else size_in_words(node.size_bytes),
        select_label=gettext("Select %(name)s") % {"name": node.name},
        owner_id=str(node.created_by),
        owner=owners.get(node.created_by, ""),
        name_problems=node.name_problems,
        lock=msgspec.json.encode(node.lock).decode() if node.lock else "",
    )


def describe_totals(count: int, size_bytes: int) -> str:
    """Say what lies in a folder; the browser's ``totals.js`` says the same."""
    items = ngettext("%(count)s item", "%(count)s items", count) % {"count": number_format(count, force_grouping=True)}
    return f"{items} · {size_in_words(size_bytes)}" if size_bytes else items


def to_team_row(folder: TeamFolder) -> TeamRow:
    """Give a team folder as a line of the list of them."""
    may_manage = "manage" in folder.capabilities
    return TeamRow(
        id=str(folder.id),
        name=folder.name,
        href=team_href(folder.id),
        may=gettext("Can manage")
        if may_manage
        else gettext("Can edit")
        if "edit" in folder.capabilities
        else gettext("Can view"),
        may_manage=may_manage,
        expires_at=folder.expires_at.isoformat() if folder.expires_at else "",
        state=f"{folder.revision} {' '.join(folder.capabilities)}",
    )


def to_trash_row(node: TrashedNode, root_name: "StrOrPromise") -> TrashRow:
    """Give a node in the trash as a line of it."""
    stem, extension = split_name(node.name)
    kind = type_of(node)
    folder = node.origin_path.rpartition("/")[0]
    return TrashRow(
        id=str(node.id),
        kind=node.kind,
        name=node.name,
        stem=stem,
        extension=extension,
        type=kind,
        label=gettext(_LABELS[kind]),
        origin=f"{root_name}{folder.replace('/', ' / ')}",
        trashed_at=node.trashed_at.isoformat() if node.trashed_at else "",
        expires_at=node.expires_at.isoformat(),
        kept=_say_kept(node),
        kept_until=node.kept.until.isoformat() if node.kept is not None and node.kept.until is not None else "",
        select_label=gettext("Select %(name)s") % {"name": node.name},
    )


def _say_kept(node: TrashedNode) -> str:
    """Say what keeps something in the trash."""
    if node.kept is None:
        return ""
    return gettext("On legal hold") if node.kept.by == "hold" else gettext("Kept by a rule until")


def team_href(folder_id: UUID) -> str:
    """Tell where a team folder's page is."""
    return f"/files/{folder_id}/"


def folder_href(node: Node) -> str:
    """Tell where the page of a folder is."""
    return f"/files/{node.id}/"


def to_crumbs(path: Path) -> list[Crumb]:
    """Give the way to a folder, the middle of a long one folded away. Team folders lie in the list of them, what others share in none."""
    root, *below = path.items
    if path.is_own:
        steps = [Crumb(id=str(root.id), name=ROOT_NAME, href="/files/")]
    else:
        steps = [Crumb(name=TEAMS_NAME, href=TEAMS_HREF)] if path.team_folder_id else []
        steps.append(Crumb(id=str(root.id), name=root.name, href=folder_href(root)))
    steps += [Crumb(id=str(node.id), name=node.name, href=folder_href(node)) for node in below]
    last = steps.pop()
    current = Crumb(id=last.id, name=last.name, href=last.href, current=True)
    if len(steps) >= SHOWN_STEPS:
        return [steps[0], Crumb(hidden=tuple(steps[1:-1])), steps[-1], current]
    return [*steps, current]


def to_columns(href: str, sort: SortName, order: OrderName) -> list[Column]:
    """Give the heads of the columns: a click on the one that sorts turns it round."""
    return [
        Column(
            key=key,
            label=label,
            href=sorted_href(href, name, "desc" if sort == name and order == "asc" else "asc"),
            aria_sort=_ARIA[order] if sort == name else "none",
        )
        for key, name, label in _COLUMNS
    ]


def to_sort_choices(href: str, sort: SortName, order: OrderName) -> list[SortChoice]:
    """Give every order there is, for a screen without columns."""
    return [
        SortChoice(label, sorted_href(href, name, way), (name, way) == (sort, order)) for label, name, way in _CHOICES
    ]


def sorted_href(href: str, sort: SortName, order: OrderName, **more: str) -> str:
    """Add an order (and ``more``) to an address; the usual order needs no words."""
    query = dict(more) if (sort, order) == ("name", "asc") else {"sort": sort, "order": order, **more}
    return f"{href}?{urlencode(query)}" if query else href
