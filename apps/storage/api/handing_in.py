"""The doors of parts that BitVault itself sends, in the background."""

from uuid import UUID

from apps.storage import parts
from apps.storage.operations import handing_in
from bitvault.kernel.actor import Actor
from bitvault.kernel.boundary import exposed


@exposed
def get_part_size(*, size_bytes: int) -> int:
    """Tell how many bytes each part of a file of this size has, but for the last one.

    :raises FileTooLarge: no store takes such an object.
    """
    return parts.lay_out(size_bytes).part_size_bytes


@exposed
def send_whole(*, upload_id: UUID, body: bytes) -> None:
    """Write the only part of an upload, which was announced with its start and is to be sent.

    :raises StoreUnavailable: the store does not answer.
    """
    handing_in.send_whole(upload_id=upload_id, body=body)


@exposed
def send_part(*, actor: Actor, upload_id: UUID, number: int, body: bytes) -> None:
    """Announce a part of an upload and write it; nothing is written where it is there already.

    :raises UploadNotFound: there is no such upload of this actor.
    :raises UploadOver: it was given up or has expired.
    :raises StoreFull: the store's disk has no room for it.
    :raises StoreUnavailable: the store does not answer.
    """
    handing_in.send_part(upload_id=upload_id, by=actor, number=number, body=body)
