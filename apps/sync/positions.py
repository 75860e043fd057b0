"""Positions in the feed, and the cursors that carry them: opaque, signed, of one tenant and one device.

A cursor says everything that the server needs to know of what the device knows. So an answer that is lost is asked for again by the same
cursor, and no state on the server runs ahead of the device. Where a device knows many scopes, the cursor names a set of them that never
changes (``scope_sets``).
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

from apps.sync.errors import CursorExpired
from bitvault.kernel import pages
from bitvault.kernel.pages import BadCursor

_PURPOSE = "sync.changes.5"
_OLD_PURPOSES = ("sync.changes.4", "sync.changes.3")
"""Of cursors that older code has made: a fresh snapshot leads on."""
_PURPOSE_SNAPSHOT = "sync.snapshot.1"

ORDINAL_END = 2**31 - 1
"""Behind every row of an event."""


class Told(NamedTuple):
    """What a device was told of a scope, or of an inner node: its mask."""

    mask: int
    since: int | None
    """The event as of which the scope's subtree was told in one piece; ``None`` for an inner node."""


Facts = tuple[str, int, int | None]
"""``Told`` of a node, as it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a device has read: behind row ``ordinal`` of event ``seq``, in the scopes that it knows.

    It was told what is gone up to row ``swept_ordinal`` of event ``swept_seq`` only: in the middle of a long way that is further back.
    With ``snapshot_id`` it is in the middle of what lies in scopes that are new to it, behind item ``snapshot_ordinal``.
    """

    device_id: UUID
    epoch: UUID
    seq: int
    ordinal: int = ORDINAL_END
    swept_seq: int
    swept_ordinal: int = ORDINAL_END
    told: Mapping[UUID, Told] = field(default_factory=dict)
    """What the device knows of scopes and inner nodes."""
    set_id: UUID | None = None
    """The set that holds ``told``, where it is kept."""
    grants: str = ""
    """Digest of the grants by which nothing was left to tell; empty while something was."""
    snapshot_id: UUID | None = None
    snapshot_ordinal: int = 0

    @property
    def scopes(self) -> dict[UUID, int]:
        """The scopes that the device knows, each with the event as of which it was told."""
        return {node_id: one.since for node_id, one in self.told.items() if one.since is not None}

    @property
    def complete_seq(self) -> int:
        """The last event of which nothing is missing."""
        return self.swept_seq if self.swept_ordinal == ORDINAL_END else self.swept_seq - 1

    @property
    def is_swept(self) -> bool:
        """Whether the device was told what is gone as far as it was told what is there."""
        return (self.swept_seq, self.swept_ordinal) == (self.seq, self.ordinal)

    def read(self, seq: int, ordinal: int = ORDINAL_END) -> "Position":
        """Give the place behind a row, up to which the device was told what is there."""
        return replace(self, seq=seq, ordinal=ordinal)

    def swept(self, seq: int, ordinal: int = ORDINAL_END) -> "Position":
        """Give the same place, where the device was told what is gone up to a row."""
        return replace(self, swept_seq=seq, swept_ordinal=ordinal)

    def forgetting(self, node_ids: Collection[UUID]) -> "Position":
        """Give the same place with fewer scopes or inner nodes known, outside of any snapshot."""
        left = {node_id: one for node_id, one in self.told.items() if node_id not in node_ids}
        return replace(self, told=left, set_id=None, grants="", snapshot_id=None, snapshot_ordinal=0)

    def knowing(self, told: Mapping[UUID, Told]) -> "Position":
        """Give the same place with this known as well, outside of any snapshot."""
        known = {**self.told, **told}
        return replace(self, told=known, set_id=None, grants="", snapshot_id=None, snapshot_ordinal=0)


def begin(device_id: UUID, epoch: UUID, seq: int, told: Mapping[UUID, Told] | None = None) -> Position:
    """Give the place behind an event, of which nothing is missing."""
    return Position(device_id=device_id, epoch=epoch, seq=seq, swept_seq=seq, told=told or {})


def to_facts(told: Mapping[UUID, Told]) -> list[Facts]:
    """Give what a device was told as it is kept, in the order of the ids."""
    return [(node_id.hex, one.mask, one.since) for node_id, one in sorted(told.items())]


def from_facts(facts: Iterable[Facts]) -> dict[UUID, Told]:
    """Read what ``to_facts`` has given."""
    return {UUID(node_id): Told(mask, since) for node_id, mask, since in facts}


def encode(position: Position) -> str:
    """Make the cursor: with all that the device knows, or with the name of the set that holds it."""
    return pages.encode_cursor(
        _PURPOSE,
        [
            position.device_id.hex,
            position.epoch.hex,
            position.seq,
            position.ordinal,
            position.swept_seq,
            position.swept_ordinal,
            position.grants,
            to_facts(position.told) if position.set_id is None else position.set_id.hex,
            *([] if position.snapshot_id is None else [position.snapshot_id.hex, position.snapshot_ordinal]),
        ],
    )


def decode(cursor: str) -> Position:
    """Read a cursor; what it names by a set, ``scope_sets.load`` reads.

    :raises BadCursor: it was not made here for this tenant.
    :raises CursorExpired: older code has made it.
    """
    try:
        facts = pages.decode_cursor(_PURPOSE, cursor)
    except BadCursor:
        _refuse_old(cursor)
        raise
    device_id, epoch, seq, ordinal, swept_seq, swept_ordinal, grants, known, *more = facts
    is_named = isinstance(known, str)
    return Position(
        device_id=UUID(device_id),
        epoch=UUID(epoch),
        seq=seq,
        ordinal=ordinal,
        swept_seq=swept_seq,
        swept_ordinal=swept_ordinal,
        told={} if is_named else from_facts(known),
        set_id=UUID(known) if is_named else None,
        grants=grants,
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
