"""Room for what adds to the vault without an upload: held while Files makes it, then charged for what it took, or given back."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from apps.billing import api as billing
from apps.files.api import roots
from bitvault.kernel import clock
from bitvault.kernel.actor import Actor

T = TypeVar("T")

HELD_FOR = timedelta(minutes=5)
"""How long room is held: a request, and a page of a job, take seconds. What a process that died has left lapses then, and the nightly
recount charges what was made."""


def find_root(node_id: UUID) -> UUID | None:
    """Find where the tree begins that something adds to, where any has a limit."""
    return roots.find_root_id(node_id=node_id) if billing.has_limited_roots() else None


def charged(
    make: Callable[[], tuple[T, int]], *, actor: Actor, cause_id: UUID, size_bytes: int, root_id: UUID | None
) -> T:
    """Make something for which there is room.

    :param make: gives what was made, and how many bytes that takes: what is charged.
    :param cause_id: names the promise.
    :param size_bytes: held meanwhile.
    :raises QuotaExceeded: there is not as much left; nothing was made.
    """
    billing.reserve(
        actor=actor, upload_id=cause_id, size_bytes=size_bytes, expires_at=clock.now() + HELD_FOR, root_id=root_id
    )
    try:
        made, taken_bytes = make()
    except Exception:
        billing.release(upload_id=cause_id)
        raise
    billing.settle(upload_id=cause_id, size_bytes=taken_bytes)
    return made
