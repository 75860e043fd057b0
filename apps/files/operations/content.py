"""Content: the one moment in which an upload becomes a version, and what it becomes by the state of that moment.

A new version of a file takes only the file's row. Whatever makes a new node, or brings one back, takes the tree lock.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from apps.files import access, errors, locks
from apps.files.admitting import require_still_admitted
from apps.files.dtos import Node
from apps.files.dtos.uploads import Committed, UploadGrant
from apps.files.models import SettledUpload
from apps.files.operations import conflicts, returning
from apps.files.rows import NodeRow, Way, fetch_one, find_way, kind_name, require_row
from apps.files.sql.nodes import WRITE_VERSION
from apps.files.sql.uploads import EARLIER
from apps.files.tree import (
    FileContent,
    commit_transaction,
    find_sibling,
    insert_file,
    lock_row,
    place,
    refuse_taken,
    require_folder,
    tree_transaction,
)
from bitvault.events.api import publish
from bitvault.events.catalog.files import VersionCommitted
from bitvault.kernel import clock, db, ids, media_types, names
from bitvault.kernel.actor import Actor, ActorKind
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.errors import NotFound
from bitvault.kernel.names import Name


class _NeedsTree(Exception):
    """What happened meanwhile asks for a new node, and so for the tree lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload whose bytes the store has verified, about to become a version."""

    id: UUID
    actor: Actor
    grant: UploadGrant
    blob_id: UUID
    size_bytes: int
    content_hash: str
    media_type: str
    client_modified_at: datetime | None
    made_on: str
    """What the sender is called, in the list of versions and in the name of a conflicted copy."""
    restored_from_id: UUID | None = None
    """The older version of the same file that is brought back: nothing was uploaded."""

    def is_content_of(self, node: NodeRow) -> bool:
        """Whether the node has just these bytes already."""
        return node.content_hash == self.content_hash and node.size_bytes == self.size_bytes

    def require_admitted(self, way: Way, name: str) -> None:
        """Refuse to put it where rules of folders that are older than itself do not let it in; what is brought back was here.

        :raises TypeRefused, SizeRefused: they do not.
        """
        if self.restored_from_id is None:
            require_still_admitted(self.actor, way, name, self.size_bytes, begun_at=ids.time_of(self.id))

    def to_content(self, name: str) -> FileContent:
        """Make a version of it, of a file that is called ``name`` by now."""
        return FileContent(
            version_id=ids.new_id(),
            blob_id=self.blob_id,
            upload_id=self.id,
            size_bytes=self.size_bytes,
            content_hash=self.content_hash,
            media_type=media_types.follow_rename(self.media_type, old_name=self.grant.name, new_name=name),
            client_modified_at=self.client_modified_at,
            base_version_id=self.grant.base_version_id,
            made_on=self.made_on,
            restored_from_id=self.restored_from_id,
        )


def commit(upload: Upload) -> Committed:
    """Make a version of an upload: version, node and event in one transaction; or answer as an earlier commit of it did."""
    if upload.grant.node_id is not None:
        try:
            return _commit_to_file(upload, upload.grant.node_id)
        except _NeedsTree:
            pass
    return _commit_in_tree(upload)


def find_committed(*, actor: Actor, upload_id: UUID) -> Node | None:
    """Find the node that an upload of the actor's went into."""
    with db.read_transaction():
        earlier = fetch_one(EARLIER, {"upload_id": upload_id})
        if earlier is None or earlier[0] is None or earlier[1] != actor.user_id:
            return None
        way = find_way(earlier[0], actor)
    return access.describe(actor, way) if way is not None and access.find_mask(actor, way) else None


def _commit_to_file(upload: Upload, node_id: UUID) -> Committed:
    """Write a version of a file under its row's lock alone."""
    grant = upload.grant
    with commit_transaction() as tx:
        lock_row(node_id)
        repeated = find_repeated(upload)
        if repeated is not None:
            return tx.answer(repeated)
        way = find_way(node_id, upload.actor)
        if grant.mode == "update":
            if way is None or not way.is_live:
                raise _NeedsTree
            if not upload.is_content_of(way.node) and way.node.version_id != grant.base_version_id:
                raise _NeedsTree
        elif not _is_still_at(way, grant):
            raise _NeedsTree
        way = access.require(upload.actor, way, Capability.EDIT)
        return tx.answer(write_or_settle(upload, way))


