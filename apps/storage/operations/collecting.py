"""The collector: bytes that no file holds any more leave the store.

Two steps, a good while apart. *Condemn*: of blobs to which the stream has told of no reference for the grace period, and which no open
attempt names, Files is asked; what it does not hold either is condemned, and no upload takes it over from then on. *Remove*: when all
URLs of that time are dead Files is asked once more, the objects are deleted in batches, and then their rows say so. Each step can be
repeated, and a process may die between any two: what is left is garbage, never a version without bytes.

Why no commit slips through. An attempt that takes a blob over locks its row and puts ``unreferenced_at`` forward; a new version is made
before its attempt ends. So either the attempt is seen (before Files is asked, or under the lock afterwards), or the version is, or the
row has changed since it was read and is left for the next run.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from prometheus_client import Counter

from apps.files import api as files
from apps.storage import dtos, provider
from apps.storage.models import Blob, BlobState, FindingKind, RunKind, RunState, Upload, UploadState
from apps.storage.operations import archiving, copies, deriving, holding
from apps.storage.operations.noting import Notes
from apps.storage.queries import READABLE
from bitvault.events.api import publish
from bitvault.events.catalog.storage import BlobsCollected
from bitvault.kernel import clock, db
from bitvault.kernel.errors import Unavailable

BATCH = 500
"""Blobs of one step: one question to Files, one transaction, one call to the store, and an event of 20 kB."""

FORGET_BATCH = 5000

BRAKE_LEAST = 100
BRAKE_SHARE = 100
"""A run stops before it condemns more than this many blobs, or this part (one in a hundred) of all, that no event has told of."""

COLLECTED = Counter("bitvault_blobs_collected_total", "Blobs that the collector visited, by what it did", ["outcome"])
COLLECTED_BYTES = Counter("bitvault_blobs_collected_bytes_total", "Bytes that the collector deleted from the store")

logger = structlog.get_logger(__name__)


class _Candidate(NamedTuple):
    id: UUID
    unreferenced_at: datetime
    has_drifted: bool
    size_bytes: int


class _Condemned(NamedTuple):
    id: UUID
    condemned_at: datetime
    key: str
    size_bytes: int
    content_hash: bytes
    store_id: UUID | None


class _Stopped(Exception):
    """A brake has stopped the run."""


def grace() -> timedelta:
    """Tell how long a blob stays that nothing refers to."""
    return timedelta(seconds=float(str(settings.BITVAULT_COLLECTION["grace_seconds"])))


def url_wait() -> timedelta:
    """Tell how long a condemned blob stays for URLs that were signed before."""
    return timedelta(seconds=float(str(settings.BITVAULT_COLLECTION["wait_seconds"])))


def is_anything_due() -> bool:
    """Tell whether the entered tenant has anything to condemn, to remove or to forget."""
    now = clock.now()
    with db.read_transaction():
        return (
            _to_condemn(now).exists()
            or _to_remove(now).exists()
            or _to_forget(now).exists()
            or archiving.is_anything_due(now)
            or copies.is_anything_due()
        )


def count_overdue(*, by: timedelta) -> int:
    """Count what should have been condemned or removed this long ago (inside a transaction)."""
    before = clock.now() - by
    return _to_condemn(before).count() + _to_remove(before).count()


def collect(
    *, is_dry: bool = False, has_brakes: bool = True, report: Callable[[int], None] = lambda _: None
) -> dict[str, int]:
    """Condemn and remove what is due in the entered tenant until nothing is; returns what was done, by name.

    :param is_dry: count what would be done, change nothing.
    :param has_brakes: stop when unusually much would go that no event explains.
    :param report: called with the number of blobs visited; may raise to end the run between two batches.
    """
    notes = Notes(RunKind.GC, is_dry=is_dry)
    if is_dry:
        return _look(notes)
    state, reason = RunState.DONE, ""
    visited = 0
    try:
        for step in (_remove_all, lambda it: _condemn_all(it, has_brakes=has_brakes), _remove_all):
            for count in step(notes):
                visited += count
                report(visited)
        notes.count("forgotten", _forget())
        notes.count("unfinished", deriving.forget_unfinished())
        notes.count("archives", archiving.remove_expired())
        copied_count, copied_bytes = copies.collect()
        notes.count("copies", copied_count)
        notes.count("copies_bytes", copied_bytes)
    except _Stopped as stop:
        state, reason = RunState.STOPPED, str(stop)
        logger.error("collection_stopped", reason=reason)  # noqa: TRY400 - the reason says all
    except BaseException:
        state, reason = RunState.FAILED, "The run did not come to its end; another one goes on."
        raise
    finally:
        if set(notes.counts) - {"forgotten", "unfinished", "held_back"} or state != RunState.DONE:
            notes.end(state, reason=reason)
    return notes.counts


def _look(notes: Notes) -> dict[str, int]:
    """Count what a run would do, and leave the answer with the other runs."""
    now = clock.now()
    with db.read_transaction():
        due = _candidates(now, BATCH, after=None)
        to_remove = list(_to_remove(now).values_list("size_bytes", flat=True))
    notes.count("would_remove", len(to_remove))
    notes.count("would_remove_bytes", sum(to_remove))
    while due:
        free = _leave_out_held(due, notes)
        notes.count("would_condemn", len(free))
        notes.count("would_condemn_bytes", sum(candidate.size_bytes for candidate in free))
        with db.read_transaction():
            due = _candidates(now, BATCH, after=due[-1])
    notes.end()
    return notes.counts


# --- condemning ------------------------------------------------------------------------------------------------------------


def _to_condemn(now: datetime) -> "QuerySet[Blob]":
    return Blob.objects.filter(unreferenced_at__lt=now - grace(), state__in=READABLE)


def _candidates(now: datetime, limit: int, *, after: _Candidate | None) -> list[_Candidate]:
    rows = _to_condemn(now)
    if after is not None:
        rows = rows.filter(
            Q(unreferenced_at__gt=after.unreferenced_at) | Q(unreferenced_at=after.unreferenced_at, id__gt=after.id)
        )
    found = rows.order_by("unreferenced_at", "id").values_list("id", "unreferenced_at", "has_drifted", "size_bytes")
    return [_Candidate(key, at, drifted, size) for key, at, drifted, size in found[:limit] if at is not None]


def find_leased(blob_ids: Collection[UUID]) -> set[UUID]:
    """Tell which of these blobs an attempt names that is not over for good (inside a transaction).

    One that was given up or has expired counts until it was swept: a commit of it may still be on its way. Of one that is committed the
    version stands, or never will.
    """
    open_ones = Upload.objects.filter(swept_at__isnull=True).exclude(state=UploadState.COMMITTED)
    named = open_ones.filter(Q(blob_id__in=blob_ids) | Q(known_blob_id__in=blob_ids) | Q(base_blob_id__in=blob_ids))
    return {
        blob_id for row in named.values_list("blob_id", "known_blob_id", "base_blob_id") for blob_id in row if blob_id
    }


def _condemn_all(notes: Notes, *, has_brakes: bool) -> Iterator[int]:
    now = clock.now()
    if has_brakes:
        _require_usual(now)
    last: _Candidate | None = None
    while True:
        with db.read_transaction():
            due = _candidates(now, BATCH, after=last)
            leased = find_leased([candidate.id for candidate in due])
        if not due:
            return
        free = _leave_out_held([candidate for candidate in due if candidate.id not in leased], notes)
        left = {candidate.id for candidate in due} - {candidate.id for candidate in free}
        condemned = _condemn(free, left | leased)
        notes.count("condemned", len(condemned))
        notes.count("postponed", len(due) - len(condemned))
        COLLECTED.labels("condemned").inc(len(condemned))
        COLLECTED.labels("postponed").inc(len(due) - len(condemned))
        last = due[-1]
        yield len(due)


def _require_usual(now: datetime) -> None:
    """Stop where unusually much would go that no event has told of.

    What events have told of was deleted by somebody, however much it is; the rest is known from a comparison of tables alone.
    """
    with db.read_transaction():
        unexplained = _to_condemn(now).filter(has_drifted=True).count()
        if unexplained <= BRAKE_LEAST:
            return
        total = Blob.objects.filter(state__in=READABLE).count()
    if unexplained * BRAKE_SHARE > total:
        raise _Stopped(
            f"{unexplained} of {total} blobs are held by nothing though no deletion was told of; "
            "look why, and run manage.py gc with --without-brakes if it is right."
        )


def _leave_out_held(candidates: Sequence[_Candidate], notes: Notes) -> list[_Candidate]:
    """Ask Files, and leave those out that a version has: the stream may not have told of it yet."""
    if not candidates:
        return []
    held = files.find_held_blobs(blob_ids=[candidate.id for candidate in candidates])
    notes.count("held", len(held))
    return [candidate for candidate in candidates if candidate.id not in held]


def _condemn(free: Sequence[_Candidate], left: Collection[UUID]) -> list[UUID]:
    """Condemn what is still as it was read and that no attempt names; the others' grace begins anew."""
    now = clock.now()
    as_read = {candidate.id: candidate.unreferenced_at for candidate in free}
    with db.write_transaction():
        # A statement of its own takes the locks: the next one sees whatever was committed before.
        locked = Blob.objects.select_for_update().filter(id__in=[*as_read, *left], state__in=READABLE).order_by("id")
        present = dict(locked.values_list("id", "unreferenced_at"))
        leased = find_leased(as_read)
        condemned = [key for key, at in as_read.items() if present.get(key) == at and key not in leased]
        Blob.objects.filter(id__in=condemned).update(state=BlobState.CONDEMNED, condemned_at=now)
        Blob.objects.filter(
            id__in=set(present) - set(condemned), unreferenced_at__isnull=False, state__in=READABLE
        ).update(unreferenced_at=now)
    return condemned


