"""Who may do what with a node: judged here, with what the actor carries and the ancestry that was read anyway.

Capabilities are inherited downwards. What somebody has is the union of what applies on the way up: all of them in one's own personal
root, and in team folders for who administers the tenant; and on each node what the actor's own permissions give (``actor.reach``). Role and
token cut that (``actor.ceiling``, ``actor.folder_id``). Whoever has nothing at all does not learn that the node exists: for them it is not
found, like one that never was. Above the topmost node that somebody reaches they see nothing: there it has no parent.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from apps.files.dtos import Node, Path
from apps.files.errors import RootFixed
from apps.files.rows import NodeRow, Way, to_node
from bitvault.kernel.actor import Actor, ActorKind
from bitvault.kernel.capabilities import EVERYTHING, NOTHING, Capability, CapabilityName, names_of
from bitvault.kernel.errors import Denied, Forbidden, NotFound
from bitvault.kernel.permissions import Permission


def find_mask(actor: Actor, way: Way | None) -> int:
    """Tell what the actor may do with the live node at the lower end of ``way``, as a mask; 0 when they may not know of it."""
    if way is None or not way.is_live:
        return NOTHING
    return _judge(actor, way.root, way.rows)


def _judge(actor: Actor, root: NodeRow, rows: Sequence[NodeRow]) -> int:
    if actor.folder_id is not None and all(row.id != actor.folder_id for row in rows):
        return NOTHING
    mask = _find_mask_of_root(actor, root)
    if actor.reach:
        for row in rows:
            mask |= actor.reach.at(row.id)
    return mask & actor.ceiling


def _find_mask_of_root(actor: Actor, root: NodeRow) -> int:
    if root.is_team_folder:
        return EVERYTHING if actor.may(Permission.MANAGE_TEAM_FOLDERS) else NOTHING
    is_own = actor.kind is ActorKind.USER and root.owner_user_id == actor.user_id
    return EVERYTHING if is_own else NOTHING


def add_own(actor: Actor, mask: int, node_id: UUID) -> int:
    """Tell what the actor may do with a node of which they have ``mask`` by what lies above it."""
    return mask | actor.reach.at(node_id) & actor.ceiling if actor.reach else mask


def knows(actor: Actor, way: Way, mask: int) -> bool:
    """Tell whether somebody with ``mask`` may know of a node: who may view it, and who has a permission on just this one."""
    return bool(mask & Capability.VIEW or (mask and actor.reach.at(way.node.id)))


def sees_parent(actor: Actor, way: Way) -> bool:
    """Tell whether a live node has a parent for the actor: what lies above the topmost node that they reach, they do not see."""
    if way.depth == 0:
        return False
    above = Way(way.rows[1:])
    return knows(actor, above, find_mask(actor, above))


def list_visible(actor: Actor, way: Way) -> list[tuple[NodeRow, int]]:
    """List the rows of a way that the actor sees, topmost first, each with its mask."""
    ways = (Way(way.rows[start:]) for start in range(len(way.rows)))
    masks = [(one, find_mask(actor, one)) for one in ways]
    return [(one.node, mask) for one, mask in reversed(masks) if knows(actor, one, mask)]


def describe(actor: Actor, way: Way) -> Node:
    """Give the node at the lower end of a way as the actor may see it."""
    return to_node(way.node, names_of(find_mask(actor, way)), hides_parent=not sees_parent(actor, way))


def to_path(actor: Actor, way: Way) -> Path:
    """Give the nodes from the topmost one that the actor sees down to one that they may know of."""
    visible = list_visible(actor, way)
    top = visible[0][0]
    return Path(
        items=[to_node(row, names_of(mask), hides_parent=row is top) for row, mask in visible],
        team_folder_id=top.id if top.is_team_folder else None,
        is_own=top.is_root and top.owner_user_id == actor.user_id,
    )


def require(actor: Actor, way: Way | None, capability: Capability) -> Way:
    """Refuse what the actor may not do; returns the way.

    :raises NotFound: there is no such live node, or the actor may not know of it.
    :raises Forbidden: the actor may know of it but lacks ``capability``.
    """
    mask = find_mask(actor, way)
    if way is not None and mask & capability:
        return way
    require_known(actor, way)
    raise _lacking(capability)


def require_known(actor: Actor, way: Way | None) -> Way:
    """Refuse a node that the actor may not know of; returns the way.

    :raises NotFound: there is no such live node, or the actor may not know of it.
    """
    if way is None or not knows(actor, way, find_mask(actor, way)):
        raise NotFound().about(Denied(node_id=way.node.id) if way is not None and way.is_live else None)
    return way


def require_movable(actor: Actor, way: Way) -> Way:
    """Refuse to move, rename or trash what is the actor's own root, or the topmost node that they reach in a tree; returns the way.

    :raises RootFixed: it is.
    """
    if not sees_parent(actor, way):
        raise RootFixed
    return way


def require_leave(actor: Actor, way: Way, target: Way) -> None:
    """Refuse to take something out of another person's tree: for its owner that would be a loss. Who manages it may.

    :raises Forbidden: the actor may not.
    """
    owner_id = way.root.owner_user_id
    if way.root.id != target.root.id and owner_id not in (None, actor.user_id):
        require(actor, way, Capability.MANAGE)


def find_mask_in_trash(actor: Actor, root: Way | None, origin_ids: Iterable[UUID]) -> int:
    """Tell what the actor may do with something in the trash: what they could where it was.

    :param root: the root in whose trash it is.
    :param origin_ids: the node itself, and what it lay in.
    """
    if root is None or not root.is_live:
        return NOTHING
    ids = set(origin_ids)
    if actor.folder_id is not None and actor.folder_id not in {*ids, root.node.id}:
        return NOTHING
    mask = find_mask(actor, root) if actor.folder_id is None else _find_mask_of_root(actor, root.node)
    for node_id in ids:
        mask |= actor.reach.at(node_id)
    return mask & actor.ceiling


def require_in_trash(actor: Actor, root: Way | None, origin_ids: Iterable[UUID], capability: Capability) -> None:
    """Refuse what the actor may not do with something in the trash.

    :raises NotFound: the actor may not know of it.
    :raises Forbidden: the actor could see it where it was but lacks ``capability``.
    """
    mask = find_mask_in_trash(actor, root, origin_ids)
    if not mask & capability:
        if not mask & Capability.VIEW:
            raise NotFound
        raise _lacking(capability)


def find_mask_of_ended(actor: Actor) -> int:
    """Tell what the actor may do with team folders that have ended: who administers the tenant brings them back or deletes them."""
    return (
        EVERYTHING & actor.ceiling if actor.may(Permission.MANAGE_TEAM_FOLDERS) and actor.folder_id is None else NOTHING
    )


def require_root(way: Way) -> Way:
    """Refuse a node that is no root where only one makes sense; returns the way.

    :raises NotFound: there is no such root.
    """
    if not way.node.is_root:
        raise NotFound
    return way


def require_ended_team_folder(actor: Actor, way: Way | None) -> Way:
    """Refuse everybody but who administers the tenant: nobody else knows of a team folder that has ended; returns the way.

    :raises NotFound: it is none, or the actor is no administrator.
    :raises Forbidden: the credential may not write.
    """
    mask = find_mask_of_ended(actor)
    if way is None or way.is_live or not way.node.is_team_folder or not mask:
        raise NotFound
    if not mask & Capability.MANAGE:
        raise _lacking(Capability.MANAGE)
    return way


def _lacking(capability: Capability) -> Forbidden:
    name: CapabilityName = names_of(capability)[0]
    return Forbidden(f"This needs the capability {name}.", capability=name)