def _commit_in_tree(upload: Upload) -> Committed:
    """Make a new file of an upload, or whatever else the tree asks for at this moment, under the tree lock."""
    grant = upload.grant
    with tree_transaction() as tx:
        repeated = find_repeated(upload)
        if repeated is not None:
            return tx.answer(repeated)
        if grant.mode == "update" and grant.node_id is not None:
            return tx.answer(_update_in_tree(upload, grant.node_id))
        return tx.answer(_add_or_overwrite_in_tree(upload))


def _update_in_tree(upload: Upload, node_id: UUID) -> Committed:
    """Find what becomes of an edit of a file that was edited, moved or deleted meanwhile."""
    grant = upload.grant
    lock_row(node_id)
    way = find_way(node_id, upload.actor)
    if way is not None and way.is_live:
        access.require(upload.actor, way, Capability.EDIT)
        if upload.is_content_of(way.node) or way.node.version_id == grant.base_version_id:
            return write_or_settle(upload, way)
    kept = conflicts.find_kept(
        upload.actor, way, grant.base_version_id, content_hash=upload.content_hash, size_bytes=upload.size_bytes
    )
    if kept is not None:
        return _settle(upload, kept)
    if way is None or not way.is_live:
        deleted = returning.find_deleted(upload.actor, way)
        if deleted is None:
            refuge = returning.find_refuge(upload.actor, grant.parent_id)
            return _write_new(upload, refuge, names.parse(grant.name), autorename=True, conflict_with_id=None)
        if upload.is_content_of(deleted.way.node):
            raise errors.NodeGone(node_id=node_id)
        way = returning.bring_back(upload.actor, deleted)
        if way.node.version_id == grant.base_version_id:
            return write_or_settle(upload, way)
    # Somebody was quicker. Theirs stays where it is; these bytes are kept beside it, never lost and never on top.
    beside = Way(way.rows[1:])
    if upload.actor.kind is ActorKind.LINK and not access.find_mask(upload.actor, beside) & Capability.ADD:
        raise errors.NewerVersion(node_id=node_id)  # a link on one file puts nothing into the folder around it
    copy = conflicts.name_copy(way.node.name, made_on=upload.made_on, moment=clock.now())
    return _write_new(upload, beside, copy, autorename=True, conflict_with_id=node_id)


def _add_or_overwrite_in_tree(upload: Upload) -> Committed:
    grant = upload.grant
    parent = find_way(grant.parent_id, upload.actor)
    if parent is None or not parent.is_live:
        raise errors.ParentGone(parent_id=grant.parent_id)
    require_folder(access.require(upload.actor, parent, Capability.ADD))
    name = names.parse(grant.name)
    if not access.find_mask(upload.actor, parent) & Capability.VIEW:
        # Who sees nothing there is told nothing of what has the name.
        return _write_new(upload, parent, name, autorename=True, conflict_with_id=None)
    sibling = find_sibling(grant.parent_id, name.key) if grant.mode == "overwrite" or grant.autorename else None
    if sibling is not None and kind_name(sibling[1]) == "file":
        lock_row(sibling[0])
        way = require_row(find_way(sibling[0], upload.actor))
        if grant.mode == "overwrite":
            return write_or_settle(upload, access.require(upload.actor, way, Capability.EDIT))
        if upload.is_content_of(way.node):
            return _settle(upload, way)
    if sibling is not None and not grant.autorename:
        refuse_taken(grant.parent_id, name)
    return _write_new(upload, parent, name, autorename=grant.autorename, conflict_with_id=None)


def find_repeated(upload: Upload) -> Committed | None:
    """Find how an earlier commit of the same upload ended.

    :raises NotFound: somebody else committed it.
    :raises UploadGivenUp: there was none, and will not be.
    :raises NodeGone: its file has been deleted since.
    """
    earlier = fetch_one(EARLIER, {"upload_id": upload.id})
    if earlier is None:
        return None
    node_id, created_by, version_created = earlier
    if created_by != upload.actor.user_id:
        raise NotFound
    if node_id is None:
        raise errors.UploadGivenUp
    way = find_way(node_id, upload.actor)
    if way is None or not way.is_live:
        raise errors.NodeGone(node_id=node_id)
    if not access.find_mask(upload.actor, way):
        raise NotFound
    return Committed(node=to_answer(upload, way.node, way.rows[1:]), created=False, version_created=version_created)


