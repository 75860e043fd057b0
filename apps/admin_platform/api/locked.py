"""The door of the copies of anchors in a bucket with Object Lock: for the installation, past all actors."""

from datetime import datetime

from apps.admin_platform import anchor_copies, locked_bucket
from apps.admin_platform.anchor_copies import Waiting
from apps.admin_platform.dtos import AnchorTurn
from apps.admin_platform.locked_bucket import LockedBucket, Trouble
from bitvault.kernel.boundary import exposed

__all__ = [
    "LockedBucket",
    "Trouble",
    "copy_anchors",
    "count_waiting_anchors",
    "find_anchor_turn",
    "find_locked_bucket",
    "note_anchor_turn",
]


@exposed
def find_locked_bucket() -> LockedBucket | None:
    """Give the bucket that anchors are copied to, if there is one."""
    return locked_bucket.find_configured()


@exposed
def copy_anchors(*, bucket: LockedBucket, limit: int, until: float) -> int:
    """Copy the next anchors of the entered tenant; returns how many.

    :param until: when the next one is not begun any more (``time.monotonic``).
    :raises Trouble: one could not be put.
    """
    return anchor_copies.copy(bucket, limit=limit, until=until)


@exposed
def count_waiting_anchors(*, bucket: LockedBucket) -> Waiting:
    """Count what was not copied of the entered tenant's anchors."""
    return anchor_copies.count_waiting(bucket)


@exposed
def note_anchor_turn(
    *, bucket: LockedBucket, waiting_count: int, waiting_since: datetime | None, trouble: Trouble | None
) -> None:
    """Note how far a turn over all tenants has come."""
    anchor_copies.note_turn(bucket, waiting_count=waiting_count, waiting_since=waiting_since, trouble=trouble)


@exposed
def find_anchor_turn() -> AnchorTurn | None:
    """Tell how far the copies are; ``None``: anchors are copied nowhere. One query."""
    bucket = locked_bucket.find_configured()
    return None if bucket is None else anchor_copies.find_turn(bucket)