# --- removing --------------------------------------------------------------------------------------------------------------


def _to_remove(now: datetime) -> "QuerySet[Blob]":
    return Blob.objects.filter(state=BlobState.CONDEMNED, condemned_at__lt=now - url_wait())


def _remove_all(notes: Notes) -> Iterator[int]:
    now = clock.now()
    last: _Condemned | None = None
    while True:
        with db.read_transaction():
            due = _list_condemned(now, after=last)
        if not due:
            return
        if holding.is_held():
            notes.count("held_back", len(due))  # at least; a later run deletes them
            return
        held = files.find_held_blobs(blob_ids=[blob.id for blob in due])
        if held:
            _keep_held(held, notes)
        _remove([blob for blob in due if blob.id not in held], notes)
        last = due[-1]
        yield len(due)


def _list_condemned(now: datetime, *, after: _Condemned | None) -> list[_Condemned]:
    rows = _to_remove(now)
    if after is not None:
        rows = rows.filter(Q(condemned_at__gt=after.condemned_at) | Q(condemned_at=after.condemned_at, id__gt=after.id))
    found = rows.order_by("condemned_at", "id").values_list(
        "id", "condemned_at", "key", "size_bytes", "content_hash", "store_id"
    )
    return [
        _Condemned(blob_id, at, key, size, bytes(digest), store_id)
        for blob_id, at, key, size, digest, store_id in found[:BATCH]
        if at is not None
    ]


