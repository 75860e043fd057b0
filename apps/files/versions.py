"""Reading the versions of a file."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

from apps.files import access, errors, models
from apps.files.dtos.versions import Author, Version
from apps.files.rows import NodeRow, find_way, require_row
from apps.identity import api as identity
from bitvault.kernel import db, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.pages import Page
from bitvault.web import naming

BY_LINK = "link"
"""Where a version was made on that came through a link (``made_on``)."""


def list_versions(actor: Actor, node_id: UUID, *, limit: int, cursor: str | None) -> Page[Version]:
    """Read a page of a live file's versions, newest first."""
    pages.require_limit(limit)
    purpose = f"files.versions:{node_id}"
    with db.read_transaction():
        file = _require_file(actor, node_id)
        found = models.Version.objects.filter(node_id=node_id).order_by("-id")
        if cursor is not None:
            found = found.filter(id__lt=UUID(pages.decode_cursor(purpose, cursor)[0]))
        rows = list(found[: limit + 1])
    next_cursor = pages.encode_cursor(purpose, [str(rows[limit - 1].id)]) if len(rows) > limit else None
    return Page(to_versions(actor, rows[:limit], current_id=file.version_id), next_cursor)


def get_version(actor: Actor, node_id: UUID, version_id: UUID) -> Version:
    """Read one version of a live file.

    :raises NotFound: the actor knows of no such file, or it has no such version.
    """
    with db.read_transaction():
        file = _require_file(actor, node_id)
        version = require_row(models.Version.objects.filter(node_id=file.id, id=version_id).first())
    return to_versions(actor, [version], current_id=file.version_id)[0]


def _require_file(actor: Actor, node_id: UUID) -> NodeRow:
    """Find a live file that the actor may see, inside the open transaction."""
    way = access.require(actor, find_way(node_id, actor), Capability.VIEW)
    if way.node.is_folder:
        raise errors.NotAFile
    return way.node


def to_versions(actor: Actor, rows: Sequence[models.Version], *, current_id: UUID | None) -> list[Version]:
    """Make the DTOs of versions, with their authors' names; outside of any transaction."""
    names, by_link = _name_authors(actor, rows)
    return [_to_version(row, names, by_link, current_id=current_id) for row in rows]


def _name_authors(actor: Actor, rows: Sequence[models.Version]) -> tuple[Mapping[UUID, str], AbstractSet[UUID]]:
    """Name who has made versions: members, and those who have sent a file or an edit through a link, as they call themselves or else by it.

    Returns the names, and which of the authors are links.
    """
    members = identity.find_members(tenant=actor.tenant, user_ids={row.created_by for row in rows})
    named = {member.user.id: member.user.name or member.user.email for member in members}
    sent = {row.created_by: row.node_id for row in rows if row.made_on == BY_LINK and row.created_by not in named}
    if sent:
        found = naming.finder().find_names(actor, people=sent.keys(), sent=sent.values())
        named |= found.people
        named |= {link_id: found.senders[node_id] for link_id, node_id in sent.items() if node_id in found.senders}
    return named, sent.keys()


def _to_version(
    row: models.Version, names: Mapping[UUID, str], by_link: AbstractSet[UUID], *, current_id: UUID | None
) -> Version:
    return Version(
        id=row.id,
        node_id=row.node_id,
        is_current=row.id == current_id,
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        content_hash=row.content_hash,
        created_at=row.created_at,
        client_modified_at=row.client_modified_at,
        author=Author(
            id=row.created_by,
            name=names.get(row.created_by, ""),
            kind="link" if row.created_by in by_link else "person",
        ),
        made_on=row.made_on,
        label=row.label,
        pinned=row.pinned,
        restored_from_id=row.restored_from_id,
    )
