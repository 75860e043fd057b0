"""What operators do to a tenant's stream. Producer: ``bitvault/events`` itself."""

from dataclasses import dataclass
from typing import ClassVar

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterReplayed(Event):
    """An event that a consumer had given up on was given to it again and had its effect."""

    type: ClassVar[str] = "events.dead_letter.replayed.v1"

    consumer: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterDropped(Event):
    """An event that a consumer had given up on stays without its effect there."""

    type: ClassVar[str] = "events.dead_letter.dropped.v1"

    consumer: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSkipped(Event):
    """A consumer was moved past an event that it was stuck on; the event lies among the dead letters."""

    type: ClassVar[str] = "events.event.skipped.v1"

    consumer: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivationRebuilt(Event):
    """A consumer's derivation was made anew from its owner's snapshot as of ``seq``."""

    type: ClassVar[str] = "events.derivation.rebuilt.v1"

    consumer: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRestored(Event):
    """Everything is as it was at ``seq``, when the backup was taken; what was done afterwards never was."""

    type: ClassVar[str] = "events.backup.restored.v1"

    backup_id: str
    seq: int
