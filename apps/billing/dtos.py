"""What billing's doors give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Quota:
    """Room of a scope, in bytes. Used is what all versions have, those in the trash included; reserved is promised to uploads under way."""

    scope: str
    plan: str
    limit_bytes: int
    """What holds: the lower of what the plan or the operators give and of what the administrators allow themselves."""
    used_bytes: int
    reserved_bytes: int
    available_bytes: int
    given_bytes: int
    """What the plan gives, or the operators instead of it."""
    own_limit_bytes: int | None
    """What the administrators of the tenant have set themselves."""
    file_limit_bytes: int | None
    """The largest file; null: whatever the store can hold."""
    trash_days: int
    """How long something that is put into the trash now can come back."""
    warn_bytes: int | None = None
    """Of a member or team folder: from where on people are told that it fills up; nothing is refused for it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan gives, in its version of now."""

    slug: str
    name: str
    version: int
    limit_bytes: int
    file_limit_bytes: int | None
    trash_days: int
    member_limit: int | None
    """Null, here and below: as many as come."""
    guest_limit: int | None
    link_limit: int | None
    """Links that lead somewhere, file requests included."""
    currency: str
    month_price: str
    """What a month costs, in ``currency``, besides what is used above what is included."""
    is_current: bool
    """Whether it is the caller's tenant's."""


@dataclass(frozen=True, slots=True)
class FigureWords:
    """A figure that was changed, for people; ``is_told``: the figures are said, and not only that they changed."""

    label: str
    before: str
    after: str
    is_told: bool = True


@dataclass(frozen=True, slots=True)
class PlanChangeWords:
    """A change of a plan or of limits, for people."""

    changed_at: datetime
    by: str
    why: str
    lines: Sequence[FigureWords]


OWN_FIGURES = ("limit_bytes", "file_limit_bytes", "trash_days", "member_limit", "guest_limit", "link_limit")
"""What operators can give a tenant instead of its plan's."""

ChangedBy = Literal["operator", "command", "person", "payment"]
"""An operator on a page of theirs, whoever runs ``manage.py``, an administrator of the tenant, or a payment that came or ended."""


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A figure that is another one now: ``plan``, ``given_bytes``, ``trash_days`` and so on; null: no limit, or not told."""

    name: str
    before: str | int | None
    after: str | int | None


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What was changed of a tenant's plan or limits at once, or (``is_of_plan``) of the plan that it had.

    ``actor_id`` is an operator, an administrator, or the one who had gone to pay; null where nobody is known.
    """

    id: UUID
    changed_at: datetime
    changed_by: ChangedBy
    actor_id: UUID | None
    is_of_plan: bool
    plan: str
    changes: Sequence[FigureChange]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tenant stores now, true as of a number of the stream. Bytes are those of all versions, trash apart."""

    live_bytes: int
    trash_bytes: int
    file_count: int
    folder_count: int
    version_count: int
    as_of_seq: int


@dataclass(frozen=True, slots=True)
class UsageOfDay:
    """One metric of one day (UTC): the closing figure of what there is, or the sum of what happened."""

    day: date
    metric: str
    amount: int


@dataclass(frozen=True, slots=True)
class UsageHistory:
    """Metrics by day, oldest first. What there is has a row for each day from its first change on, up to today; what happened for each
    day on which it did.
    """

    items: Sequence[UsageOfDay]
    as_of_seq: int


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency (ISO 4217): ``amount_minor`` in its smallest unit, ``amount`` for reading."""

    currency: str
    amount_minor: int
    amount: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What a month (UTC, ``2026-10``) came to; it never changes. Numbers have no gap. ``totals`` has a row for each currency."""

    number: int
    month: str
    tenant_name: str
    made_at: datetime
    as_of_seq: int
    totals: Sequence[Money]


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A line: what was used in the days from ``begin`` up to, but not with, ``end`` by the terms of one version of a plan.

    ``quantity`` is exact (days, byte-days, person-days, bytes or times), ``units`` and ``included`` are what is priced, for reading.
    ``is_correction``: by how much what earlier statements say of ``about_month`` was amiss.
    """

    position: int
    about_month: str
    is_correction: bool
    plan: str
    plan_name: str
    plan_version: int
    begin: date
    end: date
    metric: str
    quantity: int
    unit: str
    units: str
    included: str
    price: str
    currency: str
    amount_minor: int
    amount: str

    @property
    def units_short(self) -> str:
        """The units with three digits behind the point at most: what fits a column."""
        return _shorten(self.units)

    @property
    def included_short(self) -> str:
        """What is included, in the same way."""
        return _shorten(self.included)


