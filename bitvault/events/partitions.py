"""Partitions of the stream: one table a day, made ahead, dropped whole when every consumer is past it and the retention is over."""

from datetime import UTC, date, datetime, timedelta

from django.db import connection

from bitvault.kernel import clock, db

RETENTION = timedelta(days=30)
"""How long events stay readable for consumers that are rebuilt and webhooks that are replayed."""

DAYS_AHEAD = 7
"""Partitions made ahead: a clockwork that stands still for a week does no harm, and then rows fall into the default partition."""

OWNER_ROLE = "bitvault_owner"

_PARTITIONS = """
SELECT child.relname FROM pg_inherits
JOIN pg_class child ON child.oid = inhrelid JOIN pg_class parent ON parent.oid = inhparent
WHERE parent.relname = 'events_stream_event' AND child.relname ~ '^events_stream_event_[0-9]{8}$'
ORDER BY child.relname
"""

_STILL_NEEDED = """
SELECT EXISTS (
    SELECT 1 FROM public.events_stream_event event JOIN public.events_consumer_cursor cursor USING (tenant_id)
    WHERE event.published_at >= %s AND event.published_at < %s AND event.seq > cursor.seq
)
"""


def list_days() -> list[date]:
    """List the days that have a partition, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS)
        return [datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC).date() for (name,) in cursor.fetchall()]


def make_ahead() -> list[str]:
    """Make the partitions of today and the next days that are missing; returns their names."""
    today = clock.now().date()
    present = set(list_days())
    missing = [day for day in (today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)) if day not in present]
    for day in missing:
        _as_owner(
            f"CREATE TABLE IF NOT EXISTS {_name(day)} PARTITION OF events_stream_event"
            f" FOR VALUES FROM ('{day} 00:00+00') TO ('{day + timedelta(days=1)} 00:00+00')"
        )
    return [_name(day) for day in missing]


def drop_old() -> list[str]:
    """Drop the partitions that are past the retention and hold nothing that some consumer still has to read; returns their names."""
    limit = (clock.now() - RETENTION).date()
    dropped = []
    for day in list_days():
        if day >= limit or _is_needed(day):
            break
        _as_owner(f"DROP TABLE {_name(day)}")
        dropped.append(_name(day))
    return dropped


def _is_needed(day: date) -> bool:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute(_STILL_NEEDED, [begin, begin + timedelta(days=1)])
        return bool(cursor.fetchone()[0])


def _as_owner(statement: str) -> None:
    with db.public_transaction(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {OWNER_ROLE}")
        cursor.execute(statement)


def _name(day: date) -> str:
    return f"events_stream_event_{day:%Y%m%d}"
