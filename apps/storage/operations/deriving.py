"""What is made of content and kept beside it: previews. Kept once for each content of a tenant, gone with the last version that has it."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import Sum
from prometheus_client import Counter

from apps.files.api import shown as files
from apps.storage import dtos, keys, places, provider, withholding
from apps.storage.errors import BlobGone
from apps.storage.models import Blob, DerivedObject
from apps.storage.queries import READABLE
from bitvault.kernel import clock, db, ids

UNFINISHED_KEPT = timedelta(hours=1)
"""How long a row without bytes may be at work: much longer than any job that makes some."""

BATCH = 500

DERIVED_BYTES = Counter("bitvault_derived_bytes_total", "Bytes of derived objects, by what was done", ["outcome"])


def keep(*, blob_id: UUID, content_hash: bytes, made: Sequence[dtos.NewDerived]) -> None:
    """Put what was made of a blob into the store, instead of what is there of the same names.

    :raises BlobGone: the blob has gone meanwhile; nothing is kept.
    """
    now = clock.now()
    store_id = places.current()
    rows = [
        DerivedObject(
            id=ids.new_id(),
            content_hash=content_hash,
            name=one.name,
            size_bytes=len(one.body),
            digest=hashlib.sha256(one.body).digest(),
            media_type=one.media_type,
            created_at=now,
            store_id=store_id,
        )
        for one in made
    ]
    with db.write_transaction():
        DerivedObject.objects.bulk_create(rows)
    store = provider.store_of(store_id)
    for row, one in zip(rows, made, strict=True):
        store.put_object(keys.derived_key(row.id), one.body)
        DERIVED_BYTES.labels("kept").inc(row.size_bytes)
    with db.write_transaction(lock=f"derived:{content_hash.hex()}"):
        # The collector changes this row when it deletes the blob, and looks for what was derived from it afterwards.
        present = Blob.objects.select_for_update(no_key=True).filter(id=blob_id, state__in=READABLE)
        is_there = bool(present.values_list("id", flat=True))
        replaced = rows
        if is_there:
            named = DerivedObject.objects.filter(
                content_hash=content_hash, name__in=[row.name for row in rows], ready_at__isnull=False
            )
            replaced = list(named)
            named.delete()
            DerivedObject.objects.filter(id__in=[row.id for row in rows]).update(ready_at=clock.now())
    _delete(replaced)
    if not is_there:
        raise BlobGone


def drop(derived_id: UUID, *, content_hash: bytes) -> bool:
    """Delete what was made of a content, because one of it is damaged; tells whether that one was still there.

    Whoever looks for it next has it made anew.
    """
    with db.write_transaction(lock=f"derived:{content_hash.hex()}"):
        ready = DerivedObject.objects.filter(content_hash=content_hash, ready_at__isnull=False)
        rows = list(ready) if ready.filter(id=derived_id).exists() else []
        ready.filter(id__in=[row.id for row in rows]).update(ready_at=None)
    _delete(rows)
    return bool(rows)


def forget_unheld(content_hashes: Collection[bytes]) -> int:
    """Delete what was derived from contents that no version has any more; returns how many objects."""
    with db.read_transaction():
        derived = set(
            DerivedObject.objects.filter(content_hash__in=content_hashes).values_list("content_hash", flat=True)
        )
    wanted = {bytes(one) for one in derived}
    if not wanted:
        return 0
    held = files.find_held_contents(content_hashes=[one.hex() for one in wanted])
    gone = [one for one in wanted if one.hex() not in held]
    with db.read_transaction():
        rows = list(DerivedObject.objects.filter(content_hash__in=gone))
    _delete(rows)
    return len(rows)


def forget_unfinished() -> int:
    """Delete what was begun and never finished; returns how many objects."""
    with db.read_transaction():
        rows = list(
            DerivedObject.objects.filter(ready_at__isnull=True, created_at__lt=clock.now() - UNFINISHED_KEPT)[:BATCH]
        )
    _delete(rows)
    return len(rows)


def _delete(rows: Sequence[DerivedObject]) -> None:
    """Delete objects, then their rows: what is left by a process that dies is found again."""
    if not rows:
        return
    for store_id in {row.store_id for row in rows}:
        there = [keys.derived_key(row.id) for row in rows if row.store_id == store_id]
        provider.store_of(store_id).delete_objects(there)
    with db.write_transaction():
        DerivedObject.objects.filter(id__in=[row.id for row in rows]).delete()
    DERIVED_BYTES.labels("deleted").inc(sum(row.size_bytes for row in rows))


def measure() -> int:
    """Add up the bytes of what is kept of the entered tenant's content."""
    with db.read_transaction():
        found = DerivedObject.objects.filter(ready_at__isnull=False).aggregate(total=Sum("size_bytes"))
    return int(found["total"] or 0)


def read(content_hash: bytes, names: Sequence[str]) -> bytes | None:
    """Read the first of some derived objects of a content that is there."""
    with db.read_transaction():
        found = DerivedObject.objects.filter(content_hash=content_hash, name__in=names, ready_at__isnull=False)
        found = found.exclude(withholding.is_of_withheld_content())
        rows = {row.name: row for row in found}
    row = next((rows[name] for name in names if name in rows), None)
    if row is None:
        return None
    store = provider.store_of(row.store_id)
    return store.read_range(keys.derived_key(row.id), first_byte=0, limit_bytes=row.size_bytes)


def sign(wanted: Collection[bytes], names: Sequence[str]) -> dict[bytes, dtos.Download]:
    """Sign URLs of what was derived from contents: of each the first of ``names`` that is there."""
    with db.read_transaction():
        found = DerivedObject.objects.filter(content_hash__in=wanted, name__in=names, ready_at__isnull=False)
        rows = list(found.exclude(withholding.is_of_withheld_content()))
    best: dict[bytes, DerivedObject] = {}
    for row in sorted(rows, key=lambda one: names.index(one.name)):
        best.setdefault(bytes(row.content_hash), row)
    signed = {
        one: provider.store_of(row.store_id).sign_shown(key=keys.derived_key(row.id), media_type=row.media_type)
        for one, row in best.items()
    }
    return {one: dtos.Download(url=each.url, expires_at=each.expires_at) for one, each in signed.items()}
