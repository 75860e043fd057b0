"""The move of a tenant's objects to another store, while everything goes on.

*Copying*: each blob is brought to the new store and compared there; the row of the copy is written before its bytes are. Nothing else
changes, so a cancel leaves everything as it was. *Switched*: new uploads go to the new store, and blobs that lie there whole have their
rows say so, a batch in one transaction with a row for what stays behind. What uploads brought to the old store meanwhile follows in
rounds, until none is on its way there. What stays behind is kept for days, so URLs that were given out before work until they expire, and
the way back has nothing to copy.

Every step looks for what is left to do, so another try goes on wherever one has died. Whoever reads asks the row where the bytes are.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet
from prometheus_client import Counter

from apps.storage import disk, durability, keys, places, provider
from apps.storage.config import MOVE_KEPT_DAYS
from apps.storage.errors import ContentMismatch
from apps.storage.models import Blob, DerivedObject, Move, StoreCopy, Upload, UploadState
from apps.storage.models_of_stores import MoveState
from apps.storage.operations import copying, placing
from apps.storage.queries import READABLE
from bitvault.events.api import publish
from bitvault.events.catalog.storage import MoveEnded
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.deadlines import background

COPIES_AT_ONCE = 4
"""Objects on their way at once: hides both stores' latency, and is at most so many parts in memory."""

BATCH = 100
"""Objects of one step: what is written down, copied and noted together."""

MOVED = Counter("bitvault_moved_bytes_total", "Bytes that were brought from one object store to another")

_OPEN = (UploadState.STARTED, UploadState.COMPLETING)

logger = structlog.get_logger(__name__)


class _Canceled(Exception):
    """The move was canceled while it was worked on."""


def go_on(move_id: UUID, *, seconds: float, report: Callable[[int, int], None]) -> str:
    """Work on a move until it is done, waits for uploads, or the time is over; returns its state.

    :param report: called with the objects copied, and how many there are; may raise to end the run between two batches.
    """
    move = Move.objects.filter(id=move_id).first()
    if move is None or move.finished_at is not None:
        return "over"
    deadline = time.monotonic() + seconds
    try:
        with background():
            return _Work(move, deadline, report).run()
    except _Canceled:
        give_up(move.store_id)  # what was begun since it was canceled
        return str(MoveState.CANCELED)


