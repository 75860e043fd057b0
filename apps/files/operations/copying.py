"""Copies of files and folders: new nodes that hold the blobs of the old ones. No byte moves.

A small tree is copied in one transaction. Of a large one the top is made at once, and a job fills it, a page of one folder at a time; ids
of copies are told by the copy's id and the original's, so a page that was begun before is recognised and goes on. Rights are judged when
a copy begins: they are inherited downwards, so who may read the top may read what lies below. The versions, the history and the
permissions of the originals stay with them.

Originals are locked while their blobs are taken over: no commit may make their version an older one meanwhile, which could be deleted.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from apps.files import access, errors, limits, models
from apps.files.admitting import require_place
from apps.files.dtos import Node, NodeRef
from apps.files.rows import NodeRow, Way, fetch_one, find_way, find_ways, read_rows
from apps.files.sql.walks import MEASURE_COPY
from apps.files.tree import (
    FileContent,
    insert_file,
    insert_folder,
    judge_place,
    lock_row,
    place,
    rename_type,
    require_folder,
    tree_transaction,
)
from bitvault.events.api import publish
from bitvault.events.catalog.files import FolderCreated, VersionCommitted
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, file_rules, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.names import Name

COPY_JOB = "files.copy"


@dataclass(frozen=True, slots=True)
class CopyStep:
    """What is left to copy of one folder: its children whose names are behind ``after``."""

    source_id: UUID
    target_id: UUID
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPage:
    """What was copied of a folder, and what is to be copied next."""

    node_count: int = 0
    size_bytes: int = 0
    further: Sequence[CopyStep] = ()


class CopyFolder(msgspec.Struct, frozen=True):
    """A folder whose copy is there already, and that a job fills. ``made_on`` is what the device is called that it was wanted on."""

    copy_id: UUID
    user_id: UUID
    made_on: str
    source_id: UUID
    target_id: UUID


@dataclass(frozen=True, slots=True)
class _Copier:
    """Who copies, under which id of the copy."""

    copy_id: UUID
    user_id: UUID
    made_on: str
    now: datetime

    def id_of(self, source_id: UUID, what: str) -> UUID:
        """Name what is made of an original: the same each time, and a UUIDv7 of the time at which the copy began."""
        digest = hashlib.sha256(self.copy_id.bytes + source_id.bytes + what.encode()).digest()
        made = bytearray(self.copy_id.bytes[:6] + digest[:10])
        made[6] = 0x70 | made[6] & 0x0F
        made[8] = 0x80 | made[8] & 0x3F
        return UUID(bytes=bytes(made))


def measure(actor: Actor, node_id: NodeRef) -> int:
    """Tell how many bytes a copy of a node would have; of a large tree, as many as were counted."""
    with db.read_transaction():
        way = access.require(actor, find_way(node_id, actor), Capability.DOWNLOAD)
        return int(fetch_one(MEASURE_COPY, {"id": way.node.id, "limit": limits.COPY_AT_ONCE + 1})[1])


def measure_all(node_id: UUID) -> tuple[int, int]:
    """Count the nodes and bytes of a tree."""
    with db.read_transaction():
        count, size_bytes = fetch_one(MEASURE_COPY, {"id": node_id, "limit": limits.COPY_LIMIT})
    return count, size_bytes


def begin(
    *,
    actor: Actor,
    node_id: NodeRef,
    parent_id: NodeRef,
    name: Name | None,
    autorename: bool,
    copy_id: UUID,
    made_on: str,
) -> tuple[Node | jobs.Job, int]:
    """Copy a node with all below it into a folder, or begin to; returns the copy, or the job that fills it, and the bytes that it has."""
    copier = _Copier(copy_id, actor.user_id, made_on, clock.now())
    vault_rules = file_rules.current()
    with tree_transaction() as tx:
        source = access.require(actor, find_way(node_id, actor), Capability.DOWNLOAD)
        parent = require_folder(access.require(actor, find_way(parent_id, actor), Capability.ADD))
        if parent.passes(source.node.id):
            raise errors.MoveCycle
        to_name = name or names.of_stored(source.node.name)
        lay_in_ids = {row.id for row in source.rows}
        require_place(actor, vault_rules, source.node, parent, lay_in_ids=lay_in_ids, name=to_name.text)
        judge_place(source.node, parent, to_name, gains=1)
        count, _ = fetch_one(MEASURE_COPY, {"id": source.node.id, "limit": limits.COPY_AT_ONCE + 1})
        blobs = _lock(source.node)
        # Who sees nothing there is told nothing of what has the name.
        free = autorename or not access.find_mask(actor, parent) & Capability.VIEW
        row = _insert(copier, source.node, parent, to_name, blobs, autorename=free)
        if count > limits.COPY_AT_ONCE:
            rest = CopyFolder(copy_id, actor.user_id, made_on, source.node.id, row.id)
            job = jobs.enqueue(COPY_JOB, rest, key=copy_id.hex, by=jobs.Requester.of(actor))
            return tx.answer(job), 0
        size_bytes = row.size_bytes
        steps = [CopyStep(source.node.id, row.id)] if row.is_folder else []
        while steps:
            page = _copy_page(copier, row.id, steps.pop(), limits.COPY_AT_ONCE)
            size_bytes += page.size_bytes
            steps += page.further
        return tx.answer(access.describe(actor, Way([row, *parent.rows]))), size_bytes


def _lock(node: NodeRow) -> dict[UUID, UUID]:
    """Hold an original's row and read the blob of its version."""
    lock_row(node.id)
    return _read_blobs([node])


