"""Many files of one part at once: the steps of one upload, each as one transaction, and one flush, for all of them.

What is out of the ordinary (another boot, a commit that a worker has, a race that was lost) is left to the way of a single upload.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from apps.storage import disk, dtos, durability, keys, models, parts, provider, queries, rows
from apps.storage.errors import ContentMismatch, NeedsLonger, PartsMissing, StillCompleting, StoreFull, UploadNotFound
from apps.storage.operations import completing, starting, verifying
from apps.storage.sql import FREEZE_KNOWN_MANY, FREEZE_MANY
from bitvault.kernel import clock, db, ids, scanning
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import BitVaultError

Outcome = dtos.Verified | BitVaultError | None
"""``None``: it takes longer than a request may wait; the same commit later tells the outcome."""


def start(*, by: Actor, wanted: Sequence[dtos.NewUpload]) -> list[dtos.Upload | StoreFull]:
    """Write the attempts' rows and sign their parts; an attempt that finds no room on the disk gets its refusal instead."""
    with db.read_transaction():
        # One that was condemned meanwhile is never revived: its bytes have to come again.
        known = {each.known_blob_id for each in wanted if each.known_blob_id is not None}
        usable = set(queries.usable_blobs().filter(id__in=known).values_list("id", flat=True)) if known else set()
    attempts: list[rows.Attempt | StoreFull] = [_begin(by, each, usable) for each in wanted]
    begun = [attempt for attempt in attempts if isinstance(attempt, rows.Attempt)]
    answers: dict[UUID, dtos.Upload] = {}
    with db.write_transaction():
        models.Upload.objects.bulk_create([models.Upload(**asdict(attempt)) for attempt in begun])
        for attempt in begun:
            answers[attempt.id] = queries.describe(attempt, starting.sign(attempt, None, [1]))
    return [answers[each.id] if isinstance(each, rows.Attempt) else each for each in attempts]


def _begin(by: Actor, wanted: dtos.NewUpload, usable: set[UUID]) -> rows.Attempt | StoreFull:
    layout = parts.lay_out(wanted.size_bytes)
    known_blob_id = wanted.known_blob_id if wanted.known_blob_id in usable else None
    attempt = starting.make_attempt(
        upload_id=wanted.id,
        by=by,
        layout=layout,
        media_type=wanted.media_type,
        destination=wanted.destination,
        part_hashes=bytes.fromhex(wanted.sha256),
        base_blob_id=wanted.base_blob_id,
        known_blob_id=known_blob_id,
        client_modified_at=wanted.client_modified_at,
    )
    try:
        if known_blob_id is None:
            disk.let_in(attempt.store_id, wanted.id, layout)
    except StoreFull as full:
        return full
    return attempt


def complete(*, by: Actor, wanted: Sequence[tuple[UUID, list[bytes]]]) -> list[Outcome]:
    """Verify what the store holds of several attempts, and freeze it; one outcome for each, in order."""
    deadline = time.monotonic() + completing.SECONDS
    hashes = dict(wanted)
    with db.read_transaction():
        attempts = {key: each for key, each in rows.find_many(list(hashes)).items() if each.user_id == by.user_id}
        blobs = models.Blob.objects.in_bulk([each.blob_id for each in attempts.values() if each.blob_id is not None])
    outcomes: dict[UUID, Outcome] = {}
    plain: dict[UUID, bytes] = {}
    known: dict[UUID, bytes] = {}
    for upload_id, given in hashes.items():
        attempt = attempts.get(upload_id)
        try:
            if attempt is None:
                raise UploadNotFound
            blob = blobs.get(attempt.blob_id) if attempt.blob_id is not None else None
            if blob is not None:
                outcomes[upload_id] = completing.as_before(attempt, blob, given)
            elif _is_plain(attempt):
                starting.require_open(attempt)
                digest = completing.agree_single(attempt, given)
                (plain if attempt.known_blob_id is None else known)[upload_id] = digest
        except BitVaultError as error:
            outcomes[upload_id] = error
    outcomes |= _freeze_known({key: attempts[key] for key in known}, known)
    # Those that were begun before and after their tenant was placed elsewhere lie in two stores.
    for store_id in {attempts[key].store_id for key in plain}:
        there = {key: attempts[key] for key in plain if attempts[key].store_id == store_id}
        outcomes |= _freeze(store_id, there, plain, deadline)
    return [
        outcomes[upload_id] if upload_id in outcomes else _complete_alone(by, upload_id, given)
        for upload_id, given in wanted
    ]


