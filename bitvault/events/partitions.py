"""Partitions of the stream: one table a day, made ahead, dropped whole when every consumer is past it and the retention is over.

The default partition keeps what has no day: rows of a day that nobody made in time, and rows of dropped days that suspended tenants have
not read yet.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, connection
from django.db.models import Exists, OuterRef

from bitvault.events import sql
from bitvault.events.models import ConsumerCursor, StreamEvent
from bitvault.kernel import clock, db
from bitvault.kernel.tasks import select_present

RETENTION = timedelta(days=30)
"""How long events stay readable for consumers that are rebuilt and webhooks that are replayed."""

DAYS_AHEAD = 7
"""Partitions made ahead: a scheduler that is down for a week does no harm, and then rows fall into the default partition."""

MOVE_SECONDS = 600
"""Statement timeout for copying a day out of the default partition, at about 100,000 rows a second; writers do not wait for it."""

OWNER_ROLE = "bitvault_owner"


logger = structlog.get_logger(__name__)


def list_days() -> list[date]:
    """List the days that have a partition, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(sql.PARTITIONS)
        return [datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC).date() for (name,) in cursor.fetchall()]


def make_ahead() -> list[str]:
    """Make the partitions of today and the next days that are missing; returns the names of those that could be made.

    A day that fails keeps none of the others from being made, and shows in ``operating.count_days_ahead``.
    """
    today = clock.now().date()
    present = set(list_days())
    missing = [day for day in (today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)) if day not in present]
    made = []
    for day in missing:
        try:
            _make(day)
        except DatabaseError:
            logger.exception("partition_not_made", day=str(day))
        else:
            made.append(_name(day))
    return made


def _make(day: date) -> None:
    """Make a day's partition, with the rows of that day which lie in the default one.

    Who writes waits from the lock on, and not while the bulk is copied. The lock is the parent's: whoever holds anything of a partition
    holds it too, so nobody is met half way, and a writer that waited finds the new partition.
    """
    name, begin, end = _name(day), _begin(day), _begin(day + timedelta(days=1))
    with _owner() as cursor:
        db.set_statement_timeout(seconds=MOVE_SECONDS)
        cursor.execute(f"CREATE TABLE {name} (LIKE events_stream_event INCLUDING ALL)")
        cursor.execute(sql.TAKE_OVER.format(day=name), [begin, end])
        cursor.execute("LOCK TABLE ONLY events_stream_event IN ACCESS EXCLUSIVE MODE")
        cursor.execute(sql.TAKE_OVER.format(day=name), [begin, end])
        # Deleted, not truncated: who looks at an earlier instant still sees them where they lay.
        cursor.execute(
            "DELETE FROM events_stream_event_default WHERE published_at >= %s AND published_at < %s", [begin, end]
        )
        cursor.execute(
            f"ALTER TABLE events_stream_event ATTACH PARTITION {name} FOR VALUES FROM ('{begin}') TO ('{end}')"
        )


def drop_old() -> list[str]:
    """Drop the partitions that are past the retention; returns their names.

    A day stays as long as a consumer of an active tenant has to read it. What waits for a suspended tenant goes on waiting in the default
    partition, until its consumers have read it: they begin where they stopped, however long that was.
    """
    limit = (clock.now() - RETENTION).date()
    dropped = []
    for day in list_days():
        if day >= limit:
            break
        try:
            if _drop(day):
                dropped.append(_name(day))
        except DatabaseError:
            logger.exception("partition_not_dropped", day=str(day))
    with _owner() as cursor:
        cursor.execute(sql.SWEEP_DEFAULT, [_begin(limit)])
    return dropped


def _drop(day: date) -> bool:
    """Drop a day unless an active tenant's consumer has to read it; tells whether it did."""
    waiting = _list_waiting(day)
    if select_present(waiting):
        return False
    if waiting:
        _carry_over_and_drop(day, waiting)
    else:
        _as_owner(f"DROP TABLE {_name(day)}")
    return True


def _list_waiting(day: date) -> set[UUID]:
    """List the tenants of which some consumer has not read all of a day."""
    behind = ConsumerCursor.objects.filter(tenant_id=OuterRef("tenant_id"), seq__lt=OuterRef("seq"))
    of_day = StreamEvent.objects.filter(published_at__gte=_begin(day), published_at__lt=_begin(day + timedelta(days=1)))
    return set(of_day.filter(Exists(behind)).values_list("tenant_id", flat=True).distinct())


def _carry_over_and_drop(day: date, tenant_ids: Collection[UUID]) -> None:
    with _owner() as cursor:
        cursor.execute(f"ALTER TABLE events_stream_event DETACH PARTITION {_name(day)}")
        cursor.execute(sql.CARRY_OVER.format(day=_name(day)), [sorted(tenant_ids)])
        cursor.execute(f"DROP TABLE {_name(day)}")


def _as_owner(statement: str) -> None:
    with _owner() as cursor:
        cursor.execute(statement)


@contextmanager
def _owner() -> Iterator[Any]:
    """Open a transaction as the role that owns the tables."""
    with db.public_transaction(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {OWNER_ROLE}")
        yield cursor


def _begin(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _name(day: date) -> str:
    return f"events_stream_event_{day:%Y%m%d}"
