"""What happens to devices and conflicts. Producer: ``apps/sync``."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRegistered(Event):
    """A person follows the feed with another device."""

    type: ClassVar[str] = "sync.device.registered.v1"

    device_id: UUID
    user_id: UUID
    platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEnded(Event):
    """A device is not answered any more."""

    type: ClassVar[str] = "sync.device.ended.v1"

    device_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictResolved(Event):
    """Somebody has said what is right of two edits that met; ``node_id`` is the copy."""

    type: ClassVar[str] = "sync.conflict.resolved.v1"

    node_id: UUID
    original_id: UUID
    resolution: str
