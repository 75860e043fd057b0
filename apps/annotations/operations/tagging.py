"""The tenant's tags, and putting them on nodes."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from apps.annotations import dtos, errors
from apps.annotations.models import NodeTag, Tag
from apps.annotations.operations.copies import Copy
from apps.annotations.queries import tags as queries
from apps.files import api as files
from bitvault.events.api import publish
from bitvault.events.catalog.annotations import NodeTagged, TagChanged, TagCreated, TagDeleted
from bitvault.kernel import clock, db, ids, names
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.errors import Forbidden, NotFound
from bitvault.kernel.permissions import Permission

TAGS_LIMIT = 500
"""Tags of a tenant: every page that offers them reads all."""

NODE_LIMIT = 20
"""Tags of one node."""

NAME_LIMIT = 60
"""Characters of a tag's name."""

_NAMES = "annotations.tags"
"""The lock under which names are compared."""


def create(*, actor: Actor, name: str, colour: dtos.TagColour) -> dtos.NodeLabel:
    """Make a tag; viewers and guests make none.

    :raises TagsAreKept, TagUnfit, TagNameTaken, TooManyTags: it is refused.
    """
    if actor.role is Role.VIEWER or actor.is_guest:
        raise errors.TagsAreKept("Viewers and guests make no tags.")
    name, key = _parse(name)
    with db.write_transaction(lock=_NAMES) as tx:
        _require_free(key)
        if Tag.objects.count() >= TAGS_LIMIT:
            raise errors.TooManyTags(limit=TAGS_LIMIT)
        row = Tag(
            id=ids.new_id(),
            name=name,
            name_key=key,
            colour=colour,
            created_by=actor.user_id,
            created_at=clock.now(),
        )
        row.save(force_insert=True)
        publish(TagCreated(actor_id=actor.user_id, tag_id=row.id, name=row.name, colour=row.colour))
        return tx.answer(queries.to_label(row))


def change(*, actor: Actor, tag_id: UUID, name: str | None, colour: dtos.TagColour | None) -> dtos.NodeLabel:
    """Give a tag another name or colour; what holds already changes nothing.

    :raises NotFound: there is none.
    :raises PermissionMissing: the actor does not manage tags: their names change on what others have tagged.
    :raises TagUnfit, TagNameTaken: it is refused.
    """
    actor.require_permission(Permission.MANAGE_TAGS)
    parsed = None if name is None else _parse(name)
    with db.write_transaction(lock=_NAMES) as tx:
        row = _lock(tag_id)
        before = row.name, row.colour
        if parsed is not None:
            _require_free(parsed[1], except_id=row.id)
            row.name, row.name_key = parsed
        row.colour = colour or row.colour
        if (row.name, row.colour) != before:
            row.save()
            publish(TagChanged(actor_id=actor.user_id, tag_id=row.id, name=row.name, colour=row.colour))
        return tx.answer(queries.to_label(row))


def delete(*, actor: Actor, tag_id: UUID) -> None:
    """Delete a tag, from all nodes too.

    :raises NotFound: there is none.
    :raises PermissionMissing: the actor does not manage tags.
    """
    actor.require_permission(Permission.MANAGE_TAGS)
    with db.write_transaction():
        row = _lock(tag_id)
        row.delete()
        publish(TagDeleted(actor_id=actor.user_id, tag_id=tag_id))


def put_on(*, actor: Actor, node_id: UUID, tag_id: UUID) -> None:
    """Put a tag on a node; one that it has stays.

    :raises NotFound: there is no such node that the actor may know of, or no such tag.
    :raises Forbidden: the actor may not edit the node.
    :raises TooManyTags: the node has as many as one can have.
    """
    require_edit(actor, node_id)
    with db.write_transaction():
        _lock(tag_id)
        rows = NodeTag.objects.filter(node_id=node_id)
        if rows.filter(tag_id=tag_id).exists():
            return
        if rows.count() >= NODE_LIMIT:
            raise errors.TooManyTags(limit=NODE_LIMIT)
        NodeTag.objects.create(
            id=ids.new_id(), tag_id=tag_id, node_id=node_id, tagged_by=actor.user_id, tagged_at=clock.now()
        )
        _tell(actor.user_id, [node_id])


def take_from(*, actor: Actor, node_id: UUID, tag_id: UUID) -> None:
    """Take a tag from a node; one that it has not changes nothing.

    :raises NotFound: there is no such node that the actor may know of, or no such tag.
    :raises Forbidden: the actor may not edit the node.
    """
    require_edit(actor, node_id)
    with db.write_transaction():
        _lock(tag_id)
        count, _ = NodeTag.objects.filter(node_id=node_id, tag_id=tag_id).delete()
        if count:
            _tell(actor.user_id, [node_id])


def carry_to_copies(copies: Sequence[Copy]) -> None:
    """Put the tags of originals on their copies, in the open transaction of the consumer."""
    held: dict[UUID, list[UUID]] = {}
    source_ids = {copy.source_id for copy in copies}
    for node_id, tag_id in NodeTag.objects.filter(node_id__in=source_ids).values_list("node_id", "tag_id"):
        held.setdefault(node_id, []).append(tag_id)
    tagged = [copy for copy in copies if copy.source_id in held]
    new = [
        NodeTag(tag_id=tag_id, node_id=copy.node_id, tagged_by=copy.made_by, tagged_at=clock.now())
        for copy in tagged
        for tag_id in held[copy.source_id]
    ]
    NodeTag.objects.bulk_create(new, ignore_conflicts=True)
    for copy in tagged:
        _tell(copy.made_by, [copy.node_id])


def _tell(user_id: UUID, node_ids: Sequence[UUID]) -> None:
    found: Mapping[UUID, Sequence[dtos.NodeLabel]] = queries.find_of_nodes(node_ids)
    for node_id in node_ids:
        labels = found.get(node_id, ())
        publish(
            NodeTagged(
                actor_id=user_id,
                node_id=node_id,
                tag_ids=[label.id for label in labels],
                tag_names=[label.name for label in labels],
            )
        )


def require_edit(actor: Actor, node_id: UUID) -> None:
    """Judge whether somebody may note something on a node.

    :raises NotFound: there is no such node that the actor may know of.
    :raises Forbidden: the actor may not edit the node.
    """
    node = files.get_node(actor=actor, node_id=node_id)
    if "edit" not in node.capabilities:
        raise Forbidden("This needs the capability edit.", capability="edit")


def _lock(tag_id: UUID) -> Tag:
    """Hold a tag's row, so that none is put on a node while it is deleted."""
    row = Tag.objects.select_for_update().filter(pk=tag_id).first()
    if row is None:
        raise NotFound
    return row


def _parse(text: str) -> tuple[str, str]:
    """Read a tag's name, and the key by which names are one.

    :raises TagUnfit: it cannot be used.
    """
    name = " ".join(text.split())
    if not name or len(name) > NAME_LIMIT or "," in name or not name.isprintable():
        raise errors.TagUnfit(limit=NAME_LIMIT)
    return name, names.key_of(name)


def _require_free(key: str, *, except_id: UUID | None = None) -> None:
    taken = Tag.objects.filter(name_key=key).first()
    if taken is not None and taken.id != except_id:
        raise errors.TagNameTaken(tag_id=taken.id)
