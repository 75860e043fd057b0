"""Positions in the feed, and the cursors that carry them: opaque, signed, of one tenant and one device.

A cursor says everything that the server needs to know of what the device knows. So an answer that is lost is asked for again by the same
cursor, and no state on the server runs ahead of the device.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from uuid import UUID

from apps.sync.errors import CursorExpired
from bitvault.kernel import pages
from bitvault.kernel.pages import BadCursor

_PURPOSE = "sync.changes.4"
_OLD_PURPOSES = ("sync.changes.3",)
"""Of cursors that older code has made: a fresh snapshot leads on."""
_PURPOSE_SNAPSHOT = "sync.snapshot.1"

ORDINAL_END = 2**31 - 1
"""Behind every row of an event."""

Rights = Mapping[UUID, int]
"""The roots that an actor reaches, with what they may do there: masks of ``kernel.capabilities``."""

UNTOLD = 0
"""In place of a mask: the device may have been told another than it has."""

_ROOT_LENGTH = 34
"""Of a root in a cursor: 32 hexadecimal digits and two for its mask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a device has read: behind row ``ordinal`` of event ``seq``, under the roots that it knows.

    It was told what is gone up to row ``swept_ordinal`` of event ``swept_seq`` only: in the middle of a long way that is further back.
    With ``snapshot_id`` it is in the middle of what lies under roots that are new to it, behind item ``snapshot_ordinal``.
    """

    device_id: UUID
    epoch: UUID
    seq: int
    ordinal: int = ORDINAL_END
    swept_seq: int
    swept_ordinal: int = ORDINAL_END
    masks: Mapping[UUID, int] = field(default_factory=dict)
    """By known root, the mask that the device was told."""
    snapshot_id: UUID | None = None
    snapshot_ordinal: int = 0

    @property
    def root_ids(self) -> frozenset[UUID]:
        """The roots that the device knows."""
        return frozenset(self.masks)

    @property
    def complete_seq(self) -> int:
        """The last event of which nothing is missing."""
        return self.swept_seq if self.swept_ordinal == ORDINAL_END else self.swept_seq - 1

    @property
    def is_swept(self) -> bool:
        """Whether the device was told what is gone as far as it was told what is there."""
        return (self.swept_seq, self.swept_ordinal) == (self.seq, self.ordinal)

    def told(self, seq: int, ordinal: int = ORDINAL_END) -> "Position":
        """Give the place behind a row, up to which the device was told what is there."""
        return replace(self, seq=seq, ordinal=ordinal)

    def swept(self, seq: int, ordinal: int = ORDINAL_END) -> "Position":
        """Give the same place, where the device was told what is gone up to a row."""
        return replace(self, swept_seq=seq, swept_ordinal=ordinal)

    def forgetting(self, root_ids: Collection[UUID]) -> "Position":
        """Give the same place with fewer roots known, outside of any snapshot."""
        left = {root_id: mask for root_id, mask in self.masks.items() if root_id not in root_ids}
        return replace(self, masks=left, snapshot_id=None, snapshot_ordinal=0)

    def knowing(self, masks: Mapping[UUID, int]) -> "Position":
        """Give the same place with these roots known as well, or with these masks, outside of any snapshot."""
        return replace(self, masks={**self.masks, **masks}, snapshot_id=None, snapshot_ordinal=0)

    def told_otherwise(self, rights: Rights) -> dict[UUID, int]:
        """Tell which known roots have another mask than the device was told, and which."""
        return {root_id: rights[root_id] for root_id, mask in self.masks.items() if rights[root_id] != mask}

    def encode(self) -> str:
        """Make the cursor."""
        roots = "".join(sorted(f"{root_id.hex}{mask:02x}" for root_id, mask in self.masks.items()))
        facts = [self.device_id.hex, self.epoch.hex, self.seq, self.ordinal, self.swept_seq, self.swept_ordinal, roots]
        if self.snapshot_id is not None:
            facts += [self.snapshot_id.hex, self.snapshot_ordinal]
        return pages.encode_cursor(_PURPOSE, facts)


def begin(device_id: UUID, epoch: UUID, seq: int, masks: Mapping[UUID, int] | None = None) -> Position:
    """Give the place behind an event, of which nothing is missing."""
    return Position(device_id=device_id, epoch=epoch, seq=seq, swept_seq=seq, masks=masks or {})


def decode(cursor: str) -> Position:
    """Read a cursor.

    :raises BadCursor: it was not made here for this tenant.
    :raises CursorExpired: older code has made it.
    """
    try:
        facts = pages.decode_cursor(_PURPOSE, cursor)
    except BadCursor:
        _refuse_old(cursor)
        raise
    device_id, epoch, seq, ordinal, swept_seq, swept_ordinal, roots, *more = facts
    known = (roots[begin : begin + _ROOT_LENGTH] for begin in range(0, len(roots), _ROOT_LENGTH))
    return Position(
        device_id=UUID(device_id),
        epoch=UUID(epoch),
        seq=seq,
        ordinal=ordinal,
        swept_seq=swept_seq,
        swept_ordinal=swept_ordinal,
        masks={UUID(one[:-2]): int(one[-2:], 16) for one in known},
        snapshot_id=UUID(more[0]) if more else None,
        snapshot_ordinal=more[1] if more else 0,
    )


def _refuse_old(cursor: str) -> None:
    """Send a device with a cursor of older code to a snapshot.

    :raises CursorExpired: it has one.
    """
    for purpose in _OLD_PURPOSES:
        with suppress(BadCursor):
            pages.decode_cursor(purpose, cursor)
            raise CursorExpired


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
