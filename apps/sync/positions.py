"""Positions in the feed, and the cursors that carry them: opaque, signed, of one tenant and one device.

A cursor says everything that the server needs to know of what the device knows. So an answer that is lost is asked for again by the same
cursor, and no state on the server runs ahead of the device.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from bitvault.kernel import pages
from bitvault.kernel.pages import BadCursor

_PURPOSE = "sync.changes.1"
_PURPOSE_SNAPSHOT = "sync.snapshot.1"

ORDINAL_END = 2**31 - 1
"""Behind every row of an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a device has read: behind row ``ordinal`` of event ``seq``, under the roots that it knows.

    With ``snapshot_id`` it is in the middle of what lies under roots that are new to it, behind item ``snapshot_ordinal``.
    """

    device_id: UUID
    epoch: UUID
    seq: int
    ordinal: int = ORDINAL_END
    root_ids: frozenset[UUID] = frozenset()
    snapshot_id: UUID | None = None
    snapshot_ordinal: int = 0

    @property
    def complete_seq(self) -> int:
        """The last event of which nothing is missing."""
        return self.seq if self.ordinal == ORDINAL_END else self.seq - 1

    def knowing(self, root_ids: Collection[UUID]) -> "Position":
        """Give the same place with other roots known, outside of any snapshot."""
        return replace(self, root_ids=frozenset(root_ids), snapshot_id=None, snapshot_ordinal=0)

    def encode(self) -> str:
        """Make the cursor."""
        roots = "".join(sorted(root_id.hex for root_id in self.root_ids))
        facts = [self.device_id.hex, self.epoch.hex, self.seq, self.ordinal, roots]
        if self.snapshot_id is not None:
            facts += [self.snapshot_id.hex, self.snapshot_ordinal]
        return pages.encode_cursor(_PURPOSE, facts)


def decode(cursor: str) -> Position:
    """Read a cursor.

    :raises BadCursor: it was not made here for this tenant.
    """
    device_id, epoch, seq, ordinal, roots, *more = pages.decode_cursor(_PURPOSE, cursor)
    return Position(
        device_id=UUID(device_id),
        epoch=UUID(epoch),
        seq=seq,
        ordinal=ordinal,
        root_ids=frozenset(UUID(roots[begin : begin + 32]) for begin in range(0, len(roots), 32)),
        snapshot_id=UUID(more[0]) if more else None,
        snapshot_ordinal=more[1] if more else 0,
    )


def encode_page(device_id: UUID, snapshot_id: UUID, ordinal: int) -> str:
    """Make the cursor of a snapshot's next page."""
    return pages.encode_cursor(_PURPOSE_SNAPSHOT, [device_id.hex, snapshot_id.hex, ordinal])


def decode_page(cursor: str, device_id: UUID) -> tuple[UUID, int]:
    """Read the cursor of a snapshot's next page: which snapshot, and behind which item.

    :raises BadCursor: it was not made here for this tenant and device.
    """
    owner, snapshot_id, ordinal = pages.decode_cursor(_PURPOSE_SNAPSHOT, cursor)
    if UUID(owner) != device_id:
        raise BadCursor
    return UUID(snapshot_id), ordinal
