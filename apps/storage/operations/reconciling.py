"""The reconciler: the store's own inventory against the rows, in the order of keys, a thousand at a time.

Whatever an upload puts into the store has a row before it: an object that no row names is garbage for certain once it is old enough that
no request can still be at it. A blob whose object is not there, or has another size, is a loss: that is told, and nothing is changed.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from apps.storage import keys, objects, places, provider
from apps.storage.models import (
    Archive,
    Blob,
    BlobState,
    DerivedObject,
    FindingKind,
    RunKind,
    RunState,
    StoreCopy,
    Upload,
)
from apps.storage.operations import holding, placing, references
from apps.storage.operations.noting import Notes
from bitvault.kernel import clock, db

PAGE = 1000
"""Objects, and rows, of one step: what the store lists in one answer."""

OLD = timedelta(days=1)
"""How old an object is that is taken for an orphan: far longer than any URL and request, and than clocks may differ."""

BRAKE_LEAST = 100
BRAKE_SHARE = 100
"""A run stops before it deletes more objects than this, or than one in a hundred of the tenant's blobs."""

SESSION_ROUNDS = 100

logger = structlog.get_logger(__name__)


class _Row(NamedTuple):
    id: UUID
    key: str
    size_bytes: int
    state: str
    gone_at: datetime | None


class _Stopped(Exception):
    """A brake has stopped the run."""