def _shorten(number: str) -> str:
    short = f"{round(Decimal(number), 3):f}"
    return short.rstrip("0").rstrip(".") if "." in short else short


@dataclass(frozen=True, slots=True)
class StatementDetail(Statement):
    """A statement with its lines. Each amount is rounded once, half to even, to the currency's smallest unit; totals are sums of lines."""

    lines: Sequence[StatementLine]


@dataclass(frozen=True, slots=True)
class StatementWords:
    """What is said of a statement, in a language: its metrics and units by name, and how days and amounts were counted."""

    metrics: Mapping[str, str]
    units: Mapping[str, str]
    counting: str


@dataclass(frozen=True, slots=True)
class Recount:
    """What a recount of the files found, and by how much the quota was corrected: 0 where nothing was lost."""

    counted_bytes: int
    corrected_by_bytes: int


@dataclass(frozen=True, slots=True)
class MeteredNode:
    """A node as the meter counts it; ``is_trashed`` for the top of something in the trash."""

    node_id: UUID
    parent_id: UUID | None
    is_folder: bool
    is_trashed: bool
    size_bytes: int
    """Bytes of all its versions together."""
    version_count: int


@dataclass(frozen=True, slots=True)
class NotedRoom:
    """The room of a tenant as it was noted for operators."""

    plan: str
    used_bytes: int
    reserved_bytes: int
    limit_bytes: int
    noted_at: datetime

    @property
    def percent(self) -> int:
        """How much of what is given is used, rounded down; 100 for a tenant that was given nothing."""
        return self.used_bytes * 100 // self.limit_bytes if self.limit_bytes else 100


@dataclass(frozen=True, slots=True)
class RoomOfAll:
    """The room of several tenants together; ``noted_at`` is when the one that was noted longest ago was, ``None`` where none was."""

    used_bytes: int
    reserved_bytes: int
    limit_bytes: int
    over_count: int
    """Tenants that use more than they are given."""
    noted_at: datetime | None


PaymentState = Literal["none", "paid", "overdue"]


@dataclass(frozen=True, slots=True)
class Payment:
    """How a vault pays for its plan."""

    is_on: bool
    """Whether plans are paid for here by a provider; else statements are invoiced by hand."""
    plans_for_sale: Sequence[str] = ()
    """Slugs of plans that can be chosen."""
    has_account: bool = False
    """Whether there is a place where the payment method and invoices are."""
    state: PaymentState = "none"
    paid_plan: str | None = None
    """The plan that the subscription is for."""
    period_ends_at: datetime | None = None
    cancels_at: datetime | None = None
    """When the subscription ends, where somebody has canceled it."""
    grace_ends_at: datetime | None = None
    """Of an overdue payment: when the vault has the default plan again unless it is paid."""


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """What follows from choosing a plan."""

    plan: str
    url: str | None
    """Where it is paid for; null: the subscription that there is has the plan now."""


@dataclass(frozen=True, slots=True)
class PaymentPortal:
    """Where the payment method and the invoices are; the address is good for some minutes, for whoever has it."""

    url: str


@dataclass(frozen=True, slots=True)
class PaymentAccount:
    """A tenant's account at the provider, for operators."""

    tenant_id: UUID
    customer_id: str
    subscription_id: str
    status: str
    paid_plan: str
    applied_plan: str
    cancels_at: datetime | None
    grace_ends_at: datetime | None
    refreshed_at: datetime | None
    noticed_at: datetime | None
    error: str
    error_at: datetime | None


@dataclass(frozen=True, slots=True)
class PaymentNotice:
    """A notice of the provider, for operators."""

    id: str
    kind: str
    tenant_id: UUID | None
    customer_id: str
    object_id: str
    occurred_at: datetime
    received_at: datetime
    state: str
    error: str


@dataclass(frozen=True, slots=True)
class PaymentCheck:
    """What operators ought to know of how payment is set up."""

    is_chosen: bool
    has_key: bool = False
    has_webhook_secret: bool = False
    failure: str = ""
    """Why the provider could not be asked."""
    missing_prices: Sequence[str] = ()
    has_prices: bool = False
    failing_count: int = 0
    """Tenants with an error."""
    last_notice_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DoubtfulReport:
    """A report of usage of which nobody knows whether it has arrived."""

    month: str
    metric: str
    amount: int
    """Thousandths of the unit that is priced."""
    tried_at: datetime | None
