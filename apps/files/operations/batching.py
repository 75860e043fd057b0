"""Many uploads become versions at once: all plain new files in one transaction, by a statement for each table.

Plain is a file whose name is free in a live folder. Whatever else an upload meets (a file of its name, an edit, a refusal) is left to the
way of a single one, behind the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.files import access
from apps.files.dtos.uploads import Committed
from apps.files.models import Kind, Node, Version
from apps.files.operations import content
from apps.files.operations.content import Upload
from apps.files.rows import NodeRow, Way, execute, fetch_page, find_ways
from apps.files.sql.names import TAKEN
from apps.files.sql.nodes import COUNTED_ALONE
from apps.files.sql.uploads import EARLIER_OF_MANY
from apps.files.tree import (
    NOTHING_BELOW,
    Ancestors,
    FileContent,
    node_parameters,
    require_folder,
    require_room,
    tree_transaction,
)
from bitvault.events.api import publish
from bitvault.kernel import clock, db, ids, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.errors import BitVaultError
from bitvault.kernel.names import Name


@dataclass(frozen=True, slots=True)
class _New:
    """A file that is about to be made."""

    upload: Upload
    name: Name
    parent: Way
    content: FileContent
    row: NodeRow


def commit(uploads: Sequence[Upload]) -> list[Committed | BitVaultError]:
    """Make versions of uploads of one actor; one outcome for each, in order: what ``content.commit`` gives, or would raise."""
    outcomes: dict[UUID, Committed | BitVaultError] = {}
    if uploads:
        with tree_transaction():
            earlier = fetch_page(EARLIER_OF_MANY, {"ids": [each.id for each in uploads]})
            outcomes |= _find_repeated(uploads[0].actor, earlier)
            known = {upload_id for upload_id, *_ in earlier}
            news = _choose([each for each in uploads if each.id not in known])
            _write(news)
            for new in news:
                node = content.to_answer(new.upload, new.row, new.parent.rows)
                outcomes[new.upload.id] = Committed(node=node, created=True, version_created=True)
    for upload in uploads:
        if upload.id not in outcomes:
            try:
                outcomes[upload.id] = content.commit(upload)
            except BitVaultError as error:
                outcomes[upload.id] = error
    return [outcomes[upload.id] for upload in uploads]


def find_committed(*, actor: Actor, upload_ids: Sequence[UUID]) -> dict[UUID, Committed]:
    """Find the live files that uploads of the actor's went into; those that are gone are left out."""
    if not upload_ids:
        return {}
    with db.read_transaction():
        return _find_repeated(actor, fetch_page(EARLIER_OF_MANY, {"ids": list(upload_ids)}))


def _find_repeated(actor: Actor, rows: Sequence[Any]) -> dict[UUID, Committed]:
    """Answer for those that earlier commits have made versions of, and that the actor can still see."""
    earlier = {
        upload_id: (node_id, version_created)
        for upload_id, node_id, by, version_created in rows
        if by == actor.user_id and node_id is not None
    }
    ways = find_ways({node_id for node_id, _ in earlier.values()}) if earlier else {}
    found = {}
    for upload_id, (node_id, version_created) in earlier.items():
        way = ways.get(node_id)
        if way is not None and access.find_mask(actor, way):
            node = access.describe(actor, way)
            found[upload_id] = Committed(node=node, created=False, version_created=version_created)
    return found


def _choose(uploads: Sequence[Upload]) -> list[_New]:
    """Choose the plain ones."""
    wanted = [each for each in uploads if each.grant.node_id is None and each.grant.mode != "update"]
    if not wanted:
        return []
    parsed = {each.id: names.parse(each.grant.name) for each in wanted}
    ways = find_ways({each.grant.parent_id for each in wanted})
    places = {
        "parent_ids": [each.grant.parent_id for each in wanted],
        "name_keys": [parsed[each.id].key for each in wanted],
    }
    taken = {(parent_id, key) for parent_id, key in fetch_page(TAKEN, places)}
    now, gained, news = clock.now(), dict.fromkeys(ways, 0), []
    for upload in wanted:
        name, parent = parsed[upload.id], ways.get(upload.grant.parent_id)
        place = (upload.grant.parent_id, name.key)
        if parent is None or place in taken or not _fits(upload, parent, name, gained):
            continue
        taken.add(place)
        gained[parent.node.id] += 1
        news.append(_make(upload, name, parent, now))
    return news


def _fits(upload: Upload, parent: Way, name: Name, gained: dict[UUID, int]) -> bool:
    """Tell whether the file may be made there; the way of a single upload says why not."""
    if not parent.is_live:
        return False
    try:
        require_folder(access.require(upload.actor, parent, Capability.ADD))
        access.require(upload.actor, parent, Capability.VIEW)
        require_room(parent, name, NOTHING_BELOW, gains=gained[parent.node.id] + 1)
        upload.require_admitted(parent, name.text)
    except BitVaultError:
        return False
    return True


def _make(upload: Upload, name: Name, parent: Way, now: datetime) -> _New:
    made = upload.to_content(name.text)
    row = NodeRow(
        id=ids.new_id(),
        kind=int(Kind.FILE),
        parent_id=parent.node.id,
        owner_user_id=None,
        is_team_folder=False,
        name=name.text,
        revision=1,
        version_id=made.version_id,
        size_bytes=made.size_bytes,
        media_type=made.media_type,
        content_hash=made.content_hash,
        created_at=now,
        modified_at=now,
        client_modified_at=made.client_modified_at,
        created_by=upload.actor.user_id,
        trashed_at=None,
        child_count=0,
        levels_below_bound=0,
        path_bytes_below_bound=0,
    )
    return _New(upload, name, parent, made, row)


def _write(news: Sequence[_New]) -> None:
    if not news:
        return
    above = Ancestors()
    for new in news:
        above.gain_child(new.parent, new.name, NOTHING_BELOW)
    Node.objects.bulk_create([_to_model(new) for new in news])
    Version.objects.bulk_create(
        [
            Version(
                id=new.content.version_id,
                node_id=new.row.id,
                blob_id=new.content.blob_id,
                upload_id=new.content.upload_id,
                size_bytes=new.content.size_bytes,
                content_hash=new.content.content_hash,
                media_type=new.content.media_type,
                created_at=new.row.created_at,
                created_by=new.row.created_by,
                client_modified_at=new.content.client_modified_at,
                base_version_id=new.content.base_version_id,
                made_on=new.content.made_on,
                restored_from_id=new.content.restored_from_id,
            )
            for new in news
        ]
    )
    execute(COUNTED_ALONE, above.parameters())
    for new in news:
        publish(content.tell_committed(new.upload, new.row, new.content, parent=new.parent.node, node_created=True))


def _to_model(new: _New) -> Node:
    row = new.row
    values = node_parameters(
        node_id=row.id, kind=Kind.FILE, name=new.name, created_by=row.created_by, now=row.created_at
    )
    del values["now"]
    values |= {
        "parent_id": row.parent_id,
        "version_id": row.version_id,
        "size_bytes": row.size_bytes,
        "media_type": row.media_type,
        "content_hash": row.content_hash,
        "created_at": row.created_at,
        "modified_at": row.modified_at,
        "client_modified_at": row.client_modified_at,
    }
    return Node(**values)
