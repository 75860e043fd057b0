"""Parts that BitVault itself sends, in the background, such as files out of an archive: announced and verified as all others are."""

from hashlib import sha256
from uuid import UUID

from apps.storage import keys, provider, queries, rows
from apps.storage.errors import UploadNotFound
from apps.storage.operations import starting
from bitvault.kernel import db
from bitvault.kernel.actor import Actor


def send_whole(*, upload_id: UUID, body: bytes) -> None:
    """Write the only part of an upload that was announced with its start."""
    attempt = rows.find_alone(upload_id)
    if attempt is None:
        raise UploadNotFound
    provider.store_of(attempt.store_id).put_object(keys.single_part_key(upload_id, sha256(body).digest()), body)


def send_part(*, upload_id: UUID, by: Actor, number: int, body: bytes) -> None:
    """Announce a part and write it, unless it is there already."""
    (part,) = starting.sign_parts(upload_id=upload_id, by=by, announced={number: sha256(body).digest()})
    if part.state != "send":
        return
    with db.read_transaction():
        attempt = queries.require_upload(upload_id, by.user_id)
    if attempt.part_count == 1:
        send_whole(upload_id=upload_id, body=body)
    else:
        key = keys.multipart_key(upload_id)
        provider.store_of(attempt.store_id).put_part(
            key=key, store_upload_id=attempt.store_upload_id, number=number, body=body
        )