class _Work:
    """One try at a move."""

    def __init__(self, move: Move, deadline: float, report: Callable[[int, int], None]) -> None:
        self._move = move
        self._store_id: UUID | None = move.store_id
        self._deadline = deadline
        self._report = report
        self._left: set[UUID] = set()

    def run(self) -> str:
        _take_back_copies(self._store_id)
        self._copy_all()
        if time.monotonic() > self._deadline:
            return str(self._move.state)
        if self._move.state == MoveState.COPYING:
            self._switch()
        while True:
            self._switch_copied()
            self._move_derived()
            with db.read_transaction():
                rest = _uncopied(self._store_id).exclude(id__in=self._left).exists()
                is_on_its_way = on_their_way(self._store_id).exists()
            if not rest and not is_on_its_way:
                return self._finish()
            before = self._move.copied_count
            self._copy_all()
            if self._move.copied_count == before or time.monotonic() > self._deadline:
                self._note()
                return str(
                    MoveState.SWITCHED
                )  # uploads are on their way, or old copies being deleted: another run comes in some minutes

    def _copy_all(self) -> None:
        after = UUID(int=0)
        while time.monotonic() < self._deadline:
            with db.read_transaction():
                found = _uncopied(self._store_id).filter(id__gt=after).order_by("id")
                columns = ("id", "key", "size_bytes", "part_size_bytes", "part_hashes", "content_hash", "store_id")
                batch = [
                    copying.Source(blob_id, key, size, part_size, bytes(hashes), bytes(digest), store_id)
                    for blob_id, key, size, part_size, hashes, digest, store_id in found.values_list(*columns)[:BATCH]
                ]
            if not batch:
                return
            self._require_wanted()
            after = batch[-1].id
            batch = _announce(batch, self._store_id)
            if self._store_id is None:
                disk.require_free(None, sum(source.size_bytes for source in batch))
            came = self._copy(batch)
            durability.flush(self._store_id)
            done = [source for source, is_there in zip(batch, came, strict=True) if is_there]
            self._left |= {source.id for source, is_there in zip(batch, came, strict=True) if not is_there}
            _confirm(done, self._store_id)
            self._move.copied_count += len(done)
            self._move.copied_bytes += sum(source.size_bytes for source in done)
            MOVED.inc(sum(source.size_bytes for source in done))
            self._note()
            self._report(self._move.copied_count, max(self._move.total_count, self._move.copied_count))

    def _copy(self, batch: Sequence[copying.Source]) -> list[bool]:
        # The stores are asked for here: threads of the pool have no business with the database.
        target = provider.store_of(self._store_id)
        homes = {store_id: provider.store_of(store_id) for store_id in {source.store_id for source in batch}}
        tenant = tenancy.current()

        def copy(source: copying.Source) -> bool:
            """Copy a blob; ``False`` where its object is missing or damaged: it stays where it is, and scrubbing tells of it."""
            with tenancy.entered(tenant):
                try:
                    copying.copy(source, home=homes[source.store_id], target=target)
                except (FileNotFoundError, ContentMismatch) as error:
                    logger.error("object_not_moved", blob_id=str(source.id), error=type(error).__name__)  # noqa: TRY400 - the kind says all
                    return False
            return True

        with ThreadPoolExecutor(COPIES_AT_ONCE, thread_name_prefix="move") as pool:
            return list(pool.map(copy, batch))

    def _require_wanted(self) -> None:
        if Move.objects.filter(id=self._move.id, finished_at__isnull=False).exists():
            raise _Canceled

    def _note(self) -> None:
        with db.public_transaction():
            Move.objects.filter(id=self._move.id).update(
                copied_count=self._move.copied_count,
                copied_bytes=self._move.copied_bytes,
                left_count=len(self._left),
            )

    def _switch(self) -> None:
        """Have new bytes go to the new store: from here on there is no cancel."""
        now = clock.now()
        with db.public_transaction():
            switched = Move.objects.filter(id=self._move.id, finished_at__isnull=True).update(
                state=MoveState.SWITCHED, switched_at=now
            )
            if not switched:
                raise _Canceled
            placing.place_within(self._store_id, by=self._move.started_by)
        places.forget()
        self._move.state = MoveState.SWITCHED

    def _switch_copied(self) -> None:
        """Let the rows of blobs that lie in the new store say so."""
        while True:
            with db.write_transaction():
                ready = StoreCopy.objects.filter(
                    store_id=self._store_id, verified_at__isnull=False, kept_until__isnull=True
                )
                here = Blob.objects.select_for_update(no_key=True).filter(
                    key__in=ready.values("key"), state__in=READABLE
                )
                found = list(here.exclude(store_id=self._store_id).order_by("id")[:BATCH])
                # Locked behind the blobs, and judged again: one that the collector has marked meanwhile is none any more.
                copied = ready.filter(key__in=[blob.key for blob in found]).select_for_update().order_by("id")
                still_there = set(copied.values_list("key", flat=True))
                batch = [blob for blob in found if blob.key in still_there]
                _leave([(blob.key, blob.size_bytes, blob.store_id) for blob in batch])
                Blob.objects.filter(id__in=[blob.id for blob in batch]).update(store_id=self._store_id)
                StoreCopy.objects.filter(store_id=self._store_id, key__in=[blob.key for blob in batch]).delete()
            if len(found) < BATCH:
                return

    def _move_derived(self) -> None:
        """Bring previews along; one that cannot be read is made anew when somebody asks for it."""
        target = provider.store_of(self._store_id)
        after = UUID(int=0)
        while time.monotonic() < self._deadline:
            with db.read_transaction():
                found = DerivedObject.objects.filter(ready_at__isnull=False, id__gt=after).exclude(
                    store_id=self._store_id
                )
                batch = list(found.order_by("id")[:BATCH])
            if not batch:
                return
            after = batch[-1].id
            for row in batch:
                key = keys.derived_key(row.id)
                body = provider.store_of(row.store_id).read_range(key, first_byte=0, limit_bytes=max(1, row.size_bytes))
                if body is None:
                    continue
                target.put_object(key, body)
                with db.write_transaction():
                    here = DerivedObject.objects.filter(id=row.id, store_id=row.store_id, ready_at__isnull=False)
                    # Else it was dropped, and the reconciler finds what was written, or another run was faster.
                    if here.update(store_id=self._store_id):
                        _leave([(key, row.size_bytes, row.store_id)])
            self._report(self._move.copied_count, max(self._move.total_count, self._move.copied_count))

    def _finish(self) -> str:
        with db.public_transaction():
            ended = Move.objects.filter(id=self._move.id, finished_at__isnull=True).update(
                state=MoveState.DONE,
                finished_at=clock.now(),
                left_count=len(self._left),
                copied_count=self._move.copied_count,
                copied_bytes=self._move.copied_bytes,
            )
            if ended:
                publish(
                    MoveEnded(
                        actor_id=self._move.started_by,
                        move_id=UUID(str(self._move.id)),
                        was_canceled=False,
                        left_count=len(self._left),
                    )
                )
        return str(MoveState.DONE)


