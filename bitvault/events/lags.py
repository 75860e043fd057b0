"""How far consumers are behind: for operators by consumer and tenant, for a scraper by consumer."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, OuterRef, Subquery

from bitvault.events import consuming, partitions, sql
from bitvault.events.models import ConsumerCursor, DeadLetter, StreamEvent, StreamHead
from bitvault.kernel import clock
from bitvault.kernel.tasks import select_present


@dataclass(frozen=True, slots=True)
class Lag:
    """How far one consumer is behind in one tenant's stream."""

    consumer: str
    tenant_id: UUID
    head: int
    position: int
    last_error: str
    retry_at: datetime | None
    try_count: int
    waiting_since: datetime | None
    dead_letter_count: int
    is_suspended: bool
    """Nobody reads a suspended tenant's stream: what waits there waits until the tenant is back."""
    is_being_rebuilt: bool
    rebuild_error: str
    """Why the last rebuild came to no end, if it did not."""
    shape: int

    @property
    def is_outdated(self) -> bool:
        """Whether what it keeps was filled by an earlier code that kept less: it is rebuilt by itself."""
        return self.shape < consuming.list_shapes().get(self.consumer, 0)

    @property
    def row_count(self) -> int:
        """Events that wait."""
        return self.head - self.position

    @property
    def seconds(self) -> float:
        """How long the first of them has waited; 0 when none does."""
        return (clock.now() - self.waiting_since).total_seconds() if self.waiting_since else 0.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for one consumer, over all tenants that are not suspended."""

    consumer: str
    tenant_count: int
    """Tenants whose stream has something for it."""
    row_count: int
    deepest_row_count: int
    """Events that wait in the one tenant that has most of them."""
    seconds: float
    """How long the first of all has waited; 0 when none does."""
    dead_letter_count: int


def list_backlogs() -> list[Backlog]:
    """Tell what waits for each consumer and what it gave up on, in three queries at most whatever the number of tenants.

    Suspended tenants are left out: nobody could work off, replay or drop what they have before they are back.
    """
    letters = DeadLetter.objects.filter(state=DeadLetter.State.DEAD).values_list("consumer", "tenant_id")
    dead = list(letters.annotate(count=Count("id")))
    with connection.cursor() as cursor:
        cursor.execute(sql.BACKLOGS)
        lagging = cursor.fetchall()
    concerned = {tenant_id for _, tenant_id, *_ in (*dead, *lagging)}
    present = select_present(concerned) if concerned else set()
    now = clock.now()
    backlogs = []
    for name in consuming.list_consumers():
        waiting = [rest for consumer, tenant_id, *rest in lagging if consumer == name and tenant_id in present]
        since = min((published_at for _, published_at in waiting if published_at), default=now)
        backlogs.append(
            Backlog(
                consumer=name,
                tenant_count=len(waiting),
                row_count=sum(rows for rows, _ in waiting),
                deepest_row_count=max((rows for rows, _ in waiting), default=0),
                seconds=max(0.0, (now - since).total_seconds()),
                dead_letter_count=sum(
                    count for consumer, tenant_id, count in dead if consumer == name and tenant_id in present
                ),
            )
        )
    return backlogs


def list_lags(
    *, tenant_id: UUID | None = None, among: Collection[UUID] | None = None, offset: int = 0, limit: int = 500
) -> list[Lag]:
    """List consumers × tenants, the furthest behind first and suspended tenants last.

    :param tenant_id: of this tenant alone.
    :param among: of these tenants alone.
    """
    if tenant_id is not None:
        among = [tenant_id]
    known = set(StreamHead.objects.values_list("tenant_id", flat=True) if among is None else among)
    suspended = known - select_present(known)
    chosen = {"among": None if among is None else list(among), "suspended": list(suspended)}
    with connection.cursor() as cursor:
        cursor.execute(sql.LAGS, {**chosen, "offset": offset, "limit": limit})
        return [Lag(*row) for row in cursor.fetchall()]


def count_lags(*, among: Collection[UUID] | None = None) -> int:
    """Count what ``list_lags`` lists without a limit."""
    cursors = ConsumerCursor.objects.filter(tenant_id__in=StreamHead.objects.values("tenant_id"))
    return (cursors if among is None else cursors.filter(tenant_id__in=among)).count()


def list_last_published(*, among: Collection[UUID]) -> dict[UUID, datetime]:
    """Tell when something last happened in each of these tenants; one whose last event is not kept any more is left out."""
    last = StreamEvent.objects.filter(tenant_id=OuterRef("tenant_id"), seq=OuterRef("last_seq")).values("published_at")
    heads = StreamHead.objects.filter(tenant_id__in=among).annotate(published_at=Subquery(last[:1]))
    return dict(heads.exclude(published_at=None).values_list("tenant_id", "published_at"))


def count_days_ahead() -> int:
    """Count the coming days, in a row from today, that have a partition already; 0 when today has none."""
    today, present, count = clock.now().date(), set(partitions.list_days()), 0
    while today + timedelta(days=count) in present:
        count += 1
    return max(0, count - 1)