class Reconciler:
    """A run over the entered tenant's objects."""

    def __init__(self, *, is_dry: bool, has_brakes: bool, run_id: UUID | None = None) -> None:
        """Begin a run, or take one up.

        :param is_dry: only find; nothing is deleted or corrected.
        :param has_brakes: stop before unusually much is deleted.
        """
        self.notes = Notes(RunKind.RECONCILE, is_dry=is_dry, run_id=run_id)
        self._is_dry = is_dry
        self._has_brakes = has_brakes
        self._prefix = keys.tenant_prefix()
        self._store_id: UUID | None = None
        with db.read_transaction():
            self._allowed = max(BRAKE_LEAST, Blob.objects.count() // BRAKE_SHARE)

    def run(
        self,
        *,
        cursor: str = "",
        store_id: UUID | None = None,
        report: Callable[[int, UUID | None, str], None] = lambda *_: None,
    ) -> dict[str, int]:
        """Walk through all objects, store by store; returns what was found and done, by name.

        :param cursor: the key behind which to go on, and ``store_id`` the store.
        :param report: called with the number of objects seen, and the store and the key from which another try goes on; may raise to end
            the run there.
        """
        try:
            if not self._is_dry:
                self.notes.count(FindingKind.DRIFT, references.correct_hints())
            stores: list[UUID | None] = [None, *places.used()]
            for self._store_id in stores[stores.index(store_id) if store_id in stores else 0 :]:
                position: str | None = cursor if self._store_id == store_id else ""
                if not position:
                    self._abort_abandoned()
                while position is not None:
                    position = self._compare_page(position)
                    self.notes.write()
                    report(self.notes.counts.get("objects", 0), self._store_id, position or "")
                if self._store_id is not None and not self._is_dry:
                    placing.end_if_empty(self._store_id)
        except _Stopped as stop:
            logger.error("reconciliation_stopped", reason=str(stop))  # noqa: TRY400 - the reason says all
            self.notes.end(RunState.STOPPED, reason=str(stop))
        else:
            self.notes.end()
        return self.notes.counts

    def _compare_page(self, cursor: str) -> str | None:
        """Compare what lies behind a key; returns up to which key that was, ``None`` at the end."""
        listed_at = clock.now()
        objects = provider.store_of(self._store_id).list_page(self._prefix, after=cursor, limit=PAGE)
        with db.read_transaction():
            found = Blob.objects.filter(key__gt=cursor, store_id=self._store_id).order_by("key")
            rows = [_Row(*row) for row in found.values_list("id", "key", "size_bytes", "state", "gone_at")[:PAGE]]
        ends = [page[-1].key for page in (objects, rows) if len(page) == PAGE]
        end = min(ends) if ends else None
        if end is not None:
            objects = [each for each in objects if each.key <= end]
            rows = [row for row in rows if row.key <= end]
        self.notes.count("objects", len(objects))
        by_key = {row.key: row for row in rows}
        self._judge_objects([each for each in objects if each.key not in by_key], listed_at)
        self._judge_known([(each, by_key[each.key]) for each in objects if each.key in by_key], listed_at)
        present = {each.key for each in objects}
        self._judge_missing([row for row in rows if row.key not in present and row.state != BlobState.GONE])
        return end

    def _judge_objects(self, unknown: list[objects.ListedObject], listed_at: datetime) -> None:
        """Find orphans among objects that no blob names."""
        old = [each for each in unknown if each.modified_at < listed_at - OLD]
        uploads = {each.key: keys.upload_of(each.key) for each in old}
        with db.read_transaction():
            # Read anew, behind the listing: a blob's row may have been written meanwhile.
            known = set(Blob.objects.filter(key__in=uploads, store_id=self._store_id).values_list("key", flat=True))
            ids = [upload for upload in uploads.values() if upload is not None]
            under_way = _under_way(ids)
            known |= set(
                StoreCopy.objects.filter(key__in=uploads, store_id=self._store_id).values_list("key", flat=True)
            )
            here = DerivedObject.objects.filter(id__in=ids, store_id=self._store_id)
            derived = set(here.values_list("id", flat=True))
            known |= {key for key, each in uploads.items() if each in derived and keys.is_derived(key)}
        foreign = [each for each in old if uploads[each.key] is None]
        for each in foreign:
            self.notes.find(FindingKind.ORPHAN, key=each.key, size_bytes=each.size_bytes, detail="none of our keys")
        orphans = [
            each for each in old if each not in foreign and each.key not in known and uploads[each.key] not in under_way
        ]
        self._delete(FindingKind.ORPHAN, orphans)

    def _judge_known(self, pairs: list[tuple[objects.ListedObject, _Row]], listed_at: datetime) -> None:
        leftovers = [
            each for each, row in pairs if row.state == BlobState.GONE and row.gone_at and row.gone_at < listed_at
        ]
        self._delete(FindingKind.LEFTOVER, leftovers)
        for each, row in pairs:
            if row.state == BlobState.GONE or each.size_bytes == row.size_bytes:
                continue
            self.notes.find(
                FindingKind.WRONG_SIZE,
                key=row.key,
                blob_id=row.id,
                size_bytes=each.size_bytes,
                detail=f"{row.size_bytes} bytes were verified",
            )

    def _judge_missing(self, rows: list[_Row]) -> None:
        """Ask for each object that the inventory does not show; the collector may have deleted it since."""
        for row in rows:
            if provider.store_of(self._store_id).find_object(row.key) is not None:
                continue
            with db.read_transaction():
                here = Blob.objects.filter(id=row.id, store_id=self._store_id)
                is_gone = not here.exclude(state=BlobState.GONE).exists()
            if not is_gone and row.state != BlobState.CONDEMNED:
                logger.error("object_missing", blob_id=str(row.id))
                self.notes.find(FindingKind.MISSING, key=row.key, blob_id=row.id, size_bytes=row.size_bytes)

    def _delete(self, kind: FindingKind, objects: list[objects.ListedObject]) -> None:
        if not objects:
            return
        refused: dict[str, str] = {}
        looks_only = self._is_dry or holding.is_held()
        if not looks_only:
            done = self.notes.counts.get("deleted", 0) + len(objects)
            if self._has_brakes and done > self._allowed:
                raise _Stopped(
                    f"{done} objects would be deleted that nothing names, more than the {self._allowed} that are usual; "
                    "look why, and run manage.py reconcile with --without-brakes if it is right."
                )
            refused = provider.store_of(self._store_id).delete_batch([each.key for each in objects])
            self.notes.count("deleted", len(objects) - len(refused))
            self.notes.count("deleted_bytes", sum(each.size_bytes for each in objects if each.key not in refused))
        for each in objects:
            outcome = "reported" if looks_only or each.key in refused else "deleted"
            self.notes.find(kind, key=each.key, size_bytes=each.size_bytes, outcome=outcome)

    def _abort_abandoned(self) -> None:
        """Abort multipart uploads of attempts that are over; the store tells the first thousand at a time."""
        store = provider.store_of(self._store_id)
        for _ in range(SESSION_ROUNDS):
            sessions = store.list_multipart_uploads(self._prefix, before=clock.now() - OLD)
            uploads = {key: keys.upload_of(key) for key, _ in sessions}
            with db.read_transaction():
                under_way = _under_way([upload for upload in uploads.values() if upload is not None])
            abandoned = [(key, session) for key, session in sessions if uploads[key] not in under_way]
            for key, session in abandoned:
                if not self._is_dry:
                    _abort(store, key, session)
                self.notes.find(FindingKind.ABANDONED, key=key, outcome="reported" if self._is_dry else "deleted")
            if self._is_dry or not abandoned:
                return


def _abort(store: provider.ObjectStore, key: str, session: str) -> None:
    try:
        store.abort_multipart_upload(key=key, store_upload_id=session)
    except provider.UploadUnknown:
        return


def _under_way(upload_ids: list[UUID]) -> set[UUID]:
    """Tell which of these attempts, or tries of archives, may still have something in the store (inside a transaction)."""
    rows = Upload.objects.filter(id__in=upload_ids, swept_at__isnull=True)
    tries = Archive.objects.filter(try_id__in=upload_ids)
    return {*rows.values_list("id", flat=True), *(one for one in tries.values_list("try_id", flat=True) if one)}


def reconcile(*, is_dry: bool = False, has_brakes: bool = True) -> dict[str, int]:
    """Walk through all of the entered tenant's objects at once; returns what was found and done, by name."""
    return Reconciler(is_dry=is_dry, has_brakes=has_brakes).run()


def reconcile_by_job(run: Any) -> dict[str, int]:
    """Walk through them as a job, which goes on where its last try has ended."""
    place = run.checkpoint or {}
    reconciler = Reconciler(is_dry=False, has_brakes=True, run_id=UUID(place["run_id"]) if place else None)

    def report(count: int, store_id: UUID | None, cursor: str) -> None:
        at = {"run_id": str(reconciler.notes.run_id), "cursor": cursor, "store_id": store_id and str(store_id)}
        run.report(count, checkpoint=at if cursor or store_id else None)

    store_id = place.get("store_id")
    return reconciler.run(cursor=place.get("cursor", ""), store_id=store_id and UUID(store_id), report=report)
