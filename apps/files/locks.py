"""What a lock forbids: whoever would change a file that somebody else has locked, or take a folder around one away, is refused here.

Every function that writes a node's content, name, place or existence asks first (``tests/apps/files/test_locked_writes.py`` knows all of
them). It asks inside of its transaction: locks are taken under the tree lock with commits held, so none comes between question and write.
"""

from collections.abc import Sequence
from uuid import UUID

from apps.files import errors
from apps.files.dtos import Lock
from apps.files.rows import NodeRow, Way, fetch_all, fetch_one, find_lock
from apps.files.sql.walks import HAS_LOCKED_BELOW, LOCKED_BELOW
from bitvault.kernel.actor import Actor, ActorKind


def holds(actor: Actor, lock: Lock) -> bool:
    """Tell whether a lock is the actor's own: whoever comes through a link is somebody else."""
    return actor.kind is ActorKind.USER and actor.user_id == lock.holder_id


def require_unlocked(actor: Actor, node: NodeRow) -> None:
    """Refuse to change a file that somebody else has locked.

    :raises NodeLocked: somebody has.
    """
    refuse_locked(actor, node.id, node.name, node.lock)


def refuse_locked(actor: Actor, node_id: UUID, name: str, stored: str | None) -> None:
    """Refuse to change a file with such a lock, as it is stored; see ``require_unlocked``. Visitors of a link are not told whose it is."""
    lock = find_lock(stored)
    if lock is not None and not holds(actor, lock):
        if actor.kind is ActorKind.LINK:
            raise errors.NodeLocked("“%(name)s” is locked.", node_id=node_id, name=name)
        raise errors.NodeLocked(
            "%(holder_name)s has locked “%(name)s”." if lock.holder_name else "“%(name)s” is locked.",
            node_id=node_id,
            name=name,
            holder_name=lock.holder_name,
            lock=lock,
        )


def require_all_unlocked(actor: Actor, way: Way) -> Sequence[NodeRow]:
    """Refuse to move, rename or trash a node that somebody else has locked, or in which a file lies that somebody else has.

    Returns the node and files below it that have a lock, of the actor's own or expired. Call it under the tree lock.

    :raises NodeLocked: somebody has.
    """
    locked = [way.node] if way.node.lock is not None else list_locked_below(way.node)
    for row in locked:
        require_unlocked(actor, row)
    return locked


def is_free(actor: Actor, way: Way) -> bool:
    """Tell whether ``require_all_unlocked`` lets the actor through."""
    try:
        require_all_unlocked(actor, way)
    except errors.NodeLocked:
        return False
    return True


def list_locked_below(folder: NodeRow) -> list[NodeRow]:
    """List files anywhere below a node that have a lock, expired or not."""
    if not folder.child_count or not fetch_one(HAS_LOCKED_BELOW, [folder.id])[0]:
        return []
    return [NodeRow._make(row) for row in fetch_all(LOCKED_BELOW, [folder.id])]
