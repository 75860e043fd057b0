"""Doors of the trash: each root has its own, and what lies there keeps its place in it until it is deleted for ever."""

from uuid import UUID

from apps.files import limits, queries
from apps.files.dtos import ExpectedRevision, Node, NodeRef, OnConflict, TrashedNode
from apps.files.operations import purging, trash
from bitvault.kernel import clock, names
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page


@exposed
def list_trash(
    *, actor: Actor, root_id: NodeRef = "root", limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[TrashedNode]:
    """Read a page of the trash of a root, latest first: the tops of what was put there, not what hangs below them.

    The trash of a team folder is for those who may edit there.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return queries.list_trash(actor, root_id, limit=limit, cursor=cursor)


@exposed
def trash_node(*, actor: Actor, node_id: NodeRef, expected_revision: ExpectedRevision = "any") -> None:
    """Put a node, with all below it, into the trash for 30 days.

    :raises RevisionMismatch: the node has moved on since ``expected_revision``.
    :raises RootFixed: the node is a root.
    """
    actor.require_scope(Scope.FILES_WRITE)
    trash.trash(actor=actor, node_id=node_id, expected_revision=expected_revision)


@exposed
def restore_node(
    *,
    actor: Actor,
    node_id: UUID,
    parent_id: UUID | None = None,
    name: str | None = None,
    on_conflict: OnConflict = "fail",
) -> Node:
    """Take a node, with all that went with it, out of the trash: to where it was, or into ``parent_id``, or under ``name``.

    ``on_conflict`` decides when that cannot be. ``fail``: a taken name or a vanished folder is refused. ``rename``: a taken name becomes
    ``name (2)``, and a folder that is not there any more is replaced by the root.

    :raises ParentGone: where it was is not there any more (deleted, or in the trash itself).
    :raises NameTaken: a live sibling there has a name with the same key.
    :raises InvalidName, NotAFolder, TooDeep, PathTooLong, TooManyChildren: as for a move.
    """
    actor.require_scope(Scope.FILES_WRITE)
    parsed = names.parse(name) if name is not None else None
    return trash.restore(actor=actor, node_id=node_id, parent_id=parent_id, name=parsed, on_conflict=on_conflict)


@exposed
def purge_node(*, actor: Actor, node_id: UUID) -> None:
    """Delete a node in the trash for ever, with all below it. It is gone at once; a large one is cleared away in the background."""
    actor.require_scope(Scope.FILES_WRITE)
    marked = purging.mark_one(actor=actor, node_id=node_id)
    purging.purge_or_send(marked, batches=limits.PURGE_BATCHES_AT_ONCE)


@exposed
def empty_trash(*, actor: Actor, root_id: NodeRef = "root") -> None:
    """Delete all that lies in the trash of a root for ever. It is gone at once; what is much is cleared away in the background."""
    actor.require_scope(Scope.FILES_WRITE)
    marked = []
    while some := purging.mark_all(actor=actor, root=root_id):
        marked += some
    purging.purge_or_send(marked, batches=limits.PURGE_BATCHES_AT_ONCE)


@exposed
def purge_expired() -> int:
    """Delete for ever what is due in the entered tenant, and finish purges that were begun; returns how many are through.

    One run does a bounded amount of work; what is left waits for the next.
    """
    now = clock.now()
    purging.forget_settled(before=now - limits.SETTLED_RETENTION)
    purging.mark_expired(now=now)
    return purging.purge_some(purging.list_marked(), batches=limits.PURGE_BATCHES_PER_RUN)
