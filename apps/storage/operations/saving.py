"""Objects of users' bytes for backups: read whole, written back under the key that they had.

A key was used by one attempt and is never used again, and its object never changes. So what lies under the same key is the same, in a
backup as in the store, and writing it a second time changes nothing.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from apps.storage import durability, parts, provider
from apps.storage.errors import ContentMismatch, NeedsLonger, StoreUnavailable
from apps.storage.models import Archive, Blob, DerivedObject, StoreCopy, Upload, UploadState
from bitvault.kernel import clock, db

PIECE_BYTES = 8 * 1024**2
"""How much of an object is in memory at once, for each that is read."""

ASSEMBLY_SECONDS = 600.0
LOOK_SECONDS = 0.5


def read(key: str, *, store_id: UUID | None, size_bytes: int) -> Iterator[bytes]:
    """Read an object in pieces.

    :raises FileNotFoundError: it is not there, or ends early.
    """
    store = provider.store_of(store_id)
    if size_bytes == 0:
        if store.find_object(key) is None:
            raise FileNotFoundError(key)
        return
    for offset in range(0, size_bytes, PIECE_BYTES):
        wanted = min(PIECE_BYTES, size_bytes - offset)
        piece = store.read_range(key, first_byte=offset, limit_bytes=wanted)
        if piece is None or len(piece) != wanted:
            raise FileNotFoundError(key)
        yield piece


def find_sizes(wanted: Sequence[str]) -> dict[str, int]:
    """Tell the size of those of these objects that are there."""
    found = provider.store().find_objects(wanted)
    return {key: each.size_bytes for key, each in found.items() if each is not None}


def write(key: str, *, part_hashes: bytes, bodies: Iterable[bytes]) -> None:
    """Write an object into the installation's own store."""
    write_to(provider.store(), key, part_hashes=part_hashes, bodies=bodies)


def write_to(store: provider.ObjectStore, key: str, *, part_hashes: bytes, bodies: Iterable[bytes]) -> None:
    """Write an object from the bodies of its parts, in their order; the store compares the SHA-256 of each.

    :raises ContentMismatch: a body is not what its digest says; nothing is left under the key.
    :raises StoreUnavailable: the store does not answer, or needs too long.
    """
    if not key.endswith("/m"):
        store.put_object(key, _require(next(iter(bodies)), parts.digest_at(part_hashes, 1)))
        return
    session = store.create_multipart_upload(key)
    try:
        done = []
        for number, body in enumerate(bodies, start=1):
            digest = parts.digest_at(part_hashes, number)
            _require(body, digest)
            done.append((number, store.put_part(key=key, store_upload_id=session, number=number, body=body), digest))
        _complete(store, key, session, done)
    except BaseException:
        store.abort_multipart_upload(key=key, store_upload_id=session)
        raise


def _require(body: bytes, digest: bytes) -> bytes:
    if hashlib.sha256(body).digest() != digest:
        raise ContentMismatch
    return body


def _complete(store: provider.ObjectStore, key: str, session: str, done: list[tuple[int, str, bytes]]) -> None:
    try:
        store.complete_multipart_upload(key=key, store_upload_id=session, parts=done)
    except NeedsLonger:
        deadline = time.monotonic() + ASSEMBLY_SECONDS
        while store.find_object(key) is None:
            if time.monotonic() > deadline:
                raise StoreUnavailable("The store needs too long to put an object together.") from None
            time.sleep(LOOK_SECONDS)


def flush() -> None:
    """Return once what was written is on the disk of an embedded store."""
    durability.flush(None)


def drop_what_is_not_kept() -> None:
    """Forget in the entered tenant what backups leave out: previews, archives, and attempts whose bytes had not all come.

    Previews are made anew when they are looked for, archives when they are asked for, and such an upload is begun anew.
    """
    now = clock.now()
    with db.write_transaction():
        DerivedObject.objects.all().delete()
        Archive.objects.all().delete()
        StoreCopy.objects.all().delete()
        Blob.objects.filter(store_id__isnull=False).update(store_id=None)
        Upload.objects.filter(state=UploadState.STARTED).update(state=UploadState.EXPIRED, sweep_at=now, expires_at=now)
