"""Doors for work on the whole of a store or of a tenant's bytes: backups, restores, and the end of a tenant."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from apps.storage.operations import holding, placing, removing, saving
from bitvault.kernel.boundary import exposed


@exposed
def hold_deletions(*, reason: str, lasts: timedelta) -> UUID:
    """Hold back every deletion of bytes that a row names, in all tenants, for so long; returns the id of the hold."""
    return holding.hold(reason=reason, lasts=lasts)


@exposed
def renew_hold(*, hold_id: UUID, lasts: timedelta) -> bool:
    """Let a hold last so long from now; false when it has ended meanwhile: then objects may have gone."""
    return holding.renew(hold_id, lasts=lasts)


@exposed
def release_holds(*, reason: str) -> None:
    """End all holds of a reason, also those whose owner has died."""
    holding.release(reason)


@exposed
def read_stored(*, key: str, store_id: UUID | None, size_bytes: int) -> Iterator[bytes]:
    """Read an object of a blob in pieces of up to 8 MiB; ``FileNotFoundError`` when it is not there, or ends early.

    :param store_id: the store that the blob's row names.
    """
    return saving.read(key, store_id=store_id, size_bytes=size_bytes)


@exposed
def find_stored_sizes(*, keys: Sequence[str]) -> dict[str, int]:
    """Tell the size of those of these objects that are in the installation's own store, where restores put them."""
    return saving.find_sizes(keys)


@exposed
def write_stored(*, key: str, part_hashes: bytes, bodies: Iterator[bytes]) -> None:
    """Write the object of a blob back under its key into the installation's own store, from the bodies of its parts.

    :raises ContentMismatch: a body is not what its digest says.
    """
    saving.write(key, part_hashes=part_hashes, bodies=bodies)


@exposed
def flush_stored() -> None:
    """Return once what was written back is on the disk of an embedded store."""
    saving.flush()


@exposed
def drop_what_backups_leave_out() -> None:
    """Forget the entered tenant's previews, archives and unfinished uploads: a backup has no bytes of them. Repeatable.

    From here its blobs lie where a restore has put them, in the installation's own store.
    """
    saving.drop_what_is_not_kept()


@exposed
def forget_placements() -> None:
    """Place all tenants in the installation's own store, where a restore of everything has put their bytes.

    What stores beside it hold may be another installation's now: this one neither counts nor deletes it.
    """
    placing.forget_all()


@exposed
def remove_tenant(*, limit: int) -> bool:
    """Delete up to ``limit`` objects of the entered tenant, which is to be deleted, from the store, with uploads that were begun.

    :returns: whether nothing is left of it, here and in the tables of all tenants. Done again it changes nothing.
    :raises StoreUnreachable: the store does not answer.
    """
    return removing.remove_tenant(limit)
