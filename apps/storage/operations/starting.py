"""Beginning an attempt, signing its parts, giving it up."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from apps.storage import disk, dtos, durability, keys, models, objects, parts, places, provider, queries, rows, turns
from apps.storage.errors import PartOutOfRange, StoreUnavailable, UploadComplete, UploadNotFound, UploadOver
from bitvault.events.api import publish
from bitvault.events.catalog.storage import UploadCanceled
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import Unavailable

SWEEP_GRACE = timedelta(hours=1)
"""From the end of an attempt to its sweep. Longer than any URL lives and than any request that still works on the attempt."""

_OPEN = (models.UploadState.STARTED, models.UploadState.COMPLETING)

logger = structlog.get_logger(__name__)


def start(
    *,
    upload_id: UUID,
    by: Actor,
    size_bytes: int,
    media_type: str,
    destination: dict[str, Any],
    part_hashes: list[bytes],
    base_blob_id: UUID | None,
    known_blob_id: UUID | None,
    client_modified_at: datetime | None,
) -> dtos.Upload:
    """Write the attempt's row, and sign the first parts that are announced with it."""
    layout = parts.lay_out(size_bytes)
    if len(part_hashes) > layout.part_count:
        raise PartOutOfRange("The file has %(part_count)s parts.", part_count=layout.part_count)
    if known_blob_id is not None:
        with db.read_transaction():
            # One that was condemned meanwhile is never revived: its bytes have to come again.
            known_blob_id = queries.usable_blobs().filter(id=known_blob_id).values_list("id", flat=True).first()
    attempt = make_attempt(
        upload_id=upload_id,
        by=by,
        layout=layout,
        media_type=media_type,
        destination=destination,
        part_hashes=b"".join(part_hashes),
        base_blob_id=base_blob_id,
        known_blob_id=known_blob_id,
        client_modified_at=client_modified_at,
    )
    if known_blob_id is None:
        disk.let_in(attempt.store_id, upload_id, layout)
    announced = range(1, min(len(part_hashes), dtos.SIGN_LIMIT) + 1)
    with db.write_transaction() as tx:
        base = queries.find_base(attempt)
        if not _needs_store_upload(attempt, base, announced):
            # Signing is arithmetic, so the answer is part of the transaction that makes it true.
            answer = tx.answer(queries.describe(attempt, sign(attempt, base, announced)))
            rows.insert_last(attempt, tx)
            return answer
        rows.insert(attempt)
    try:
        _open_store_upload(attempt)
    except Exception:
        disk.withdraw(attempt.store_id, upload_id, layout)
        raise
    described = queries.describe(attempt, sign(attempt, base, announced))
    with db.write_transaction() as tx:
        return tx.answer(described)


def make_attempt(
    *,
    upload_id: UUID,
    by: Actor,
    layout: parts.Layout,
    media_type: str,
    destination: dict[str, Any],
    part_hashes: bytes,
    base_blob_id: UUID | None,
    known_blob_id: UUID | None,
    client_modified_at: datetime | None,
) -> rows.Attempt:
    """Make the row of a new attempt; nothing is written."""
    now = clock.now()
    store_id = places.current()
    return rows.Attempt(
        id=upload_id,
        user_id=by.user_id,
        state="started",
        size_bytes=layout.size_bytes,
        part_size_bytes=layout.part_size_bytes,
        part_count=layout.part_count,
        part_hashes=part_hashes,
        resigned={},
        media_type=media_type,
        destination=destination,
        client_modified_at=client_modified_at,
        store_upload_id="",
        base_blob_id=base_blob_id,
        known_blob_id=known_blob_id,
        blob_id=None,
        completion=None,
        store_id=store_id,
        boot_id=durability.find_boot_id(store_id),
        # Of several parts there may always be more in the store than the object: sessions that lost a race, parts that came too late.
        has_strays=layout.part_count > 1,
        created_at=now,
        expires_at=now + dtos.UPLOAD_LIFETIME,
        sweep_at=now + dtos.UPLOAD_LIFETIME + SWEEP_GRACE,
        swept_at=None,
    )


