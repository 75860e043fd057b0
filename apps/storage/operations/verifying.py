"""What the store holds, against what was announced: an object of one part as it lies there, a larger one put together first."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

from apps.storage import keys, models, objects, parts, provider, queries, rows
from apps.storage.errors import ContentMismatch, NeedsLonger, PartsMissing, StoreUnavailable
from apps.storage.operations import starting
from bitvault.kernel import db
from bitvault.kernel.deadlines import is_background
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import Overloaded

COPIES_AT_ONCE = 4
"""Parts that the store copies at a time for one commit of a worker: hides its latency without taking it away from others."""

COPIES_OF_REQUEST = 8
"""Parts that a request lets the store copy, one after another; more of them are a worker's."""

PROMPT_BYTES = 1024**3
"""The largest file that a request lets the store put together: 0.4 s where its parts are copied. Larger ones go to a worker at once."""

_ASSEMBLIES = Dependency("store_assembly", share=1, queue_seconds=0.5)
"""Threads of a web process in which the store puts an object together: one of those that may wait for the store, so that one is left."""


def verify(attempt: rows.Attempt, base: models.Blob | None, hashes: bytes) -> str:
    """Compare what the store holds of an attempt with these digests of its parts; returns the key of the object.

    :raises PartsMissing: parts have not arrived; they are named.
    :raises ContentMismatch: what arrived is not what was announced.
    :raises NeedsLonger: a request cannot wait for it.
    """
    return _verify_single(attempt, hashes) if attempt.part_count == 1 else _verify_multipart(attempt, base, hashes)


def is_assembled(attempt: rows.Attempt) -> bool:
    """Ask the store whether the object of an attempt of several parts is there."""
    return provider.store_of(attempt.store_id).find_object(keys.multipart_key(attempt.id)) is not None


def _verify_single(attempt: rows.Attempt, hashes: bytes) -> str:
    key = keys.single_part_key(attempt.id, hashes)
    compare_single(provider.store_of(attempt.store_id).find_object(key), attempt.size_bytes, hashes)
    return key


def compare_single(found: objects.StoredObject | None, size_bytes: int, digest: bytes) -> None:
    """Hold the store's account of an object of one part against the announced one.

    :raises PartsMissing: it is not there.
    :raises ContentMismatch: it is another one.
    """
    if found is None:
        raise PartsMissing([1])
    _compare(found, size_bytes, objects.checksum_of(digest))


def _verify_multipart(attempt: rows.Attempt, base: models.Blob | None, hashes: bytes) -> str:
    """Let the store put the object together, unless it has, and compare what came of it."""
    key = keys.multipart_key(attempt.id)
    _assemble(attempt, base, hashes, key)
    found = provider.store_of(attempt.store_id).find_object(key)
    if found is None:
        if attempt.completion is None:
            # A store that is at it may know neither the parts nor the object (versitygw does not): somebody asked it and died.
            raise NeedsLonger(store_is_at_it=True)
        _forget_store_upload(attempt)
        raise PartsMissing(list(range(1, attempt.part_count + 1)))
    _compare(found, attempt.size_bytes, objects.composite_of(parts.content_hash(hashes), attempt.part_count))
    return key


def _assemble(attempt: rows.Attempt, base: models.Blob | None, hashes: bytes, key: str) -> None:
    store = provider.store_of(attempt.store_id)
    store_upload_id = attempt.store_upload_id
    try:
        held: dict[int, str] = {}
        if store_upload_id:
            held = {n: part.etag for n, part in store.list_parts(key=key, store_upload_id=store_upload_id).items()}
        missing = _not_in_base(attempt, base, hashes, held=set(held))
        if missing:
            if store.find_object(key) is None:
                raise PartsMissing(missing)
            return  # completed before: the store lists no parts any more
        if not store_upload_id:  # all of it is in the base: nothing was ever signed
            store_upload_id = starting.open_store_upload(attempt)
        _put_together(attempt, base, hashes, key, store_upload_id, held)
    except provider.UploadUnknown:
        # Completed before: by a request that died afterwards, or by one beside this. The comparison that follows decides.
        return


def _put_together(
    attempt: rows.Attempt, base: models.Blob | None, hashes: bytes, key: str, store_upload_id: str, held: dict[int, str]
) -> None:
    """Let the store make one object of the parts that it holds and of those that the base has."""
    if attempt.size_bytes > PROMPT_BYTES and not is_background():
        raise NeedsLonger
    store = provider.store_of(attempt.store_id)
    try:
        with _place_for_assembly():
            if base is not None:
                held |= _copy_from(base, attempt, key, store_upload_id, held)
            named = [(n, held[n], parts.digest_at(hashes, n)) for n in range(1, attempt.part_count + 1)]
            store.complete_multipart_upload(key=key, store_upload_id=store_upload_id, parts=named)
    except Overloaded:
        raise NeedsLonger from None
    except ContentMismatch:
        # Some stores say so of parts that are gone because another has put them together meanwhile; then the comparison decides.
        if store.find_object(key) is None:
            raise


def _place_for_assembly() -> AbstractContextManager[None]:
    return nullcontext() if is_background() else _ASSEMBLIES.held()


def _forget_store_upload(attempt: rows.Attempt) -> None:
    """Let the next signing begin another multipart upload: the store has dropped this one (a lifecycle rule does so) with its parts."""
    with db.write_transaction():
        models.Upload.objects.filter(
            id=attempt.id, state=models.UploadState.STARTED, store_upload_id=attempt.store_upload_id
        ).update(store_upload_id="")


def _not_in_base(attempt: rows.Attempt, base: models.Blob | None, hashes: bytes, *, held: set[int]) -> list[int]:
    """List the parts that neither the attempt has brought nor the base has."""
    return [
        number
        for number in range(1, attempt.part_count + 1)
        if number not in held and not queries.is_in_base(base, number, parts.digest_at(hashes, number))
    ]


def _copy_from(
    base: models.Blob, attempt: rows.Attempt, key: str, store_upload_id: str, held: dict[int, str]
) -> dict[int, str]:
    """Let the store copy the parts that did not need to travel; returns their ETags."""
    layout = attempt.layout
    store = provider.store_of(attempt.store_id)

    def copy(number: int) -> tuple[int, str]:
        etag = store.copy_part(
            key=key,
            store_upload_id=store_upload_id,
            number=number,
            source_key=base.key,
            first_byte=layout.offset_of(number),
            size_bytes=layout.length_of(number),
        )
        return number, etag

    numbers = [number for number in range(1, attempt.part_count + 1) if number not in held]
    if not is_background():
        if len(numbers) > COPIES_OF_REQUEST:
            raise NeedsLonger
        return dict(map(copy, numbers))
    with ThreadPoolExecutor(max_workers=COPIES_AT_ONCE) as workers:
        return dict(workers.map(copy, numbers))


def _compare(found: objects.StoredObject, size_bytes: int, checksum: str) -> None:
    """Hold the store's account against the announced one.

    :raises ContentMismatch: they differ.
    :raises StoreUnavailable: the store gives no checksum, so nothing can be verified; ``check_store`` says so too.
    """
    if found.checksum is None:
        raise StoreUnavailable("The object store returns no checksum, so the upload cannot be verified.")
    if found.size_bytes != size_bytes or found.checksum != checksum:
        raise ContentMismatch(expected_size_bytes=size_bytes, stored_size_bytes=found.size_bytes)