def elsewhere(store_id: UUID | None) -> QuerySet[Blob]:
    """Ask for the blobs that lie in another store than this one."""
    return Blob.objects.filter(state__in=READABLE, damaged_at__isnull=True).exclude(store_id=store_id)


def _uncopied(store_id: UUID | None) -> QuerySet[Blob]:
    """Ask for the blobs that are neither there nor copied there (inside a transaction)."""
    copied = StoreCopy.objects.filter(key=OuterRef("key"), store_id=store_id, verified_at__isnull=False)
    return elsewhere(store_id).filter(~Exists(copied))


def on_their_way(store_id: UUID | None) -> QuerySet[Upload]:
    """Ask for the attempts that may still bring a blob to another store than this one."""
    now = clock.now()
    return (
        Upload.objects.filter(state__in=_OPEN, swept_at__isnull=True)
        .filter(Q(expires_at__gt=now) | Q(state=UploadState.COMPLETING))
        .exclude(store_id=store_id)
    )


def _announce(batch: Sequence[copying.Source], store_id: UUID | None) -> list[copying.Source]:
    """Write down that these objects are about to be in the new store, too; leaves out those that are being deleted there just now."""
    rows = [StoreCopy(id=ids.new_id(), key=each.key, store_id=store_id, size_bytes=each.size_bytes) for each in batch]
    with db.write_transaction():
        StoreCopy.objects.bulk_create(rows, ignore_conflicts=True)
        wanted = StoreCopy.objects.filter(store_id=store_id, key__in=[each.key for each in batch], kept_until=None)
        announced = set(wanted.values_list("key", flat=True))
    return [each for each in batch if each.key in announced]


def _confirm(done: Sequence[copying.Source], store_id: UUID | None) -> None:
    """Note that these objects are there; those that nobody wants any more are the collector's.

    Another run of the same move may have been faster: what a blob's row names by now is neither. The blobs are locked, as they are where
    their rows come to name another store.
    """
    wanted = {each.key: each for each in done}
    with db.write_transaction():
        blobs = Blob.objects.select_for_update(no_key=True).filter(id__in=[each.id for each in done]).order_by("id")
        named = {blob.key for blob in blobs if blob.store_id == store_id and blob.state in READABLE}
        noted = StoreCopy.objects.filter(store_id=store_id, key__in=wanted, kept_until__isnull=True)
        noted.update(verified_at=clock.now())
        kept = set(noted.values_list("key", flat=True))
        strays = [each for key, each in wanted.items() if key not in kept | named]
        rows = [
            StoreCopy(
                id=ids.new_id(), key=each.key, store_id=store_id, size_bytes=each.size_bytes, kept_until=clock.now()
            )
            for each in strays
        ]
        StoreCopy.objects.bulk_create(rows, ignore_conflicts=True)


def _take_back_copies(store_id: UUID | None) -> None:
    """Make use of what an earlier move has left in this store: it is compared again, and copied only where it is not whole."""
    with db.write_transaction():
        # One that is not verified is being deleted.
        StoreCopy.objects.filter(store_id=store_id, kept_until__gt=clock.now(), verified_at__isnull=False).update(
            kept_until=None, verified_at=None
        )


def _leave(objects: Sequence[tuple[str, int, UUID | None]]) -> None:
    """Note what stays in the old store, and for how long (inside the transaction that has the rows name the new one)."""
    now = clock.now()
    until = now + timedelta(days=MOVE_KEPT_DAYS.get())
    StoreCopy.objects.bulk_create(
        [
            StoreCopy(id=ids.new_id(), key=key, store_id=store_id, size_bytes=size, verified_at=now, kept_until=until)
            for key, size, store_id in objects
        ],
        update_conflicts=True,
        unique_fields=["store_id", "key"],
        update_fields=["verified_at", "kept_until"],
    )


def give_up(store_id: UUID | None) -> None:
    """Let the collector have what a move that was canceled has copied."""
    with db.write_transaction():
        StoreCopy.objects.filter(store_id=store_id, kept_until__isnull=True).update(kept_until=clock.now())