def sign_parts(*, upload_id: UUID, by: Actor, announced: dict[int, bytes]) -> list[dtos.Part]:
    """Keep the digests that the parts are announced with, then sign their URLs."""
    with db.write_transaction():
        attempt = _lock_started(upload_id, by.user_id)
        layout = attempt.layout
        for number in announced:
            layout.require(number)
        _announce(attempt, announced)
        base = queries.find_base(attempt)
    attempt = forget_unflushed(attempt)
    _require_room(attempt, base, announced)
    if _needs_store_upload(attempt, base, announced):
        _open_store_upload(attempt)
    return sign(attempt, base, announced)


def _require_room(attempt: rows.Attempt, base: models.Blob | None, numbers: Iterable[int]) -> None:
    """Look whether parts that are to be sent find room, and count their upload as on its way."""
    if attempt.known_blob_id is not None:
        return
    layout = attempt.layout
    hashes = attempt.part_hashes
    sent = [number for number in numbers if not queries.is_in_base(base, number, parts.digest_at(hashes, number))]
    disk.require_free(attempt.store_id, sum(map(layout.length_of, sent)))
    disk.announce(attempt.store_id, attempt.id, layout)


def abort(*, upload_id: UUID, by: Actor) -> dtos.Aborted:
    """Give an attempt up. What it brought is removed at once when nothing can refer to it, and by the sweeper in any case."""
    with db.write_transaction():
        attempt = queries.require_upload(upload_id, by.user_id, lock=True)
        before = attempt.state
        if before == models.UploadState.COMMITTED:
            raise UploadComplete("The upload is committed; delete the file instead.")
        if before in _OPEN:
            models.Upload.objects.filter(id=upload_id).update(
                state=models.UploadState.ABORTED, sweep_at=clock.now() + SWEEP_GRACE
            )
    disk.withdraw(attempt.store_id, upload_id, attempt.layout)
    if before == models.UploadState.STARTED:
        # From here no commit can get past the state. The URLs still live, so the sweeper comes once more when they are dead.
        try:
            remove_all(upload_id, attempt.store_id)
        except Unavailable:
            logger.info("abort_left_to_sweeper", upload_id=str(upload_id))
    return dtos.Aborted(was_verified=attempt.blob_id is not None, size_bytes=attempt.size_bytes)


def tell_canceled(upload_id: UUID, *, by: UUID) -> None:
    """Let the stream tell that an operator has ended an attempt."""
    with db.write_transaction():
        attempt = rows.find(upload_id)
        if attempt is None:
            raise UploadNotFound
        publish(
            UploadCanceled(actor_id=by, upload_id=upload_id, sender_id=attempt.user_id, size_bytes=attempt.size_bytes)
        )


def remove_all(upload_id: UUID, store_id: UUID | None, *, keep_key: str | None = None) -> int:
    """Delete what an attempt put into its store, except the object ``keep_key``; returns how many objects and sessions went."""
    store = provider.store_of(store_id)
    prefix = keys.prefix_of(upload_id)
    sessions = store.list_multipart_uploads(prefix)
    for key, store_upload_id in sessions:
        try:
            store.abort_multipart_upload(key=key, store_upload_id=store_upload_id)
        except provider.UploadUnknown:
            continue
    strays = [key for key in store.list_keys(prefix) if key != keep_key]
    store.delete_objects(strays)
    return len(sessions) + len(strays)


def forget_unflushed(attempt: rows.Attempt) -> rows.Attempt:
    """Drop what an open attempt brought before the machine was started anew: nobody has flushed it, so it may be torn. It is sent again.

    :raises StoreUnavailable: it cannot be dropped at the moment.
    """
    if attempt.state != models.UploadState.STARTED or not durability.is_of_another_boot(
        attempt.store_id, attempt.boot_id
    ):
        return attempt
    with turns.taken(f"forget:{attempt.id.hex}") as is_mine:
        if not is_mine:
            raise StoreUnavailable
        present = rows.find_alone(attempt.id)
        if present is None or not durability.is_of_another_boot(present.store_id, present.boot_id):
            return present or attempt
        removed = remove_all(attempt.id, attempt.store_id)
        boot_id = durability.find_boot_id(attempt.store_id)
        with db.write_transaction():
            models.Upload.objects.filter(id=attempt.id, state=models.UploadState.STARTED).update(
                boot_id=boot_id, store_upload_id="", completion=None
            )
        logger.info("unflushed_parts_dropped", upload_id=str(attempt.id), count=removed)
    return replace(present, boot_id=boot_id, store_upload_id="", completion=None)


