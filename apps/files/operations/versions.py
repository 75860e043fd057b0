"""Versions of a file: described, brought back, deleted. Each change holds the file's row, so none meets another commit of content."""

from collections.abc import Sequence
from uuid import UUID

from apps.files import access, errors, limits, locks, models, retaining
from apps.files.dtos import Node
from apps.files.dtos.uploads import UploadGrant
from apps.files.operations import purging, thinning
from apps.files.operations.content import Upload, find_repeated, write_or_settle
from apps.files.rows import Way, find_lock, find_way, find_ways, require_row
from apps.files.tree import commit_transaction, lock_row
from bitvault.events.api import publish
from bitvault.events.catalog.files import VersionDescribed, VersionsDeleted
from bitvault.kernel import clock, ids
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability


def describe(
    *, actor: Actor, node_id: UUID, version_id: UUID, label: str | None, pinned: bool | None
) -> tuple[models.Version, UUID | None]:
    """Give a version another label, or pin or unpin it; ``None`` leaves either as it is. Returns it, and which one is current."""
    with commit_transaction():
        way, version = _lock(actor, node_id, version_id, Capability.EDIT)
        before = (version.label, version.pinned)
        version.label = version.label if label is None else label
        version.pinned = version.pinned if pinned is None else pinned
        if (version.label, version.pinned) != before:
            version.save(update_fields=["label", "pinned"])
            publish(
                VersionDescribed(
                    actor_id=actor.user_id,
                    node_id=node_id,
                    version_id=version_id,
                    label=version.label,
                    pinned=version.pinned,
                )
            )
    return version, way.node.version_id


def restore(*, actor: Actor, node_id: UUID, version_id: UUID, restore_id: UUID, made_on: str) -> Node:
    """Make a new version with an older one's content; no bytes move. ``restore_id`` makes it repeatable, as an upload's id does."""
    with commit_transaction() as tx:
        way, version = _lock(actor, node_id, version_id, Capability.EDIT)
        restored = Upload(
            id=restore_id,
            actor=actor,
            grant=_to_grant(way),
            blob_id=version.blob_id,
            size_bytes=version.size_bytes,
            content_hash=version.content_hash,
            media_type=version.media_type,
            client_modified_at=version.client_modified_at,
            made_on=made_on,
            restored_from_id=version.id,
        )
        repeated = find_repeated(restored)
        if repeated is not None:
            return tx.answer(repeated.node)
        if restored.is_content_of(way.node):
            raise errors.NothingToRestore(version_id=version_id, current_version_id=way.node.version_id)
        return tx.answer(write_or_settle(restored, way).node)


def delete(*, actor: Actor, node_id: UUID, version_id: UUID) -> None:
    """Delete an older version permanently and give its room back."""
    with commit_transaction():
        way, version = _lock(actor, node_id, version_id, Capability.MANAGE)
        locks.require_unlocked(actor, way.node)
        if version.id == way.node.version_id:
            raise errors.VersionIsCurrent(version_id=version_id)
        if version.pinned:
            raise errors.VersionPinned(version_id=version_id)
        retaining.require_version_free(way.rows, version.created_at)
        _delete(node_id, [version], by=actor.user_id)
    purging.give_back()


def expire(*, node_id: UUID, rules: thinning.Rules) -> int:
    """Delete what the vault's rules give up of a live file's older versions, the oldest first and at most a batch; returns how many.

    Nothing of a file that somebody has locked, and nothing that a hold or a retention rule keeps.
    """
    with commit_transaction():
        lock_row(node_id)
        way = find_ways([node_id]).get(node_id)
        if way is None or not way.is_live or find_lock(way.node.lock) is not None:
            return 0
        held = models.Version.objects.filter(node_id=node_id)
        judged = [
            thinning.Candidate(version_id, made_at, bool(label or pinned))
            for version_id, made_at, label, pinned in held.order_by("-id").values_list(
                "id", "created_at", "label", "pinned"
            )
        ]
        due = thinning.find_due(judged, rules, current_id=way.node.version_id, now=clock.now())
        kept = retaining.find_kept_moments(way.rows, {version.created_at for version in due})
        free = [version.id for version in due if version.created_at not in kept][-limits.VERSIONS_BATCH :]
        if free:
            _delete(node_id, list(held.filter(id__in=free).order_by("id")), by=None)
    purging.give_back()
    return len(free)


def _delete(node_id: UUID, versions: Sequence[models.Version], *, by: UUID | None) -> None:
    """Delete versions that may go, note their room, and tell of it; inside the open transaction, which holds the file's row."""
    models.Version.objects.filter(id__in=[version.id for version in versions]).delete()
    size_bytes = sum(version.size_bytes for version in versions)
    purging.note_refunds({ids.new_id(): size_bytes})
    publish(
        VersionsDeleted(
            actor_id=by,
            node_id=node_id,
            version_ids=[version.id for version in versions],
            blob_ids=[version.blob_id for version in versions],
            size_bytes=size_bytes,
        )
    )


def _to_grant(way: Way) -> UploadGrant:
    """Describe a restore as what it is for the file: an update of its current version."""
    node = way.node
    return UploadGrant(
        parent_id=way.rows[1].id,
        name=node.name,
        mode="update",
        node_id=node.id,
        base_version_id=node.version_id,
        autorename=False,
        base_blob_id=None,
    )


def _lock(actor: Actor, node_id: UUID, version_id: UUID, capability: Capability) -> tuple[Way, models.Version]:
    """Hold a file's row, and read one of its versions.

    :raises NotFound: the actor knows of no such file, or the file has no such version.
    :raises NotAFile: the node is a folder.
    :raises Forbidden: the actor lacks ``right``.
    """
    lock_row(node_id)
    way = access.require(actor, find_way(node_id, actor), capability)
    if way.node.is_folder:
        raise errors.NotAFile
    return way, require_row(models.Version.objects.filter(node_id=node_id, id=version_id).first())
