"""The sweeper: attempts that nobody ended come to an end, and what no version is made of leaves the store.

A row is visited when its ``sweep_at`` has come: first to be ended if it is still open, then to be cleaned once its URLs are dead, then to
be forgotten. Each visit can be repeated and may die anywhere.
"""

import time
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from prometheus_client import Counter

from apps.billing import api as billing
from apps.files import api as files
from apps.storage import dtos, models, rows
from apps.storage.operations import collecting, completing, starting
from bitvault.events.api import publish
from bitvault.events.catalog.storage import UploadExpired
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.errors import Unavailable

SWEEP_BATCH = 200
"""Attempts that are read at once: some seconds of work, each in transactions of its own."""

FORGET_BATCH = 5000
"""Rows that are deleted in one transaction: some 20 ms."""

SWEEP_SECONDS = 60.0
"""Time of one run for one tenant, so that none keeps the sweeper from the others."""

OVERDUE = timedelta(hours=1)
"""How late the collector may be before operators are told."""

POSTPONED, FAILED = "postponed", "failed"

SWEPT = Counter("bitvault_uploads_swept_total", "Upload attempts that the sweeper visited, by what it did", ["outcome"])
REMOVED = Counter(
    "bitvault_uploads_swept_objects_total", "Objects and multipart sessions that the sweeper removed from the store"
)

_OPEN = (models.UploadState.STARTED, models.UploadState.COMPLETING)

logger = structlog.get_logger(__name__)


class Swept(NamedTuple):
    """How many attempts had something done about them, and whether all that was due has been visited."""

    swept_count: int
    is_done: bool


def sweep(*, limit: int = SWEEP_BATCH) -> int:
    """Visit the attempts of the entered tenant that are due, and forget old ones; returns how many had something done about them."""
    forgotten = _forget()
    return forgotten + _visit_due(clock.now(), limit, None)[0]


def sweep_all(*, seconds: float = SWEEP_SECONDS) -> Swept:
    """Visit batch after batch, each attempt once, until all that is due was visited or the time is over, and note what is left.

    What is postponed stays due and keeps nothing behind it waiting.
    """
    now, deadline = clock.now(), time.monotonic() + seconds
    count, behind, all_visited, is_done = 0, None, False, False
    while not is_done and time.monotonic() < deadline:
        forgotten, done = _forget(), 0
        if not all_visited:
            done, behind = _visit_due(now, SWEEP_BATCH, behind)
            all_visited = behind is None
        count += forgotten + done
        is_done = all_visited and forgotten < FORGET_BATCH
    _note_rest()
    return Swept(count, is_done)


def _forget() -> int:
    with db.write_transaction():
        forgotten = rows.forget_old(clock.now(), FORGET_BATCH)
    SWEPT.labels("forgotten").inc(forgotten)
    return forgotten


def _visit_due(now: datetime, limit: int, behind: rows.Attempt | None) -> tuple[int, rows.Attempt | None]:
    """Visit the next attempts; returns how many had something done, and the last one where others may follow."""
    with db.read_transaction():
        due = rows.list_due(now, limit, behind=behind)
    outcomes = [_visit(attempt) for attempt in due]
    for outcome in outcomes:
        SWEPT.labels(outcome).inc()
    done = len([outcome for outcome in outcomes if outcome not in (POSTPONED, FAILED)])
    return done, due[-1] if len(due) == limit else None


def _note_rest() -> None:
    now = clock.now()
    with db.read_transaction():
        overdue_count = models.Upload.objects.filter(sweep_at__lte=now, swept_at__isnull=True).count()
        uncollected_count = collecting.count_overdue(by=OVERDUE)
    with db.public_transaction():
        models.Sweep.objects.update_or_create(
            tenant_id=tenancy.current().id,
            defaults={"overdue_count": overdue_count, "uncollected_count": uncollected_count, "swept_at": now},
        )


def _visit(attempt: rows.Attempt) -> str:
    try:
        return _end(attempt)
    except Unavailable:
        return POSTPONED  # still due: the next run comes back to it
    except Exception:
        # One attempt that cannot be swept must not stand before all others.
        logger.exception("sweep_failed", upload_id=str(attempt.id))
        with db.write_transaction():
            models.Upload.objects.filter(id=attempt.id).update(sweep_at=clock.now() + starting.SWEEP_GRACE)
        return FAILED


def _end(attempt: rows.Attempt) -> str:
    if attempt.state == models.UploadState.COMMITTED:
        _clean(attempt)
        return "strays"
    if files.is_committed(upload_id=attempt.id):
        # The process died between Files' step and the last ones.
        billing.settle(upload_id=attempt.id, size_bytes=attempt.size_bytes)
        completing.finish(upload_id=attempt.id, kept=True)
        return "rolled_forward"
    if attempt.state in _OPEN and not _expire(attempt):
        return "moved_on"
    billing.release(upload_id=attempt.id)
    _clean(attempt)
    return "aborted" if attempt.state == models.UploadState.ABORTED else "expired"


def _expire(attempt: rows.Attempt) -> bool:
    """End an open attempt; ``False`` when somebody else has moved it on since it was read."""
    with db.write_transaction():
        ended = models.Upload.objects.filter(id=attempt.id, state=attempt.state, sweep_at=attempt.sweep_at).update(
            state=models.UploadState.EXPIRED
        )
        if ended:
            publish(UploadExpired(actor_id=attempt.user_id, upload_id=attempt.id, size_bytes=attempt.size_bytes))
    return bool(ended)


def _clean(attempt: rows.Attempt) -> None:
    """Remove from the store whatever the attempt brought and no version is made of, and note that it is gone.

    A blob that nobody holds is given up first and its bytes go afterwards: a commit of known content that comes at the same time takes the
    blob over before, and it stays, or finds it gone.
    """
    keep_key = None
    if attempt.blob_id is not None and attempt.known_blob_id is None:
        with db.write_transaction():
            own = models.Blob.objects.filter(id=attempt.blob_id)
            own.filter(state=models.BlobState.PENDING).update(state=models.BlobState.GONE, gone_at=clock.now())
            keep_key = own.exclude(state=models.BlobState.GONE).values_list("key", flat=True).first()
    REMOVED.inc(starting.remove_all(attempt.id, attempt.store_id, keep_key=keep_key))
    now = clock.now()
    with db.write_transaction():
        models.Upload.objects.filter(id=attempt.id).update(swept_at=now, sweep_at=now + dtos.COMMITTED_MEMORY)
