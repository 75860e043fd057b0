"""How shares look on a page: lines of the two lists, and marks on rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from apps.files.dtos import Lock
from apps.sharing.dtos import (
    AccessEntry,
    AccessRequest,
    Badge,
    NodeAccess,
    SharedItem,
    SharedNode,
    SharePrincipal,
    Shortcut,
)
from apps.sharing.ui.roles import FOLDER_ROLES, LABELS
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import ROLES, mask_of
from bitvault.web.viewer import initials

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


PEOPLE = ("user", "email")
"""Types of principals that are one person."""


@dataclass(frozen=True, slots=True)
class Line:
    """One share in a list; ``other`` is who gave it, or who has it."""

    share_id: str
    node_id: str
    icon: str
    name: str
    href: str
    opens_page: bool
    other: str
    other_id: str
    other_type: str
    other_email: str
    is_person: bool
    is_guest: bool
    initials: str
    role: str
    may: "StrOrPromise"
    via: str
    is_via_everyone: bool
    message: str
    granted_at: datetime
    expires_at: datetime | None
    may_end: bool
    select_label: str
    is_viewable: bool
    """Whether the viewer shows it."""
    size_bytes: int
    lock: Lock | None


def to_received(item: SharedItem, actor: Actor) -> Line:
    """Give something that the reader has received; what came to them by a group or with everyone they leave for themselves alone."""
    giver = item.granted_by
    own = item.share.principal
    via = "" if own.type == "user" else name_principal(own)
    return _to_line(
        item,
        giver,
        via=via,
        is_via_everyone=own.type == "everyone",
        may_end=own.type == "user" and own.id == actor.user_id,
    )


def to_given(item: SharedItem) -> Line:
    """Give something that the reader has shared."""
    return _to_line(item, item.share.principal, may_end="share" in item.node.capabilities)


def _to_line(
    item: SharedItem, other: SharePrincipal | None, *, may_end: bool, via: str = "", is_via_everyone: bool = False
) -> Line:
    node, share = item.node, item.share
    name = gettext("Somebody who has left") if other is None else name_principal(other)
    return Line(
        share_id=str(share.id),
        node_id=str(node.id),
        icon=find_icon(node),
        name=node.name,
        href=find_href(node),
        opens_page=node.kind == "folder",
        other=name,
        other_id=str(other.id) if other is not None and other.id else "",
        other_type="" if other is None else other.type,
        other_email="" if other is None else other.email or "",
        is_person=other is not None and other.type in PEOPLE,
        is_guest=other is not None and other.is_guest,
        initials=initials(name, ""),
        role=share.role,
        may=LABELS.get(share.role, LABELS["custom"]),
        via=via,
        is_via_everyone=is_via_everyone,
        message=item.message,
        granted_at=share.granted_at,
        expires_at=share.expires_at,
        may_end=may_end,
        select_label=gettext("Select %(name)s, shared with %(other)s") % {"name": node.name, "other": name},
        is_viewable=node.kind == "file" and "view" in node.capabilities,
        size_bytes=node.size_bytes or 0,
        lock=node.lock,
    )


@dataclass(frozen=True, slots=True)
class ShortcutLine:
    """One shortcut; ``title`` says where it leads. A broken one leads nowhere."""

    id: str
    node_id: str
    name: str
    icon: str
    href: str
    opens_page: bool
    is_broken: bool
    title: str


def to_shortcut(shortcut: Shortcut) -> ShortcutLine:
    """Give a shortcut."""
    node = shortcut.node
    if node is None:
        title = gettext("What this shortcut leads to is not shared with you any more")
    else:
        title = gettext("Shortcut to %(name)s") % {"name": node.name}
    return ShortcutLine(
        id=str(shortcut.id),
        node_id=str(shortcut.node_id),
        name=shortcut.name,
        icon="file" if node is None else find_icon(node),
        href="" if node is None else find_href(node),
        opens_page=node is not None and node.kind == "folder",
        is_broken=node is None,
        title=title,
    )


@dataclass(frozen=True, slots=True)
class Reacher:
    """Somebody who reaches a node, and how."""

    name: "StrOrPromise"
    user_id: str
    """Whose picture stands beside it; empty: nobody's."""
    initials: str
    may: "StrOrPromise"
    through: str
    """The folder by whose share they do; empty: the node itself, or one without a name."""
    expires_at: datetime | None
    icon: str = ""
    """What stands for a group, everyone or an office."""


