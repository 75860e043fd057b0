"""The door of storage: attempts to bring bytes, and URLs to fetch them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from apps.storage import disk, downloads, parts, queries
from apps.storage.api.archives import announce_archive, get_archive, make_archive, sign_archive
from apps.storage.api.placed import (
    cancel_move,
    find_move,
    find_page_origins,
    list_holdings,
    list_stores,
    measure_kept,
    place_tenant,
    plan_move,
    start_move,
)
from apps.storage.api.whole import (
    drop_what_backups_leave_out,
    find_stored_sizes,
    flush_stored,
    forget_placements,
    hold_deletions,
    read_stored,
    release_holds,
    remove_tenant,
    renew_hold,
    write_stored,
)
from apps.storage.dtos import (
    Aborted,
    DiskRoom,
    Download,
    InFlight,
    NewDerived,
    NewUpload,
    Part,
    StoreChecks,
    SweepBacklog,
    Upload,
    UploadInFlight,
    Verified,
)
from apps.storage.errors import StillCompleting, StoreFull
from apps.storage.operations import batching, completing, deriving, starting
from apps.storage.small_objects import GET_LIFETIME
from bitvault.kernel.actor import Actor
from bitvault.kernel.boundary import exposed
from bitvault.kernel.errors import BitVaultError

__all__ = [
    "abort_upload",
    "announce_archive",
    "cancel_move",
    "complete_upload",
    "complete_uploads",
    "drop_what_backups_leave_out",
    "find_content_hash",
    "find_disk_room",
    "find_move",
    "find_page_origins",
    "find_sender",
    "find_store_fitness",
    "find_stored_sizes",
    "finish_upload",
    "finish_uploads",
    "flush_stored",
    "forget_placements",
    "get_archive",
    "get_store_checks",
    "get_sweep_backlog",
    "get_upload",
    "has_one_part",
    "hold_deletions",
    "keep_derived",
    "list_holdings",
    "list_in_flight",
    "list_stores",
    "load_store",
    "make_archive",
    "measure_kept",
    "place_tenant",
    "plan_move",
    "read_content",
    "read_stored",
    "release_holds",
    "remove_tenant",
    "renew_hold",
    "require_store",
    "sign_archive",
    "sign_derived",
    "sign_download",
    "sign_parts",
    "start_move",
    "start_upload",
    "start_uploads",
    "sum_up_in_flight",
    "tell_canceled",
    "write_stored",
]


@exposed
def require_store() -> None:
    """Ask the object store for a sign of life.

    :raises StoreUnavailable: it does not answer, or does not know us.
    """
    queries.require_store()


@exposed
def load_store() -> None:
    """Make the clients of the object store, which read 30 MiB of descriptions; no connection is opened."""
    queries.load_store()


@exposed
def find_store_fitness() -> bool | None:
    """Tell whether the last probe of the object store found everything that BitVault needs; ``None`` when none was made yet.

    It asks the database, never the store: a worker probes when it starts and every hour, ``manage.py check_store`` at once.
    """
    return queries.find_store_fitness()


@exposed
def find_disk_room() -> DiskRoom | None:
    """Tell how much room the disk of an embedded store has, measured at most once a second; ``None`` for a store elsewhere."""
    return disk.find_room()


@exposed
def get_sweep_backlog(*, tenant_ids: Iterable[UUID]) -> SweepBacklog:
    """Tell how many abandoned uploads of these tenants wait past their time, and when the sweeper was last everywhere."""
    return queries.get_sweep_backlog(tenant_ids)


@exposed
def get_store_checks(*, tenant_ids: Iterable[UUID]) -> StoreChecks:
    """Tell how collection, reconciliation and scrubbing of these tenants stand, and what they found lately."""
    return queries.get_store_checks(tenant_ids)


@exposed
def find_content_hash(*, size_bytes: int, part_hashes: Sequence[str]) -> str | None:
    """Compute the hash of a file from the hashes of its parts (lower-case hex), or ``None`` when they are not all there.

    :raises FileTooLarge: no store takes such an object.
    """
    if len(part_hashes) != parts.lay_out(size_bytes).part_count:
        return None
    return parts.content_hash(b"".join(map(bytes.fromhex, part_hashes))).hex()


@exposed
def has_one_part(*, size_bytes: int) -> bool:
    """Tell whether a file of this size is sent in one part."""
    return size_bytes <= parts.PART_BYTES


@exposed
def start_upload(
    *,
    actor: Actor,
    upload_id: UUID,
    size_bytes: int,
    media_type: str,
    destination: dict[str, Any],
    part_hashes: Sequence[str] = (),
    base_blob_id: UUID | None = None,
    known_blob_id: UUID | None = None,
    client_modified_at: datetime | None = None,
) -> Upload:
    """Begin an attempt to bring a file; the first parts (up to 100) that are announced by their SHA-256 are signed at once.

    :param destination: kept and given back by ``complete_upload``; means nothing here.
    :param base_blob_id: a blob that the actor may read, whose equal parts need not travel.
    :param known_blob_id: a blob that the actor may read, with exactly this content: nothing needs to travel.
    :raises FileTooLarge: no store takes such an object.
    :raises PartOutOfRange: more hashes than the file has parts.
    :raises StoreFull: the store's disk has no room for it.
    :raises StoreUnavailable: the store does not answer (files of several parts only).
    """
    return starting.start(
        upload_id=upload_id,
        by=actor,
        size_bytes=size_bytes,
        media_type=media_type,
        destination=destination,
        part_hashes=[bytes.fromhex(text) for text in part_hashes],
        base_blob_id=base_blob_id,
        known_blob_id=known_blob_id,
        client_modified_at=client_modified_at,
    )


@exposed
def start_uploads(*, actor: Actor, wanted: Sequence[NewUpload]) -> list[Upload | StoreFull]:
    """Begin several attempts to bring files of one part, each announced by its SHA-256; one answer for each, in order.

    What finds no room on the store's disk gets its refusal instead.
    """
    return batching.start(by=actor, wanted=wanted)


@exposed
def complete_uploads(
    *, actor: Actor, wanted: Sequence[tuple[UUID, Sequence[str]]]
) -> list[Verified | BitVaultError | None]:
    """Verify several attempts as ``complete_upload`` does one; one outcome for each, in order: what it gives, or would raise.

    :raises StoreUnavailable: the store does not answer; nothing was frozen.
    """
    given = [(upload_id, [bytes.fromhex(text) for text in hashes]) for upload_id, hashes in wanted]
    return batching.complete(by=actor, wanted=given)


@exposed
def finish_uploads(*, kept: Mapping[UUID, bool]) -> set[UUID]:
    """End several attempts as ``finish_upload`` does one (whether a version was made, by id); returns those that this call ended."""
    return batching.finish(kept=dict(kept))


@exposed
def sign_parts(*, actor: Actor, upload_id: UUID, announced: Mapping[int, str]) -> list[Part]:
    """Announce parts by number and SHA-256 (lower-case hex) and say how to send each of them.

    :raises UploadNotFound: there is no such upload of this actor.
    :raises UploadOver: it was given up or has expired.
    :raises UploadComplete: it has all its bytes.
    :raises PartOutOfRange: the file has no part of that number.
    :raises StoreFull: the store's disk has no room for them.
    :raises StoreUnavailable: the store does not answer.
    """
    digests = {number: bytes.fromhex(text) for number, text in announced.items()}
    return starting.sign_parts(upload_id=upload_id, by=actor, announced=digests)


@exposed
def get_upload(*, actor: Actor, upload_id: UUID) -> Upload:
    """Describe an attempt and the parts that the store holds of it.

    :raises UploadNotFound: there is no such upload of this actor.
    :raises StoreUnavailable: the store does not answer.
    """
    return queries.get_upload(upload_id, actor.user_id)


@exposed
def complete_upload(*, actor: Actor, upload_id: UUID, part_hashes: Sequence[str] = ()) -> Verified | None:
    """Verify that the store holds exactly what was announced, and freeze it. Can be repeated.

    ``None``: it takes longer than a request may wait, and goes on without it. Asked again, this tells the outcome.

    :raises UploadNotFound: there is no such upload of this actor.
    :raises UploadOver: it was given up or has expired.
    :raises PartsMissing: parts have not arrived; they are named.
    :raises ContentMismatch: what arrived, or ``part_hashes``, is not what was announced.
    :raises StoreFull: the store's disk has no room to put the file together.
    :raises StoreUnavailable: the store does not answer.
    """
    digests = [bytes.fromhex(text) for text in part_hashes]
    try:
        return completing.complete(upload_id=upload_id, by=actor, part_hashes=digests)
    except StillCompleting:
        return None


@exposed
def finish_upload(*, upload_id: UUID, kept: bool) -> bool:
    """End an attempt after Files has decided; returns whether this call was the one that did.

    :param kept: whether a version was made of the bytes. If not, they are swept once their URLs are dead.
    """
    return completing.finish(upload_id=upload_id, kept=kept)


@exposed
def abort_upload(*, actor: Actor, upload_id: UUID) -> Aborted:
    """Give an attempt up; a second time changes nothing.

    Where its bytes were verified a commit may be under way, and only Files can tell which of the two was first.

    :raises UploadNotFound: there is no such upload of this actor.
    :raises UploadComplete: it is committed.
    """
    return starting.abort(upload_id=upload_id, by=actor)


@exposed
def sum_up_in_flight() -> InFlight:
    """Sum up the attempts of the entered tenant that have not come to their end; for operators."""
    return queries.sum_up_in_flight()


@exposed
def list_in_flight(*, offset: int, limit: int) -> list[UploadInFlight]:
    """List these attempts, oldest first, each with how far it is by the store's own account."""
    return queries.list_in_flight(offset=offset, limit=limit)


