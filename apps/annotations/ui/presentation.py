"""How noted nodes look in a list."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.annotations.dtos import Favourite, NotedNode, Recent
from apps.files.dtos import Lock
from bitvault.web.sizes import size_in_words

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DEEDS: dict[str, "StrOrPromise"] = {
    "added": _("You added it"),
    "changed": _("You changed it"),
    "renamed": _("You renamed it"),
    "opened": _("You downloaded it"),
}


COLOURS: dict[str, "StrOrPromise"] = {
    "grey": _("Grey"),
    "red": _("Red"),
    "orange": _("Orange"),
    "brown": _("Brown"),
    "green": _("Green"),
    "teal": _("Teal"),
    "blue": _("Blue"),
    "purple": _("Purple"),
    "pink": _("Pink"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One node in a list, where it lies, and why it is there."""

    id: str
    kind: str
    name: str
    revision: int
    href: str
    opens_page: bool
    place: str
    place_href: str
    size_label: str
    why: "StrOrPromise"
    moment: datetime
    is_viewable: bool
    """Whether the viewer shows it."""
    size_bytes: int
    lock: Lock | None


def to_favourite_line(item: Favourite) -> Line:
    """Give a favourite."""
    return to_line(item.node)


def to_recent_line(item: Recent) -> Line:
    """Give a file that the reader worked with."""
    return _to_line(item.node, why=DEEDS[item.what], moment=item.last_at)


def to_line(node: NotedNode) -> Line:
    """Give a node, as of its last change."""
    return _to_line(node, why=gettext("Modified"), moment=node.modified_at)


def _to_line(node: NotedNode, *, why: "StrOrPromise", moment: datetime) -> Line:
    folder = node.path[-1] if node.path else None
    names = [gettext("My files") if place.is_own_root else place.name for place in node.path]
    return Line(
        id=str(node.id),
        kind=node.kind,
        name=gettext("My files") if node.is_own_root else node.name,
        revision=node.revision,
        href=_href_of(node),
        opens_page=node.kind == "folder",
        place=" / ".join(names),
        place_href=f"/files/{folder.id}/" if folder is not None else "",
        size_label=size_in_words(node.size_bytes) if node.size_bytes is not None else "",
        why=why,
        moment=moment,
        is_viewable=node.kind == "file" and "view" in node.capabilities,
        size_bytes=node.size_bytes or 0,
        lock=node.lock,
    )


def _href_of(node: NotedNode) -> str:
    """Tell where a node is opened: a folder has a page, a file is downloaded by whoever may."""
    if node.kind == "folder":
        return f"/files/{node.id}/"
    return f"/api/v1/nodes/{node.id}/content" if "download" in node.capabilities else ""
