"""Completing an attempt: the store's own account of the bytes against what was announced.

Every step can be repeated, and a process may die between any two: ``started`` means that verification is still to be done (again),
``completing`` that it is done and frozen. Nothing is deleted from an attempt that is ``completing`` before Files was asked. What takes
longer than a request may wait is handed to a worker (``handing``).
"""

import math
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.storage import disk, dtos, durability, models, parts, queries, rows
from apps.storage.errors import ContentMismatch, NeedsLonger, PartsMissing, StillCompleting, StoreFull, StoreUnavailable
from apps.storage.operations import handing, starting, verifying
from apps.storage.sql import FINISH, FINISH_MANY, FREEZE, FREEZE_KNOWN
from bitvault.kernel import clock, db, ids, scanning
from bitvault.kernel.actor import Actor
from bitvault.kernel.deadlines import is_background
from bitvault.kernel.errors import BitVaultError, Unavailable

SECONDS = 2.0
"""How long a commit may take before its client is told to ask again."""


def complete(*, upload_id: UUID, by: Actor, part_hashes: list[bytes]) -> dtos.Verified:
    """Verify that the store holds what was announced, and freeze it; what takes longer than a request may wait is handed to a worker."""
    deadline = time.monotonic() + SECONDS
    found = _read(upload_id, by)
    attempt = found.attempt
    if found.blob is not None or (attempt.part_count == 1 and attempt.completion is None):
        return _complete(found, part_hashes, deadline)
    with handing.turn_of(upload_id) as is_mine:
        if not is_mine:
            raise StillCompleting
        # Read again: while this waited for its turn, another may have done it all.
        found = _read(upload_id, by)
        if found.blob is None:
            starting.require_open(found.attempt)
            handing.require_ended(found.attempt)
        try:
            return _complete(found, part_hashes, deadline)
        except (PartsMissing, ContentMismatch):
            handing.take_back(found.attempt)
            raise


def go_on(upload_id: UUID) -> str:
    """Complete, as a worker, an attempt that a request has handed over; returns what became of it.

    :raises NeedsLonger: it still takes longer; worth another try.
    :raises Unavailable: the store does not answer; worth another try.
    """
    with handing.turn_of(upload_id) as is_mine:
        if not is_mine:
            return "somebody is at it"
        attempt = rows.find_alone(upload_id)
        if attempt is None or attempt.blob_id is not None or attempt.completion is None:
            return "nothing to do"
        try:
            attempt = starting.forget_unflushed(attempt)
            handing.await_store(attempt)
            handing.note_asked(attempt)
            _complete(_find_blobs(attempt), [], math.inf)
        except Unavailable:
            raise
        except BitVaultError as error:
            handing.note_failure(attempt, error)
            return error.code
    return "verified"


@dataclass(frozen=True, slots=True)
class _Found:
    """An attempt and the blobs that matter to it."""

    attempt: rows.Attempt
    base: models.Blob | None
    blob: models.Blob | None


def _read(upload_id: UUID, by: Actor) -> _Found:
    return _find_blobs(starting.forget_unflushed(queries.require_mine(rows.find_alone(upload_id), by.user_id)))


def _find_blobs(attempt: rows.Attempt) -> _Found:
    if attempt.blob_id is None and attempt.base_blob_id is None:
        return _Found(attempt, None, None)  # nearly always, for a new file
    with db.read_transaction():
        base = queries.find_base(attempt)
        blob = models.Blob.objects.filter(id__in=[attempt.blob_id]).first()
    return _Found(attempt, base, blob)


def _complete(found: _Found, part_hashes: list[bytes], deadline: float) -> dtos.Verified:
    attempt = found.attempt
    if found.blob is not None:
        return as_before(attempt, found.blob, part_hashes)
    starting.require_open(attempt)
    hashes = _agree(attempt, part_hashes)
    unknown = parts.unknown_numbers(hashes, attempt.part_count)
    if unknown:
        raise PartsMissing(unknown, announced=False)
    if attempt.known_blob_id is not None:
        return _freeze_known(attempt, hashes)
    try:
        key = verifying.verify(attempt, found.base, hashes)
        # Before the blob is written: its row says that the bytes are there, whatever happens to the machine.
        durability.flush(attempt.store_id, deadline=deadline)
    except NeedsLonger as more:
        if is_background():
            raise
        handing.hand_over(attempt, hashes, store_is_at_it=more.store_is_at_it)
        raise StillCompleting from None
    except PartsMissing as missing:
        # A store whose disk is full has refused them, each in its own words.
        disk.require_free(attempt.store_id, sum(map(attempt.layout.length_of, missing.numbers)))
        raise
    except (StoreUnavailable, StoreFull):
        disk.require_free(attempt.store_id, attempt.size_bytes)
        raise
    disk.withdraw(attempt.store_id, attempt.id, attempt.layout)
    return _freeze(attempt, key, hashes)


def finish(*, upload_id: UUID, kept: bool) -> bool:
    """Mark the attempt as committed, and its blob as live if a version was made of it; returns whether this call did so."""
    now = clock.now()
    parameters: dict[str, Any] = {
        "id": upload_id,
        "kept": kept,
        "now": now,
        "soon": now + starting.SWEEP_GRACE,
        "late": now + dtos.COMMITTED_MEMORY,
    }
    return bool(db.write_alone(FINISH, parameters))


