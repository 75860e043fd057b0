"""Doors to archives: files packed into one object of the store."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from apps.storage import downloads
from apps.storage.dtos import ArchiveEntry, Download, KeptArchive
from apps.storage.operations import archiving
from apps.storage.small_objects import GET_LIFETIME
from bitvault.kernel.boundary import exposed


@exposed
def announce_archive(
    *,
    archive_id: UUID,
    filename: str,
    entry_count: int,
    path_bytes: int,
    content_bytes: int,
    purpose: dict[str, Any],
) -> None:
    """Announce an archive that is to be made, so that its room is judged before: what its entries, paths and contents take.

    :param purpose: kept and given back by ``get_archive``; means nothing here.
    :raises ArchivesFull: the tenant's archives that are kept leave no room for it.
    :raises StoreFull: the store's disk has none.
    """
    measure = (entry_count, path_bytes, content_bytes)
    archiving.announce(archive_id=archive_id, filename=filename, measure=measure, purpose=purpose)


@exposed
def make_archive(*, archive_id: UUID, entries: Sequence[ArchiveEntry]) -> KeptArchive:
    """Write a zip of blobs into the store, in the background; kept for a day from then. Repeatable: one that is ready stays as it is.

    Files whose bytes are gone or damaged are left out and counted. The running job is told how many bytes are packed.

    :raises ArchiveGone: it has expired.
    :raises StoreFull: the store's disk has no room.
    :raises StoreUnavailable: the store does not answer.
    """
    return archiving.make(archive_id=archive_id, entries=entries)


@exposed
def get_archive(*, archive_id: UUID) -> KeptArchive:
    """Describe an archive that was announced.

    :raises ArchiveGone: it has expired.
    """
    return archiving.get(archive_id)


@exposed
def sign_archive(*, archive_id: UUID, method: Literal["GET", "HEAD"] = "GET") -> Download:
    """Sign a URL that saves an archive which is ready, for five minutes. Whether the caller may read it they know.

    :raises ArchiveGone: it has expired, or was never made.
    """
    return downloads.sign_archive(archive_id=archive_id, method=method, lifetime=GET_LIFETIME)