def _keep_held(held: Collection[UUID], notes: Notes) -> None:
    """Keep what must never be held and is, and say so: an operator has to look. The next runs ask again."""
    logger.error("condemned_blob_held", count=len(held))
    for blob_id in held:
        notes.find(FindingKind.HELD, blob_id=blob_id, detail="its bytes are kept")
    COLLECTED.labels("held").inc(len(held))
    with db.write_transaction():
        Blob.objects.filter(id__in=held, state=BlobState.CONDEMNED).update(condemned_at=clock.now())


def _remove(blobs: Sequence[_Condemned], notes: Notes) -> None:
    """Delete a batch from the store, then say so of what has gone. What the store refuses to delete waits as long again."""
    if not blobs:
        return
    refused: dict[str, str] = {}
    for store_id in {blob.store_id for blob in blobs}:
        there = [blob.key for blob in blobs if blob.store_id == store_id]
        refused |= provider.store_of(store_id).delete_batch(there)
    gone = [blob for blob in blobs if blob.key not in refused]
    now = clock.now()
    size_bytes = sum(blob.size_bytes for blob in gone)
    # Before the rows say so: what is interrupted here is done again.
    notes.count("derived", deriving.forget_unheld({blob.content_hash for blob in gone}))
    with db.write_transaction():
        if gone:
            Blob.objects.filter(id__in=[blob.id for blob in gone], state=BlobState.CONDEMNED).update(
                state=BlobState.GONE, gone_at=now
            )
            publish(BlobsCollected(actor_id=None, blob_ids=[blob.id for blob in gone], size_bytes=size_bytes))
        Blob.objects.filter(key__in=refused, state=BlobState.CONDEMNED).update(condemned_at=now)
    notes.count("removed", len(gone))
    notes.count("removed_bytes", size_bytes)
    notes.count("refused", len(refused))
    COLLECTED.labels("removed").inc(len(gone))
    COLLECTED.labels("refused").inc(len(refused))
    COLLECTED_BYTES.inc(size_bytes)
    if refused:
        logger.warning("objects_not_deleted", count=len(refused))
    if refused and not gone:
        raise Unavailable("The object store lets nothing be deleted.")


# --- forgetting ------------------------------------------------------------------------------------------------------------


def _to_forget(now: datetime) -> "QuerySet[Blob]":
    return Blob.objects.filter(state=BlobState.GONE, gone_at__lte=now - dtos.COMMITTED_MEMORY)


def _forget() -> int:
    """Delete the rows of blobs that went as long ago as attempts are remembered."""
    forgotten, now = 0, clock.now()
    while True:
        with db.write_transaction():
            ids = list(_to_forget(now).values_list("id", flat=True)[:FORGET_BATCH])
            Blob.objects.filter(id__in=ids).delete()
        forgotten += len(ids)
        if len(ids) < FORGET_BATCH:
            return forgotten