def to_people(access: NodeAccess, actor: Actor) -> list[Reacher]:
    """Give who reaches a node, each once, by what lets them do most."""
    strongest: dict[Any, AccessEntry] = {}
    for entry in access.items:
        key = entry.source if entry.principal is None else (entry.principal.type, entry.principal.id)
        best = strongest.get(key)
        if best is None or len(entry.capabilities) > len(best.capabilities):
            strongest[key] = entry
    return [_to_reacher(entry, actor) for entry in strongest.values()]


def _to_reacher(entry: AccessEntry, actor: Actor) -> Reacher:
    who = entry.principal
    if who is None:
        name = gettext("Administrators of the vault")
    elif who.type == "user" and who.id == actor.user_id:
        name = gettext("%(name)s (you)") % {"name": who.name}
    else:
        name = name_principal(who)
    return Reacher(
        name=name,
        user_id=str(who.id) if who is not None and who.type == "user" else "",
        initials=initials(who.name, who.email or "") if who is not None else "",
        may=gettext("Owner") if entry.source == "owner" else LABELS.get(entry.role, LABELS["custom"]),
        through=(entry.through.name or gettext("a folder above")) if entry.through is not None else "",
        expires_at=entry.share.expires_at if entry.share is not None else None,
        icon="" if who is not None and who.type in PEOPLE else "key" if who is None else "users",
    )


@dataclass(frozen=True, slots=True)
class Asking:
    """One request for access in a list; ``roles`` are those that the reader can give."""

    id: str
    who_id: str
    who: str
    email: str
    initials: str
    icon: str
    name: str
    href: str
    opens_page: bool
    role: str
    roles: "list[tuple[str, StrOrPromise]]"
    message: str
    asked_at: datetime


def to_asking(one: AccessRequest) -> Asking:
    """Give a request for access."""
    own = mask_of(one.node.capabilities)
    given = [
        role for role in ROLES if not ROLES[role] & ~own and (one.node.kind == "folder" or role not in FOLDER_ROLES)
    ]
    return Asking(
        id=str(one.id),
        who_id=str(one.requester.id),
        who=one.requester.name,
        email=one.requester.email if one.requester.email and one.requester.email != one.requester.name else "",
        initials=initials(one.requester.name, one.requester.email or ""),
        icon=find_icon(one.node),
        name=one.node.name,
        href=find_href(one.node),
        opens_page=one.node.kind == "folder",
        role=one.role,
        roles=[(role, label) for role, label in LABELS.items() if role in given],
        message=one.message,
        asked_at=one.asked_at,
    )


def name_principal(principal: SharePrincipal) -> str:
    """Say who has a share."""
    return gettext("Everyone") if principal.type == "everyone" else principal.name


def find_href(node: SharedNode) -> str:
    """Tell where a node is opened: a folder has a page, a file is downloaded by whoever may."""
    if node.kind == "folder":
        return f"/files/{node.id}/" if "view" in node.capabilities else ""
    return f"/api/v1/nodes/{node.id}/content" if "download" in node.capabilities else ""


def find_icon(node: SharedNode) -> str:
    """Tell which icon a node has: by its media type, for the table of endings belongs to the pages of files."""
    if node.kind == "folder":
        return "folder"
    family, _, kind = (node.media_type or "").partition("/")
    return "pdf" if kind == "pdf" else family if family in ("image", "video", "audio", "text") else "file"


def to_badge(badge: Badge) -> dict[str, Any]:
    """Give the mark of a row: in short, and in words for who asks."""
    if badge.with_everyone:
        return {"short": gettext("Everyone"), "title": gettext("Shared with everyone")}
    names = ", ".join(badge.names)
    left = badge.count - len(badge.names)
    if not badge.names:
        title = ngettext(
            "Shared with %(count)s person or group", "Shared with %(count)s people and groups", badge.count
        )
    elif left > 0:
        title = ngettext("Shared with %(names)s and %(left)s more", "Shared with %(names)s and %(left)s more", left)
    else:
        title = gettext("Shared with %(names)s")
    facts = {"names": names, "left": number_format(left, force_grouping=True), "count": number_format(badge.count)}
    return {"short": number_format(badge.count, force_grouping=True), "title": title % facts}
