"""The doors of locks: a file that one person alone may change for a while."""

from datetime import datetime
from uuid import UUID

from apps.files.dtos import Node
from apps.files.operations import locking
from apps.identity import api as identity
from bitvault.kernel import clock
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed


@exposed
def lock_node(
    *,
    actor: Actor,
    node_id: UUID,
    reason: str | None = None,
    expires_at: datetime | None = None,
    device: str = "",
) -> Node:
    """Lock a file for the actor alone, or give the lock that they have another end or reason; what is not given is as before, or as usual.

    Until ``expires_at`` nobody else changes its content, name, place or existence, nor takes a folder around it away; reading it,
    comments, tags, versions' labels and shares stay as they are.

    :raises NotAFile: the node is a folder.
    :raises NodeLocked: somebody else has locked it.
    :raises BadLockEnd: ``expires_at`` is over, or later than the installation allows.
    :raises TooManyLocks: the actor, or the tenant, has locked as many files as can be.
    """
    actor.require_scope(Scope.FILES_WRITE)
    people = identity.name_people(tenant=actor.tenant, user_ids=[actor.user_id])
    return locking.lock(
        actor=actor,
        node_id=node_id,
        holder_name=people.get(actor.user_id, ""),
        device=device,
        reason=None if reason is None else reason.strip(),
        expires_at=None if expires_at is None else clock.to_utc(expires_at),
    )


@exposed
def unlock_node(*, actor: Actor, node_id: UUID, force: bool = False) -> int | None:
    """End the actor's lock, or with ``force`` anybody's, for who manages the file: the holder is told.

    Returns the file's revision then; ``None`` where there was nothing to end, which is no error.

    :raises NodeLocked: it is somebody else's, and ``force`` is not set.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return locking.unlock(actor=actor, node_id=node_id, force=force)


@exposed
def sweep_locks() -> int:
    """Clear the locks of the entered tenant whose time is over, with an event for each; returns how many."""
    return locking.sweep()
