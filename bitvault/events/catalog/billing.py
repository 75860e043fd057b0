"""What happens to quotas. Producer: ``apps/billing``."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaChanged(Event):
    """A quota has another plan or another limit of its own; ``None`` is the plan's."""

    type: ClassVar[str] = "billing.quota.changed.v1"

    scope: str
    plan_id: UUID
    limit_bytes: int | None
