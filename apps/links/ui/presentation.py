"""How a visitor sees nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, gettext_lazy, ngettext

from apps.links.dtos import LinkKindName, PublicNode, PublicRequest
from apps.previews import api as previews
from bitvault.kernel import media_types
from bitvault.kernel.file_rules import NO_EXTENSION
from bitvault.web.sizes import size_in_words

_FAMILIES = {"image": "image", "video": "video", "audio": "audio", "text": "text"}
_TYPES = {
    "application/pdf": "pdf",
    "application/zip": "archive",
    "application/gzip": "archive",
    "application/x-tar": "archive",
    "application/x-7z-compressed": "archive",
    "application/json": "data",
    "application/msword": "document",
    "application/vnd.ms-excel": "sheet",
    "application/vnd.ms-powerpoint": "slides",
    "text/csv": "sheet",
}
_OFFICE = {"word": "document", "sheet": "sheet", "presentation": "slides", "text": "document"}


@dataclass(frozen=True, slots=True)
class Row:
    """A node as a line of a page, or as its only thing."""

    kind: str
    name: str
    icon: str
    size_bytes: int | None
    modified_at: datetime
    href: str
    """Where a click leads: into a folder, or to a file's bytes or its page; empty where there is nothing to be had."""

    id: str = ""
    preview: str = ""
    """Where its picture is, marked for whoever looks; empty where there is none."""


def to_rows(nodes: Sequence[PublicNode], base: str, kind: LinkKindName) -> list[Row]:
    """Give nodes as lines; ``base`` is the path of the link's page."""
    return [to_row(node, base, kind) for node in nodes]


def to_row(node: PublicNode, base: str, kind: LinkKindName) -> Row:
    """Give a node as a line."""
    is_drawn = node.kind == "file" and previews.is_drawn(media_type=node.media_type or "")
    shown_href = f"{base}/{node.id}" if is_drawn else ""
    bytes_href = f"{base}/content/{node.id}" if kind in ("download", "edit") else shown_href
    return Row(
        id=str(node.id),
        kind=node.kind,
        name=node.name,
        icon=_icon_of(node),
        size_bytes=node.size_bytes,
        modified_at=node.modified_at,
        href=f"{base}/{node.id}" if node.kind == "folder" else bytes_href,
        preview=f"{base}/preview/{node.id}" if is_drawn and kind == "view" else "",
    )


_NAMED = {
    "image/*": gettext_lazy("images"),
    "video/*": gettext_lazy("videos"),
    "audio/*": gettext_lazy("sound"),
    "text/*": gettext_lazy("text"),
    NO_EXTENSION: gettext_lazy("files without an ending"),
}

NAMED = 12
"""Types that the line of a request names; the others are a number."""


def list_accepted(request: PublicRequest) -> list[str] | None:
    """List what is asked for and let in, as endings and families; ``None``: everything."""
    asked, allowed = request.accepts, request.allowed_extensions
    if allowed is None:
        return list(asked) or None
    if not asked:
        return list(allowed)
    common = [one for one in allowed if any(_is_asked_for(one, each) for each in asked)]
    return common + [each for each in asked if each not in common and any(each.endswith(one) for one in allowed)]


def _is_asked_for(extension: str, asked: str) -> bool:
    if asked.startswith("."):
        return extension.endswith(asked)
    return media_types.guess(f"file{extension}").partition("/")[0] == asked.removesuffix("/*")


def accept_of(request: PublicRequest) -> str:
    """Give the ``accept`` of the file field; empty where it cannot be said."""
    accepted = list_accepted(request) or []
    return "" if NO_EXTENSION in accepted else ",".join(accepted)


def tell_limits(request: PublicRequest) -> str:
    """Say in one line what a request takes; empty where it takes everything."""
    said = []
    accepted = list_accepted(request)
    if accepted is not None:
        said.append(gettext("Only %(types)s") % {"types": _name_types(accepted)} if accepted else gettext("No files"))
    if request.refused_extensions:
        said.append(gettext("no %(types)s") % {"types": _name_types(request.refused_extensions)})
    if request.max_file_bytes is not None:
        said.append(gettext("up to %(size)s each") % {"size": size_in_words(request.max_file_bytes)})
    if request.max_files is not None:
        said.append(
            ngettext("at most %(count)s file", "at most %(count)s files", request.max_files)
            % {"count": request.max_files}
        )
    if request.left_bytes is not None:
        said.append(gettext("%(size)s in all") % {"size": size_in_words(request.left_bytes)})
    line = " · ".join(said)
    return line[:1].upper() + line[1:]


def _name_types(accepted: Sequence[str]) -> str:
    named = [str(_NAMED.get(each, each.removeprefix(".").upper())) for each in accepted[:NAMED]]
    rest = len(accepted) - NAMED
    if rest > 0:
        named.append(ngettext("%(count)s more type", "%(count)s more types", rest) % {"count": rest})
    return ", ".join(named)


def _icon_of(node: PublicNode) -> str:
    """Tell which icon a node has."""
    if node.kind == "folder":
        return "type-folder"
    media_type = (node.media_type or "").partition(";")[0]
    found = _TYPES.get(media_type) or _FAMILIES.get(media_type.partition("/")[0])
    if found is None and ("officedocument" in media_type or "opendocument" in media_type):
        found = next((icon for word, icon in _OFFICE.items() if word in media_type), None)
    return f"type-{found or 'file'}"
