"""Doors of the trash: each root has its own, and what lies there keeps its place in it until it is deleted for ever."""

from collections.abc import Collection, Sequence
from uuid import UUID

from apps.files import limits, trash_listing
from apps.files.dtos import (
    RESTORE_LIMIT,
    NodeRef,
    OnConflict,
    OpenedTrash,
    RestoredNode,
    RestoreOutcome,
    TrashedNode,
)
from apps.files.errors import TooManyAtOnce, TrashKept
from apps.files.operations import purging, rekeying, restoring, trash
from bitvault.kernel import clock, names
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.revisions import ExpectedRevision


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
    return trash_listing.list_trash(actor, root_id, limit=limit, cursor=cursor)


@exposed
def find_trashed(*, actor: Actor, node_ids: Collection[UUID]) -> dict[UUID, TrashedNode]:
    """Read those of some nodes that were put into a trash which the actor may look into, as ``list_trash`` shows them."""
    actor.require_scope(Scope.FILES_READ)
    return trash_listing.find_trashed(actor, node_ids)


@exposed
def find_trash_cursor(*, actor: Actor, root_id: NodeRef = "root", at: int) -> str | None:
    """Make a cursor with which ``list_trash`` goes on at the row of this index, from 0; ``None`` is the beginning or past the end."""
    actor.require_scope(Scope.FILES_READ)
    return trash_listing.find_trash_cursor(actor, root_id, at=at)


@exposed
def find_trash_index(*, actor: Actor, root_id: NodeRef = "root", prefix: str, after: int = -1) -> int | None:
    """Find the next thing in the trash whose name begins with ``prefix``, as an index in its list from 0; it goes round at the end.

    ``after`` is the index that the search begins behind; case and spelling are compared as names are.
    """
    actor.require_scope(Scope.FILES_READ)
    return trash_listing.find_trash_index(actor, root_id, prefix=prefix, after=after)


@exposed
def open_trash(*, actor: Actor, root_id: NodeRef = "root", limit: int = PAGE_DEFAULT) -> OpenedTrash:
    """Read what a page of the trash of a root shows, in one transaction; see ``list_trash``."""
    actor.require_scope(Scope.FILES_READ)
    return trash_listing.open_trash(actor, root_id, limit=limit)


@exposed
def trash_node(*, actor: Actor, node_id: NodeRef, expected_revision: ExpectedRevision = "any") -> None:
    """Put a node, with all below it, into the trash, for as many days as the plan says (``kernel.policies``).

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
) -> RestoredNode:
    """Take a node, with all that went with it, out of the trash: to where it was, or into ``parent_id``, or under ``name``.

    When the folder that it was in is not there any more (deleted permanently, or in the trash itself), it goes to the nearest one above
    that is; the answer says where. ``on_conflict`` decides about a name that is taken there: it is refused (``fail``), becomes ``name (2)``
    (``rename``), or what has it goes into the trash (``replace``).

    :raises NotFound: there is no such node in the trash, or ``parent_id`` is not there.
    :raises NameTaken: a live sibling there has a name with the same key.
    :raises InvalidName, NotAFolder, TooDeep, PathTooLong, TooManyChildren: as for a move.
    """
    actor.require_scope(Scope.FILES_WRITE)
    parsed = names.parse(name) if name is not None else None
    return restoring.restore(actor=actor, node_id=node_id, parent_id=parent_id, name=parsed, on_conflict=on_conflict)


@exposed
def restore_nodes(
    *, actor: Actor, node_ids: Sequence[UUID], on_conflict: OnConflict = "rename"
) -> list[RestoreOutcome]:
    """Take up to 1000 nodes out of the trash, each to where it was as ``restore_node`` does; the order of the ids changes nothing.

    What lies in a folder of the set goes back into that folder. Outcomes come in the order of the ids; one that is refused stays in the
    trash and keeps none of the others there. A node that is live already stays as it is, so the call can be repeated.

    :raises TooManyAtOnce: there are more.
    """
    actor.require_scope(Scope.FILES_WRITE)
    if len(node_ids) > RESTORE_LIMIT:
        raise TooManyAtOnce(limit=RESTORE_LIMIT)
    return restoring.restore_set(actor=actor, node_ids=node_ids, on_conflict=on_conflict)


@exposed
def purge_node(*, actor: Actor, node_id: UUID) -> None:
    """Delete a node in the trash for ever, with all below it. It is gone at once; a large one is cleared away in the background.

    :raises OnHold, KeptByRule: a legal hold or a retention rule keeps it, or something in it.
    """
    actor.require_scope(Scope.FILES_WRITE)
    marked = purging.mark_one(actor=actor, node_id=node_id)
    purging.purge_or_send(marked, batches=limits.PURGE_BATCHES_AT_ONCE)


@exposed
def empty_trash(*, actor: Actor, root_id: NodeRef = "root") -> None:
    """Delete all that lies in the trash of a root for ever. It is gone at once; what is much is cleared away in the background.

    :raises TrashKept: legal holds or retention rules keep some of it; the rest is gone.
    """
    actor.require_scope(Scope.FILES_WRITE)
    marked: list[UUID] = []
    kept_count = 0
    looked: purging.Looked | None = None
    while (looked := purging.mark_all(actor=actor, root=root_id, after=looked)) is not None:
        marked += looked.marked
        kept_count += looked.kept_count
    purging.purge_or_send(marked, batches=limits.PURGE_BATCHES_AT_ONCE)
    if kept_count:
        raise TrashKept(deleted_count=len(marked), kept_count=kept_count)


@exposed
def purge_expired() -> int:
    """Delete permanently what is due in the entered tenant, and finish purges that were begun; returns how many are through.

    It goes on until nothing is due: a job does it (``files.purge``).
    """
    now = clock.now()
    purging.forget_settled(before=now - limits.SETTLED_RETENTION)
    purging.give_back()
    count = 0
    while True:
        due_count = purging.mark_expired(now=now)
        count += purging.purge(done_count=count).through_count
        if not due_count:
            return count


@exposed
def request_due_purge() -> bool:
    """Ask for the job that deletes what is due in the entered tenant, if something is; tells whether it did."""
    if not purging.is_anything_due(now=clock.now()):
        return False
    purging.request_purge(key="due")
    return True


@exposed
def rekey_names() -> int:
    """Bring the keys of the entered tenant's names up to the code, which older code beside it has written; returns how many were."""
    return rekeying.rekey(seconds=limits.REKEY_SECONDS)