def _read_blobs(rows: Sequence[NodeRow]) -> dict[UUID, UUID]:
    wanted = [row.version_id for row in rows if row.version_id is not None]
    return dict(models.Version.objects.filter(id__in=wanted).values_list("id", "blob_id")) if wanted else {}


def count_page(step: CopyStep) -> int:
    """Tell how many bytes the next page of a folder has at most."""
    with db.read_transaction():
        return sum(_list_page(step)[: limits.COPY_BATCH].values_list("size_bytes", flat=True))


def _list_page(step: CopyStep) -> QuerySet[models.Node]:
    return models.Node.objects.filter(parent_id=step.source_id, name_key__gt=step.after).order_by("name_key")


def copy_page(*, copy_id: UUID, top_id: UUID, user_id: UUID, made_on: str, step: CopyStep) -> CopyPage:
    """Copy the next page of a folder; repeatable. Where the copy's folder is not there any more nothing is done."""
    copier = _Copier(copy_id, user_id, made_on, clock.now())
    with tree_transaction():
        return _copy_page(copier, top_id, step, limits.COPY_BATCH)


def _copy_page(copier: _Copier, top_id: UUID, step: CopyStep, limit: int) -> CopyPage:
    parent = _find_live(step.target_id)
    if parent is None:
        return CopyPage()
    rows = read_rows(_list_page(step).select_for_update(no_key=True)[:limit])
    blobs = _read_blobs(rows)
    ids = {row.id: copier.id_of(row.id, "node") for row in rows}
    present = dict(models.Node.objects.filter(id__in=ids.values()).values_list("id", "size_bytes"))
    further, size_bytes, count = [], 0, 0
    for row in rows:
        if row.id == top_id:
            continue  # somebody has put the copy into its original
        made_id = ids[row.id]
        if made_id in present:
            size_bytes += present[made_id]
        else:
            made = _insert(copier, row, parent, names.of_stored(row.name), blobs, autorename=True)
            parent = Way([parent.node._replace(child_count=parent.node.child_count + 1), *parent.rows[1:]])
            size_bytes += made.size_bytes
        count += 1
        if row.is_folder and row.child_count:
            further.append(CopyStep(row.id, made_id))
    if len(rows) == limit:
        last_key = models.Node.objects.values_list("name_key", flat=True).get(id=rows[-1].id)
        further.insert(0, CopyStep(step.source_id, step.target_id, last_key))
    return CopyPage(node_count=count, size_bytes=size_bytes, further=tuple(further))


def _find_live(node_id: UUID) -> Way | None:
    way = find_ways([node_id]).get(node_id)
    return way if way is not None and way.is_live and way.node.is_folder else None


def _insert(
    copier: _Copier, source: NodeRow, parent: Way, name: Name, blobs: dict[UUID, UUID], *, autorename: bool
) -> NodeRow:
    """Put a copy of one node, without what lies below it, into a folder."""
    node_id = copier.id_of(source.id, "node")
    if source.is_folder:
        row = place(
            parent,
            name,
            lambda free: insert_folder(
                node_id=node_id, parent=parent, name=free, created_by=copier.user_id, now=copier.now
            ),
            autorename=autorename,
            is_folder=True,
        )
        publish(
            FolderCreated(
                actor_id=copier.user_id,
                node_id=row.id,
                parent_id=parent.node.id,
                name=row.name,
                revision=row.revision,
                created_at=row.created_at,
                copied_from_node_id=source.id,
            )
        )
        return row
    return _insert_file(copier, source, parent, name, blobs, autorename=autorename)


def _insert_file(
    copier: _Copier, source: NodeRow, parent: Way, name: Name, blobs: dict[UUID, UUID], *, autorename: bool
) -> NodeRow:
    if source.version_id is None:
        raise errors.NotAFile
    content = FileContent(
        version_id=copier.id_of(source.id, "version"),
        blob_id=blobs[source.version_id],
        upload_id=copier.id_of(source.id, "copy"),
        size_bytes=source.size_bytes,
        content_hash=source.content_hash,
        media_type=rename_type(source, name),
        client_modified_at=source.client_modified_at,
        base_version_id=None,
        made_on=copier.made_on,
        restored_from_id=None,
    )
    row = place(
        parent,
        name,
        lambda free: insert_file(
            node_id=copier.id_of(source.id, "node"),
            parent=parent,
            name=free,
            content=content,
            created_by=copier.user_id,
            now=copier.now,
        ),
        autorename=autorename,
        is_folder=False,
    )
    publish(
        VersionCommitted(
            actor_id=copier.user_id,
            node_id=row.id,
            parent_id=parent.node.id,
            name=row.name,
            revision=row.revision,
            node_created=True,
            version_id=content.version_id,
            previous_version_id=None,
            conflict_with_id=None,
            upload_id=content.upload_id,
            blob_id=content.blob_id,
            size_bytes=content.size_bytes,
            content_hash=content.content_hash,
            media_type=content.media_type,
            modified_at=row.modified_at,
            client_modified_at=content.client_modified_at,
            made_on=content.made_on,
            copied_from_id=source.version_id,
            copied_from_node_id=source.id,
        )
    )
    return row
