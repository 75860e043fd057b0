"""The doors of what files hold: uploads that are let in and become versions, and content that is read."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from apps.files import queries
from apps.files.dtos import Content, Mode, Node
from apps.files.dtos.uploads import Committed, UploadGrant, UploadWish, VerifiedUpload
from apps.files.operations import authorising, batching, content, downloads
from bitvault.kernel import db, names
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.errors import BitVaultError


@exposed
def authorise_upload(
    *,
    actor: Actor,
    parent_id: UUID,
    name: str,
    mode: Mode = "add",
    node_id: UUID | None = None,
    base_version_id: UUID | None = None,
    autorename: bool = False,
    size_bytes: int,
) -> UploadGrant:
    """Decide whether an upload may begin, before any byte moves.

    ``add`` makes a new file. ``overwrite`` writes at a path, whatever file is there. ``update`` writes a version of a file that the sender
    knows, by ``node_id`` or by its place, starting from ``base_version_id``. With ``node_id``, the node's own folder and name hold, and an
    ``update`` may be meant for a file that lies in the trash: its commit brings it back.

    :raises NameTaken: ``add`` finds the name taken and may not choose another; or a folder has the name.
    :raises InvalidName, NotAFolder, NotAFile, TooDeep, PathTooLong, TooManyChildren: the place cannot hold the file.
    :raises BaseVersionRequired: ``update`` without ``base_version_id``.
    :raises UploadTargetUnfit: ``node_id`` with ``add``, or ``base_version_id`` without ``update``.
    :raises FileTooLarge: no store holds an object of this size.
    :raises TypeRefused, SizeRefused: the tenant lets no such file in.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return authorising.authorise(
        actor=actor,
        parent_id=parent_id,
        name=names.parse(name),
        mode=mode,
        node_id=node_id,
        base_version_id=base_version_id,
        autorename=autorename,
        size_bytes=size_bytes,
    )


@exposed
def commit_upload(
    *,
    actor: Actor,
    upload_id: UUID,
    grant: UploadGrant,
    blob_id: UUID,
    size_bytes: int,
    content_hash: str,
    media_type: str,
    client_modified_at: datetime | None = None,
    made_on: str = "another device",
) -> Committed:
    """Make a version of bytes that the store has verified: version, node and event in one transaction.

    Repeatable by ``upload_id``: a second call gives the same node and makes nothing. ``update`` from a version that is not current any more
    keeps the bytes beside the file as ``name (conflicted copy, SENDER, DATE).ext``, once for each edit, whoever reports it; ``made_on`` is
    that sender. ``update`` of a file that was deleted brings it back. What is there already makes no version. Visitors of a link bring
    nothing back, and those of a link on one file keep no copy: nothing beside the file is theirs.

    :raises NameTaken: ``add`` finds the name taken meanwhile; or a folder has it.
    :raises ParentGone: the folder to ``add`` or ``overwrite`` in is in the trash or gone.
    :raises UploadGivenUp: it was given up before.
    :raises NewerVersion: a visitor's ``update`` starts from a version that is not current any more, and no copy may be kept.
    :raises NodeGone: the file was deleted with these very bytes in it, or the file of an earlier commit of this upload is gone.
    :raises TooDeep, PathTooLong, TooManyChildren: a limit would be passed.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return content.commit(
        content.Upload(
            id=upload_id,
            actor=actor,
            grant=grant,
            blob_id=blob_id,
            size_bytes=size_bytes,
            content_hash=content_hash,
            media_type=media_type,
            client_modified_at=client_modified_at,
            made_on=made_on,
        )
    )


@exposed
def authorise_uploads(*, actor: Actor, wishes: Sequence[UploadWish]) -> list[UploadGrant | BitVaultError]:
    """Decide about several uploads as ``authorise_upload`` does about one; for each, in order, its grant or what it would raise."""
    actor.require_scope(Scope.FILES_WRITE)
    return authorising.authorise_many(actor=actor, wishes=wishes)


@exposed
def commit_uploads(
    *, actor: Actor, uploads: Sequence[VerifiedUpload], made_on: str = "another device"
) -> list[Committed | BitVaultError]:
    """Make versions of several uploads as ``commit_upload`` does of one; one outcome for each, in order: what it gives, or would raise."""
    actor.require_scope(Scope.FILES_WRITE)
    return batching.commit(
        [
            content.Upload(
                id=each.upload_id,
                actor=actor,
                grant=each.grant,
                blob_id=each.blob_id,
                size_bytes=each.size_bytes,
                content_hash=each.content_hash,
                media_type=each.media_type,
                client_modified_at=each.client_modified_at,
                made_on=made_on,
            )
            for each in uploads
        ]
    )


@exposed
def find_all_committed(*, actor: Actor, upload_ids: Sequence[UUID]) -> dict[UUID, Committed]:
    """Find how each of these uploads of the actor's was committed; those whose node is gone, or that were not, are left out."""
    actor.require_scope(Scope.FILES_READ)
    return batching.find_committed(actor=actor, upload_ids=upload_ids)


@exposed
def find_readable_blobs(*, actor: Actor, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], UUID]:
    """Find a blob for each (content hash, size) that a live file has which the actor can read; contents without one are left out."""
    actor.require_scope(Scope.FILES_READ)
    return queries.find_readable_blobs(actor, wanted)


@exposed
def give_up_upload(*, actor: Actor, upload_id: UUID) -> bool:
    """See to it that no commit of an upload makes a version from now on; ``False`` when one has ended before. Repeatable.

    Commits of content wait meanwhile, so it is for an upload whose bytes are verified: only that one may have a commit under way.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return content.give_up(actor=actor, upload_id=upload_id)


@exposed
def find_committed(*, actor: Actor, upload_id: UUID) -> Node | None:
    """Find the live node that an upload of the actor's went into; ``None`` when it was not committed, or the node is gone."""
    actor.require_scope(Scope.FILES_READ)
    return content.find_committed(actor=actor, upload_id=upload_id)


@exposed
def is_committed(*, upload_id: UUID) -> bool:
    """Tell whether an upload's own bytes became a version, for whoever sweeps the others."""
    return queries.is_committed(upload_id)


@exposed
def find_held_blobs(*, blob_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Tell which of these blobs some version of the entered tenant has, in the trash or not: for whoever deletes the others."""
    return queries.find_held_blobs(blob_ids)


@exposed
def get_content(*, actor: Actor, node_id: UUID, version_id: UUID | None = None) -> Content:
    """Find the bytes of a live file: its current version, or another one of its own.

    :raises NotAFile: the node is a folder.
    """
    actor.require_scope(Scope.FILES_READ)
    return queries.get_content(actor, node_id, version_id)


@exposed
def open_content(*, actor: Actor, node_id: UUID, version_id: UUID | None = None) -> Content:
    """Find the bytes of a live file for a download, and let the stream know that it was allowed.

    :raises NotAFile: the node is a folder.
    """
    actor.require_scope(Scope.FILES_READ)
    with db.write_transaction():
        found = queries.read_content(actor, node_id, version_id)
        downloads.announce(actor, node_id, found)
    return found


@exposed
def find_readable_blob(*, actor: Actor, content_hash: str, size_bytes: int) -> UUID | None:
    """Find a blob of this content in a live file of this tenant that the actor can read: bytes that need not travel again."""
    actor.require_scope(Scope.FILES_READ)
    return queries.find_readable_blob(actor, content_hash, size_bytes)