def require_open(attempt: rows.Attempt) -> None:
    """Refuse an attempt that has come to an end.

    :raises UploadOver: it was given up or its time is over.
    """
    if attempt.state in (models.UploadState.ABORTED, models.UploadState.EXPIRED):
        raise UploadOver
    if attempt.state in _OPEN and attempt.expires_at <= clock.now():
        raise UploadOver


def _lock_started(upload_id: UUID, user_id: UUID) -> rows.Attempt:
    attempt = queries.require_upload(upload_id, user_id, lock=True)
    require_open(attempt)
    if attempt.state != models.UploadState.STARTED or attempt.is_handed_over:
        raise UploadComplete
    return attempt


def _announce(attempt: rows.Attempt, announced: dict[int, bytes]) -> None:
    """Merge digests into the row. One that differs from before makes the old bytes strays, and known content unknown."""
    hashes = attempt.part_hashes
    anew = [n for n, digest in announced.items() if parts.digest_at(hashes, n) not in (parts.UNKNOWN, digest)]
    merged = parts.merge(hashes, announced)
    if merged == hashes:
        return
    attempt.part_hashes = merged
    if anew:
        attempt.resigned = {**attempt.resigned, **{str(number): clock.now().isoformat() for number in anew}}
        attempt.has_strays = True
        attempt.known_blob_id = None
    models.Upload.objects.filter(id=attempt.id).update(
        part_hashes=merged,
        resigned=attempt.resigned,
        has_strays=attempt.has_strays,
        known_blob_id=attempt.known_blob_id,
    )


def _needs_store_upload(attempt: rows.Attempt, base: models.Blob | None, numbers: Iterable[int]) -> bool:
    if attempt.part_count == 1 or attempt.store_upload_id or attempt.known_blob_id is not None:
        return False
    hashes = attempt.part_hashes
    return any(not queries.is_in_base(base, number, parts.digest_at(hashes, number)) for number in numbers)


def _open_store_upload(attempt: rows.Attempt) -> None:
    """Begin the store's multipart upload; of two that do so at once, one wins and the other's is dropped."""
    attempt.store_upload_id = open_store_upload(attempt)


def open_store_upload(attempt: rows.Attempt) -> str:
    """Begin the store's multipart upload of an attempt, or find the one that somebody else has begun; returns the store's id of it.

    :raises UploadOver: the attempt has come to an end meanwhile.
    """
    upload_id, key = attempt.id, keys.multipart_key(attempt.id)
    store = provider.store_of(attempt.store_id)
    mine = store.create_multipart_upload(key)
    with db.write_transaction():
        models.Upload.objects.filter(id=upload_id, state=models.UploadState.STARTED, store_upload_id="").update(
            store_upload_id=mine
        )
        state, kept = models.Upload.objects.values_list("state", "store_upload_id").get(id=upload_id)
    if kept != mine:
        store.abort_multipart_upload(key=key, store_upload_id=mine)
    if state != models.UploadState.STARTED:
        raise UploadOver
    return str(kept)


def sign(attempt: rows.Attempt, base: models.Blob | None, numbers: Iterable[int]) -> list[dtos.Part]:
    """Say of each part whether it is there already, or how to send it."""
    layout = attempt.layout
    hashes = attempt.part_hashes
    described = []
    for number in numbers:
        digest = parts.digest_at(hashes, number)
        size_bytes = layout.length_of(number)
        if attempt.known_blob_id is not None or queries.is_in_base(base, number, digest):
            described.append(dtos.Part(number, "present", size_bytes, digest.hex()))
            continue
        signed = _sign_one(attempt, number, size_bytes, digest)
        described.append(
            dtos.Part(number, "send", size_bytes, digest.hex(), "PUT", signed.url, signed.headers, signed.expires_at)
        )
    return described


def _sign_one(attempt: rows.Attempt, number: int, size_bytes: int, digest: bytes) -> objects.Signed:
    store = provider.store_of(attempt.store_id)
    if attempt.part_count == 1:
        return store.sign_put(key=keys.single_part_key(attempt.id, digest), size_bytes=size_bytes, digest=digest)
    return store.sign_put_part(
        key=keys.multipart_key(attempt.id),
        store_upload_id=attempt.store_upload_id,
        number=number,
        size_bytes=size_bytes,
        digest=digest,
    )
