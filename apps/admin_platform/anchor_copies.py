"""Copies of anchors in a bucket with Object Lock, where whoever owns database, environment and machine cannot change them.

A copy's name has the tenant, the anchor's index, and a hash of the copy: an anchor that was made anew, after a restore or by somebody who
rewrites the log, comes beside the one that is there and never over it.
"""

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog
from django.db.models import Count, Min

from apps.admin_platform import anchoring, dtos
from apps.admin_platform.locked_bucket import LockedBucket, Trouble
from apps.admin_platform.models import AnchorCopy, AnchorTurn, AuditAnchor
from bitvault.kernel import clock, db, tenancy

LATE_AFTER = timedelta(minutes=30)
"""A store that restarts, or a worker that is busy, is no news."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Anchors of the entered tenant that were not copied yet."""

    count: int
    since: datetime | None


def copy(bucket: LockedBucket, *, limit: int, until: float) -> int:
    """Copy the next anchors of the entered tenant, at most so many, in their order; returns how many. What came is noted even so.

    :param until: when the next one is not begun any more (``time.monotonic``).
    :raises Trouble: one could not be put.
    """
    with db.read_transaction():
        done = _find_index(bucket)
        rows = list(AuditAnchor.objects.filter(index__gt=done).order_by("index")[:limit])
    put: list[AuditAnchor] = []
    try:
        for row in rows:
            if time.monotonic() >= until:
                break
            name, body = write(row)
            bucket.put(name, body)
            put.append(row)
        if put:
            bucket.require_locked(write(put[-1])[0])
    except Trouble as trouble:
        if trouble.code == "not_locked":
            put.clear()
        raise
    finally:
        if put:
            _note(bucket, put[-1].index)
    return len(put)


def count_waiting(bucket: LockedBucket) -> Waiting:
    """Count what was not copied of the entered tenant."""
    with db.read_transaction():
        rows = AuditAnchor.objects.filter(index__gt=_find_index(bucket))
        found = rows.aggregate(count=Count("index"), since=Min("anchored_at"))
    return Waiting(found["count"], found["since"])


def write(row: AuditAnchor) -> tuple[str, bytes]:
    """Give the name and the content of a copy: an anchor as exports have it, and whose it is."""
    tenant = tenancy.current()
    body = msgspec.json.encode({"tenant_id": tenant.id, "anchor": anchoring.to_dto(row)}) + b"\n"
    return f"{tenant.id}/{row.index:012d}-{hashlib.sha256(body).hexdigest()}.json", body


def note_turn(
    bucket: LockedBucket, *, waiting_count: int, waiting_since: datetime | None, trouble: Trouble | None
) -> None:
    """Note how far a turn over all tenants has come, and what stopped it."""
    now = clock.now()
    if trouble is not None:
        logger.error("anchors_not_copied", place=bucket.place, failure=trouble.code, detail=str(trouble))
    with db.public_transaction():
        row, _is_new = AnchorTurn.objects.select_for_update().get_or_create(pk=1, defaults={"finished_at": now})
        was_failing = row.failing_since if row.place == bucket.place else None
        row.place, row.finished_at = bucket.place, now
        row.waiting_count, row.waiting_since = waiting_count, waiting_since
        row.failing_since = None if trouble is None else was_failing or now
        row.failure = "" if trouble is None else trouble.code
        row.save()


def find_turn(bucket: LockedBucket) -> dtos.AnchorTurn:
    """Tell how far the copies are; one query."""
    row = AnchorTurn.objects.filter(pk=1, place=bucket.place).first()
    if row is None:
        return dtos.AnchorTurn(place=bucket.place, is_late=False)
    now = clock.now()
    begun = [one for one in (row.finished_at, row.waiting_since, row.failing_since) if one is not None]
    return dtos.AnchorTurn(
        place=row.place,
        finished_at=row.finished_at,
        waiting_count=row.waiting_count,
        waiting_since=row.waiting_since,
        failing_since=row.failing_since,
        failure=row.failure,
        is_late=min(begun) < now - LATE_AFTER,
    )


def _find_index(bucket: LockedBucket) -> int:
    row = AnchorCopy.objects.filter(pk=1, place=bucket.place).first()
    return row.index if row else 0


def _note(bucket: LockedBucket, index: int) -> None:
    """Note how far the copies are. It is kept with the anchors themselves: a restore takes both back together."""
    with db.write_transaction():
        row = AnchorCopy(pk=1, place=bucket.place, index=index, copied_at=clock.now())
        AnchorCopy.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["id"], update_fields=["place", "index", "copied_at"]
        )
