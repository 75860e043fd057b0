"""What people are told of that no other module tells. Producer: ``apps/notifications``."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LongJobEnded(Event):
    """A job that took long, and that somebody had asked for, is done or has failed."""

    type: ClassVar[str] = "notifications.long_job.ended.v1"

    job_id: UUID
    job_kind: str
    user_id: UUID
    is_done: bool
