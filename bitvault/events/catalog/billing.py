"""What happens to quotas. Producer: ``apps/billing``."""

from dataclasses import dataclass
from datetime import datetime
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
    own_limit_bytes: int | None = None
    """What the administrators of the tenant allow themselves."""
    file_limit_bytes: int | None = None
    trash_days: int | None = None
    member_limit: int | None = None
    guest_limit: int | None = None
    link_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeLimitChanged(Event):
    """What a member's own files (``user_id``) or a team folder (``node_id``) may hold has changed; ``None`` for both figures: no limit."""

    type: ClassVar[str] = "billing.scope_limit.changed.v1"

    user_id: UUID | None
    node_id: UUID | None
    limit_bytes: int | None
    warn_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageCorrected(Event):
    """What a quota counted as used was not what a recount of the files found; it is ``used_bytes`` now."""

    type: ClassVar[str] = "billing.usage.corrected.v1"

    scope: str
    used_bytes: int
    corrected_by_bytes: int
    """What was added; negative where too much had been counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementMade(Event):
    """A month has its statement, which never changes; ``totals`` are amounts with their currency, as ``12.34 EUR``."""

    type: ClassVar[str] = "billing.statement.made.v1"

    number: int
    month: str
    """``2026-10``."""
    totals: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStarted(Event):
    """The tenant has a plan (its slug) that is paid for: the first one, or another one."""

    type: ClassVar[str] = "billing.subscription.started.v1"

    plan: str
    plan_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionEnded(Event):
    """The tenant has the plan ``new_plan`` again: its subscription was ``canceled``, or stayed ``unpaid`` for longer than the grace."""

    type: ClassVar[str] = "billing.subscription.ended.v1"

    plan: str
    plan_name: str
    new_plan: str
    new_plan_name: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(Event):
    """A payment is overdue; until ``grace_ends_at`` nothing changes."""

    type: ClassVar[str] = "billing.payment.failed.v1"

    plan: str
    plan_name: str
    grace_ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReminded(Event):
    """A payment is still overdue, and the time of grace ends soon."""

    type: ClassVar[str] = "billing.payment.reminded.v1"

    plan: str
    plan_name: str
    grace_ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettled(Event):
    """An overdue payment has come, within the time of grace."""

    type: ClassVar[str] = "billing.payment.settled.v1"

    plan: str
    plan_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChosen(Event):
    """Somebody has gone to pay for a plan (``is_new``), or has had the subscription changed to it."""

    type: ClassVar[str] = "billing.plan.chosen.v1"

    plan: str
    is_new: bool