@exposed
def find_sender(*, upload_id: UUID) -> UUID:
    """Tell who has begun an attempt; for operators.

    :raises UploadNotFound: there is none in the entered tenant.
    """
    return queries.find_sender(upload_id)


@exposed
def tell_canceled(*, upload_id: UUID, by: UUID) -> None:
    """Let the stream tell that an operator has ended an attempt, after it was given up.

    :param by: the operator.
    :raises UploadNotFound: there is none in the entered tenant.
    """
    starting.tell_canceled(upload_id, by=by)


@exposed
def sign_download(
    *,
    blob_id: UUID,
    filename: str,
    media_type: str,
    method: Literal["GET", "HEAD"] = "GET",
    lifetime: timedelta = GET_LIFETIME,
) -> Download:
    """Sign a URL that saves a blob under ``filename``, for five minutes or a shorter time. Whether the caller may read it they know.

    :raises BlobGone: the bytes are not there any more.
    :raises BlobDamaged: they have rotted, and are in quarantine.
    """
    return downloads.sign(blob_id=blob_id, filename=filename, media_type=media_type, method=method, lifetime=lifetime)


@exposed
def read_content(*, blob_id: UUID, first_byte: int, limit_bytes: int) -> bytes:
    """Read bytes of a blob from one on, fewer than ``limit_bytes`` where it ends before; for derivations, in the background.

    :raises BlobGone: the bytes are not there any more.
    :raises BlobDamaged: they have rotted, and are in quarantine.
    :raises StoreUnavailable: the store does not answer.
    """
    return downloads.read(blob_id=blob_id, first_byte=first_byte, limit_bytes=limit_bytes)


@exposed
def keep_derived(*, blob_id: UUID, content_hash: str, made: Sequence[NewDerived]) -> None:
    """Keep what was made of a blob: once for all blobs of this content, instead of what has the same names, until no version has it.

    :raises BlobGone: the blob has gone meanwhile; nothing is kept.
    :raises StoreFull: the store's disk has no room.
    :raises StoreUnavailable: the store does not answer.
    """
    deriving.keep(blob_id=blob_id, content_hash=bytes.fromhex(content_hash), made=made)


@exposed
def sign_derived(*, content_hashes: Collection[str], names: Sequence[str]) -> dict[str, Download]:
    """Sign a URL that shows what was made of each of these contents: the first of ``names`` that is there; others are left out.

    The URL is good for five to ten minutes and the same for five of them. Whether the caller may see it is the caller's to know.
    """
    signed = deriving.sign([bytes.fromhex(text) for text in content_hashes], names)
    return {content_hash.hex(): download for content_hash, download in signed.items()}
