"""Edit beats delete: a file that was deleted while somebody worked on it comes back when their edit arrives.

It comes back alone: what else lay in the folder that was deleted with it stays in the trash. Where it was is where it goes, or the nearest
place that is still there; a name that is taken by now gets a number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.files import access
from apps.files.models import Trash
from apps.files.operations.restoring import find_nearest
from apps.files.operations.trash import write_restore
from apps.files.rows import Way, find_ways
from apps.files.tree import place, require_folder
from bitvault.events.api import publish
from bitvault.events.catalog.files import NodeRestored
from bitvault.kernel import names
from bitvault.kernel.actor import Actor, ActorKind
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Deleted:
    """A node in the trash: the way to it, the way to the root that its trash belongs to, and where it would go back to."""

    way: Way
    root: Way
    origin_id: UUID
    """Its folder: the one that it was deleted from, or the one that it was deleted with."""
    refuge: Way
    """The folder that the deletion was done in, or the nearest one above it that is left, as far as the actor reaches."""
    lay_in_ids: Sequence[UUID]
    """The node itself and what it lay in, as far as that is known."""

    def find_mask(self, actor: Actor) -> int:
        """Tell what the actor could do with it where it lay."""
        return access.find_mask_in_trash(actor, self.root, self.lay_in_ids)

    def require_editable(self, actor: Actor) -> None:
        """Refuse to bring it back where the actor could not edit it.

        :raises NotFound, Forbidden: they could not.
        """
        access.require_in_trash(actor, self.root, self.lay_in_ids, Capability.EDIT)


def find_deleted(actor: Actor, way: Way | None) -> Deleted | None:
    """Find what there is to know of a node in the trash; ``None`` when it is live, purged, or being purged, and for a link's visitors.

    What was deleted is deleted for them: no edit of theirs brings it back.
    """
    if way is None or way.is_live or actor.kind is ActorKind.LINK:
        return None
    entry = Trash.objects.filter(node_id=way.root.id, purging=False).first()
    if entry is None:
        return None
    lay_in = entry.list_origins()
    ways = find_ways([entry.root_id, *lay_in[:1]])
    root = ways.get(entry.root_id)
    if root is None:
        return None
    refuge = ways.get(lay_in[0]) if lay_in else None
    if refuge is None or not access.find_mask(actor, refuge):
        refuge = find_nearest(actor, lay_in)[0] or root
    return Deleted(
        way=way,
        root=root,
        origin_id=way.node.parent_id or next(iter(lay_in), root.node.id),
        refuge=refuge,
        lay_in_ids=[*(row.id for row in way.rows), *lay_in],
    )


def require_returnable(actor: Actor, way: Way | None) -> Deleted:
    """Find a node in the trash that the actor may bring back.

    :raises NotFound: there is none, or the actor may not know of it.
    :raises Forbidden: the actor may see it only.
    """
    deleted = find_deleted(actor, way)
    if deleted is None:
        raise NotFound
    deleted.require_editable(actor)
    return deleted


def bring_back(actor: Actor, deleted: Deleted) -> Way:
    """Take one file out of the trash, under the tree lock; returns its way from where it lies now.

    :raises NotFound, Forbidden: the actor may not edit there.
    :raises TooDeep, PathTooLong, TooManyChildren: it does not fit there any more.
    """
    deleted.require_editable(actor)
    parent = require_folder(access.require(actor, deleted.refuge, Capability.ADD))
    node = deleted.way.node
    row = place(
        parent,
        names.of_stored(node.name),
        lambda free: write_restore(node, parent, free),
        autorename=True,
        is_folder=node.is_folder,
    )
    publish(
        NodeRestored(
            actor_id=actor.user_id,
            node_id=row.id,
            kind=row.kind_name,
            parent_id=parent.node.id,
            name=row.name,
            revision=row.revision,
            media_type=None if row.is_folder else row.media_type,
        )
    )
    return Way([row, *parent.rows])


def find_refuge(actor: Actor, parent_id: UUID) -> Way:
    """Find a folder for what was meant for another one that may be gone: that one, the nearest that is still there, or the actor's root.

    :raises NotFound, Forbidden: the actor may not bring files there.
    """
    ways = find_ways([parent_id], root_of=actor)
    place_for_it = ways.get(parent_id)
    if place_for_it is None or not place_for_it.is_live:
        deleted = find_deleted(actor, place_for_it)
        own = (way for way in ways.values() if way.node.owner_user_id == actor.user_id)
        place_for_it = deleted.refuge if deleted is not None else next(own, None)
    return require_folder(access.require(actor, place_for_it, Capability.ADD))
