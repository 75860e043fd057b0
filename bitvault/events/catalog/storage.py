"""What happens to bytes. Producer: ``apps/storage``.

A blob has no events of its own: that it came into use is ``files.version.committed``, that it went out of use is ``files.node.purged``.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadExpired(Event):
    """An upload that nobody finished has come to its end; ``actor_id`` is who had begun it."""

    type: ClassVar[str] = "storage.upload.expired.v1"

    upload_id: UUID
    size_bytes: int