def finish(*, kept: dict[UUID, bool]) -> set[UUID]:
    """End attempts after Files has decided; returns those that this call ended."""
    ended: set[UUID] = set()
    for is_kept in (True, False):
        upload_ids = [key for key, value in kept.items() if value is is_kept]
        if upload_ids:
            ended |= completing.finish_many(upload_ids=upload_ids, kept=is_kept)
    return ended


def _is_plain(attempt: rows.Attempt) -> bool:
    """Tell whether all that its commit has to do is to look for one object, or for none."""
    return (
        attempt.part_count == 1
        and attempt.state == models.UploadState.STARTED
        and attempt.completion is None
        and not durability.is_of_another_boot(attempt.store_id, attempt.boot_id)
    )


def _freeze(
    store_id: UUID | None, attempts: dict[UUID, rows.Attempt], hashes: dict[UUID, bytes], deadline: float
) -> dict[UUID, Outcome]:
    outcomes: dict[UUID, Outcome] = {}
    at = {key: keys.single_part_key(key, hashes[key]) for key in attempts}
    found = provider.store_of(store_id).find_objects(list(at.values()))
    missing_bytes = 0
    for upload_id, attempt in attempts.items():
        try:
            verifying.compare_single(found[at[upload_id]], attempt.size_bytes, hashes[upload_id])
        except PartsMissing as missing:
            outcomes[upload_id] = missing
            missing_bytes += attempt.size_bytes
        except ContentMismatch as error:
            outcomes[upload_id] = error
    whole = [upload_id for upload_id in attempts if upload_id not in outcomes]
    try:
        if missing_bytes:
            # A store whose disk is full has refused them, each in its own words.
            disk.require_free(store_id, missing_bytes)
    except StoreFull as full:
        outcomes |= dict.fromkeys(outcomes, full)
    try:
        # Before the blobs are written: their rows say that the bytes are there, whatever happens to the machine.
        durability.flush(store_id, deadline=deadline)
    except NeedsLonger:
        return outcomes | dict.fromkeys(whole)
    blob_ids = {upload_id: ids.new_id() for upload_id in whole}
    content = {upload_id: parts.content_hash(hashes[upload_id]) for upload_id in whole}
    frozen = db.write_alone(
        FREEZE_MANY,
        {
            "ids": whole,
            "blob_ids": list(blob_ids.values()),
            "keys": [at[upload_id] for upload_id in whole],
            "content_hashes": [content[upload_id].hex() for upload_id in whole],
            "part_hashes": [hashes[upload_id].hex() for upload_id in whole],
            "now": clock.now(),
            "scan_state": scanning.current().first_state,
        },
    )
    written = {row[0] for row in frozen}
    for upload_id in whole:
        if blob_ids[upload_id] in written:  # else somebody was faster, and the way of one upload tells what they did
            outcomes[upload_id] = completing.to_verified(
                attempts[upload_id], blob_ids[upload_id], content[upload_id], committed=False
            )
    return outcomes


def _freeze_known(attempts: dict[UUID, rows.Attempt], hashes: dict[UUID, bytes]) -> dict[UUID, Outcome]:
    if not attempts:
        return {}
    frozen = {row[0] for row in db.write_alone(FREEZE_KNOWN_MANY, {"ids": list(attempts), "now": clock.now()})}
    return {
        key: completing.to_verified(each, each.known_blob_id, parts.content_hash(hashes[key]), committed=False)
        for key, each in attempts.items()
        if key in frozen and each.known_blob_id is not None
    }


def _complete_alone(by: Actor, upload_id: UUID, given: list[bytes]) -> Outcome:
    try:
        return completing.complete(upload_id=upload_id, by=by, part_hashes=given)
    except StillCompleting:
        return None
    except BitVaultError as error:
        return error