def finish_many(*, upload_ids: list[UUID], kept: bool) -> set[UUID]:
    """Mark attempts as committed, as ``finish`` does; returns those that this call ended."""
    now = clock.now()
    parameters: dict[str, Any] = {
        "ids": upload_ids,
        "kept": kept,
        "now": now,
        "soon": now + starting.SWEEP_GRACE,
        "late": now + dtos.COMMITTED_MEMORY,
    }
    return {row[0] for row in db.write_alone(FINISH_MANY, parameters)}


def as_before(attempt: rows.Attempt, blob: models.Blob, part_hashes: list[bytes]) -> dtos.Verified:
    """Answer for an attempt whose bytes are frozen already: the hashes that came with this call may only agree."""
    committed = attempt.state == models.UploadState.COMMITTED
    if not committed:
        starting.require_open(attempt)
    if part_hashes and b"".join(part_hashes) != bytes(blob.part_hashes):
        raise ContentMismatch("The upload is verified with other hashes than these.")
    return to_verified(attempt, blob.id, bytes(blob.content_hash), committed=committed)


def agree_single(attempt: rows.Attempt, part_hashes: list[bytes]) -> bytes:
    """Agree on the digest of a file of one part.

    :raises ContentMismatch: what was announced and what is named differ, or more than one is named.
    :raises PartsMissing: nobody has announced it.
    """
    digest = _agree(attempt, part_hashes)
    if parts.unknown_numbers(digest, 1):
        raise PartsMissing([1], announced=False)
    return digest


def _agree(attempt: rows.Attempt, part_hashes: list[bytes]) -> bytes:
    """Fill the announced digests up with those of this call; where both are there they must be equal.

    :raises ContentMismatch: they differ, or are not as many as the file has parts.
    """
    announced = attempt.part_hashes
    if part_hashes and len(part_hashes) != attempt.part_count:
        raise ContentMismatch(
            "Name the hashes of all parts of the file: there are %(part_count)s, not %(hash_count)s.",
            part_count=attempt.part_count,
            hash_count=len(part_hashes),
        )
    given = dict(enumerate(part_hashes, start=1))
    wrong = [n for n, digest in given.items() if parts.digest_at(announced, n) not in (parts.UNKNOWN, digest)]
    if wrong:
        raise ContentMismatch("Parts were announced with other hashes; announce and send them again.", parts=wrong)
    return parts.merge(announced, given)


def _freeze(attempt: rows.Attempt, key: str, hashes: bytes) -> dtos.Verified:
    digest = parts.content_hash(hashes)
    blob_id = ids.new_id()
    parameters: dict[str, Any] = {
        "id": attempt.id,
        "blob_id": blob_id,
        "key": key,
        "content_hash": digest,
        "part_hashes": hashes,
        "now": clock.now(),
        "scan_state": scanning.current().first_state,
    }
    if db.write_alone(FREEZE, parameters):
        return to_verified(attempt, blob_id, digest, committed=False)
    return _after_another(attempt, hashes)


def _freeze_known(attempt: rows.Attempt, hashes: bytes) -> dtos.Verified:
    parameters = {"id": attempt.id, "blob_id": attempt.known_blob_id, "now": clock.now()}
    if db.write_alone(FREEZE_KNOWN, parameters) and attempt.known_blob_id is not None:
        return to_verified(attempt, attempt.known_blob_id, parts.content_hash(hashes), committed=False)
    with db.write_transaction():
        lost = (
            models.Upload.objects.filter(
                id=attempt.id, state=models.UploadState.STARTED, known_blob_id=attempt.known_blob_id
            )
            .exclude(known_blob_id__in=queries.usable_blobs().values("id"))
            .update(known_blob_id=None)
        )
    if lost:  # the known bytes were condemned meanwhile, and are never revived
        raise PartsMissing(list(range(1, attempt.part_count + 1)))
    return _after_another(attempt, hashes)


def _after_another(attempt: rows.Attempt, hashes: bytes) -> dtos.Verified:
    """Answer when the attempt was changed while it was verified here: it has left ``started``, or its parts were announced anew."""
    with db.read_transaction():
        present = queries.require_upload(attempt.id, attempt.user_id)
        blob = models.Blob.objects.filter(id__in=[present.blob_id]).first()
    if blob is not None:
        return as_before(present, blob, [hashes])
    starting.require_open(present)
    raise PartsMissing(list(range(1, attempt.part_count + 1)))


def to_verified(attempt: rows.Attempt, blob_id: UUID, digest: bytes, *, committed: bool) -> dtos.Verified:
    """Say of an attempt that its bytes are what was announced."""
    return dtos.Verified(
        upload_id=attempt.id,
        blob_id=blob_id,
        size_bytes=attempt.size_bytes,
        content_hash=digest.hex(),
        media_type=attempt.media_type,
        destination=attempt.destination,
        client_modified_at=attempt.client_modified_at,
        committed=committed,
    )
