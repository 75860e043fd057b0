"""Rebuilding the replica from its owner: beside the live one, page by page, then swapped in one transaction.

Pages come from different instants, all at or after the first page's number. The tail of the stream runs over them from there, and a
node that is known in a higher revision stays as it is. The journal begins anew and so does the epoch: nobody rebuilds what they trust,
and devices that have followed the old replica compare themselves with a snapshot.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from django.db import connection

from apps.files import api as files
from apps.files.dtos import TreeRow
from apps.sharing import api as sharing
from apps.sync import sql
from apps.sync.models import ChangeJournal, Feed, Node, RebuiltNode, SharedNode
from apps.sync.projector import CONSUMER
from bitvault.events.api import set_position
from bitvault.jobs.api import report_progress
from bitvault.kernel import db, ids, tenancy
from bitvault.web import wakeups

SWAP_SECONDS = 600
"""How long the swap may take: it writes every node of the tenant once."""


def rebuild() -> int:
    """Make the entered tenant's replica anew; returns the number from which the stream goes on."""
    with db.write_transaction():
        db.set_statement_timeout(seconds=SWAP_SECONDS)
        RebuiltNode.objects.all().delete()
    page = files.list_tree_rows()
    seq, count = page.as_of_seq, 0
    while page.items:
        _keep(page.items)
        count += len(page.items)
        report_progress(count)
        page = files.list_tree_rows(after=page.items[-1].id)
    _note_shared_nodes()
    _swap(seq)
    wakeups.announce_head(tenancy.current().id, seq)
    return seq


def _keep(rows: Sequence[TreeRow]) -> None:
    with db.write_transaction():
        RebuiltNode.objects.bulk_create([_to_node(row) for row in rows])


def _note_shared_nodes() -> None:
    """Take down which nodes may be scopes: their events may be older than the stream."""
    after: UUID | None = None
    while node_ids := sharing.list_shared_node_ids(after=after):
        with db.write_transaction():
            # Whoever has one of them as a scope has it from now on: what happened before is in the tree.
            seq = Feed.objects.select_for_update().get().seq
            shared = [SharedNode(node_id=node_id, seq=seq) for node_id in node_ids]
            SharedNode.objects.bulk_create(shared, ignore_conflicts=True)
        after = node_ids[-1]


def _to_node(row: TreeRow) -> RebuiltNode:
    return RebuiltNode(
        node_id=row.id,
        parent_id=row.parent_id,
        is_folder=row.kind == "folder",
        name=row.name,
        revision=row.revision,
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        content_hash=row.content_hash,
        version_id=row.version_id,
        created_at=row.created_at,
        modified_at=row.modified_at,
        client_modified_at=row.client_modified_at,
        created_by=row.created_by,
        lock=None if row.lock is None else msgspec.to_builtins(row.lock),
        is_trashed=row.is_trashed,
    )


def _swap(seq: int) -> None:
    """Let the new replica stand for the old one. The consumer's cursor is locked first, as the consumer does."""
    epoch: UUID = ids.new_id()
    with db.write_transaction(), connection.cursor() as cursor:
        db.set_statement_timeout(seconds=SWAP_SECONDS)
        set_position(consumer=CONSUMER, seq=seq)
        Feed.objects.select_for_update().get()
        Node.objects.all().delete()
        cursor.execute(sql.SWAP_REPLICA)
        RebuiltNode.objects.all().delete()
        ChangeJournal.objects.all().delete()
        Feed.objects.update(epoch=epoch, seq=seq, horizon=seq)
