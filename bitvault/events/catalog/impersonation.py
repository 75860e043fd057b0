"""That operators look at a tenant as one of its members. Producer: ``apps/identity``."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpersonationBegan(Event):
    """An operator (the actor) looks at the tenant as one of its members (``user_id``) until ``ends_at``, and says why."""

    type: ClassVar[str] = "identity.impersonation.began.v1"

    impersonation_id: UUID
    user_id: UUID
    operator_name: str
    reason: str
    ends_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpersonationEnded(Event):
    """An operator looks at the tenant no more; ``ended_for`` is ``operator``, ``time``, ``session`` or ``refused``."""

    type: ClassVar[str] = "identity.impersonation.ended.v1"

    impersonation_id: UUID
    user_id: UUID
    ended_for: str