def _is_still_at(way: Way | None, grant: UploadGrant) -> bool:
    """Tell whether the file still lies where ``overwrite`` writes: a path, not a node, is what it means."""
    return (
        way is not None
        and way.is_live
        and way.node.parent_id == grant.parent_id
        and names.key_of(way.node.name) == names.key_of(grant.name)
    )


def write_or_settle(upload: Upload, way: Way) -> Committed:
    """Give a file another version, unless it has these bytes already. Its row is held.

    :raises NodeLocked: somebody else has locked it.
    """
    node = way.node
    if upload.is_content_of(node):
        return _settle(upload, way)
    locks.require_unlocked(upload.actor, node)
    upload.require_admitted(way, node.name)
    content = upload.to_content(node.name)
    values = {**asdict(content), "id": node.id, "created_by": upload.actor.user_id, "now": clock.now()}
    row = NodeRow._make(fetch_one(WRITE_VERSION, values))
    publish(tell_committed(upload, row, content, parent=way.rows[1], previous_version_id=node.version_id))
    return Committed(node=to_answer(upload, row, way.rows[1:]), created=True, version_created=True)


def give_up(*, actor: Actor, upload_id: UUID) -> bool:
    """See to it that an upload never becomes a version; ``False`` when it has come to its end before. No commit is under way meanwhile."""
    with tree_transaction(holds_commits=True):
        earlier = fetch_one(EARLIER, {"upload_id": upload_id})
        if earlier is None:
            SettledUpload.objects.create(upload_id=upload_id, settled_by=actor.user_id, settled_at=clock.now())
    return earlier is None or earlier[0] is None


def _settle(upload: Upload, way: Way) -> Committed:
    """End an upload without a version: its bytes are kept here already."""
    SettledUpload.objects.create(
        upload_id=upload.id, node_id=way.node.id, settled_by=upload.actor.user_id, settled_at=clock.now()
    )
    return Committed(node=to_answer(upload, way.node, way.rows[1:]), created=False, version_created=False)


def _write_new(
    upload: Upload, parent: Way, name: Name, *, autorename: bool, conflict_with_id: UUID | None
) -> Committed:
    """Make a file of an upload, under the tree lock."""
    upload.require_admitted(parent, name.text)
    content, node_id, now = upload.to_content(name.text), ids.new_id(), clock.now()
    row = place(
        parent,
        name,
        lambda free: insert_file(
            node_id=node_id, parent=parent, name=free, content=content, created_by=upload.actor.user_id, now=now
        ),
        autorename=autorename,
        is_folder=False,
    )
    publish(
        tell_committed(upload, row, content, parent=parent.node, node_created=True, conflict_with_id=conflict_with_id)
    )
    return Committed(node=to_answer(upload, row, parent.rows), created=True, version_created=True)


def tell_committed(
    upload: Upload,
    row: NodeRow,
    content: FileContent,
    *,
    parent: NodeRow,
    node_created: bool = False,
    previous_version_id: UUID | None = None,
    conflict_with_id: UUID | None = None,
) -> VersionCommitted:
    """Make the event of a version."""
    return VersionCommitted(
        actor_kind=upload.actor.kind.value,
        actor_id=upload.actor.user_id,
        node_id=row.id,
        parent_id=parent.id,
        name=row.name,
        revision=row.revision,
        node_created=node_created,
        version_id=content.version_id,
        previous_version_id=previous_version_id,
        conflict_with_id=conflict_with_id,
        upload_id=content.upload_id,
        blob_id=content.blob_id,
        size_bytes=content.size_bytes,
        content_hash=content.content_hash,
        media_type=content.media_type,
        modified_at=row.modified_at,
        client_modified_at=content.client_modified_at,
        made_on=content.made_on,
        restored_from_id=content.restored_from_id,
    )


def to_answer(upload: Upload, row: NodeRow, above: Sequence[NodeRow]) -> Node:
    """Give a node with what the sender may do to it."""
    return access.describe(upload.actor, Way([row, *above]))
