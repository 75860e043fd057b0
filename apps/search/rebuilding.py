"""Rebuilding the index from what Files and Annotations hold: beside the live one, page by page, then swapped in one transaction.

Pages come from different instants, all at or after the first page's number. The tail of the stream runs over them from there, and a node
that is known in a higher revision stays as it is, as do tags that are known as of a higher number. Texts belong to contents, which never
change: those that are there stay, and others are asked for.
"""

from collections.abc import Sequence
from typing import Any

from apps.annotations import api as annotations
from apps.annotations.api import metadata as annotations_metadata
from apps.annotations.api import remarks as annotations_remarks
from apps.annotations.dtos import DescribedNodes, Remarks, TaggedNodes
from apps.files import api as files
from apps.files.api import retention
from apps.files.dtos import TreeRow
from apps.files.dtos.retention import HeldRows, HoldRows
from apps.search import contents, described, engine, indexing, outgoing, remarks
from apps.search.models import (
    Described,
    Document,
    Held,
    Hold,
    RebuiltDescribed,
    RebuiltDocument,
    RebuiltHeld,
    RebuiltHold,
    RebuiltRemark,
    RebuiltTagged,
    Remark,
    Tagged,
)
from bitvault.events.api import set_position
from bitvault.jobs.api import report_progress
from bitvault.kernel import db

SWAP_SECONDS = 600
"""How long the swap may take: it writes every node of the tenant once."""

SWAP_BATCH = 5_000


def rebuild() -> int:
    """Rebuild the entered tenant's index; returns the number from which the stream goes on."""
    with db.write_transaction():
        db.set_statement_timeout(seconds=SWAP_SECONDS)
        RebuiltDocument.objects.all().delete()
        RebuiltTagged.objects.all().delete()
        RebuiltDescribed.objects.all().delete()
        RebuiltRemark.objects.all().delete()
        RebuiltHold.objects.all().delete()
        RebuiltHeld.objects.all().delete()
    page = files.list_tree_rows()
    seq, count = page.as_of_seq, 0
    while page.items:
        _keep(page.items)
        count += len(page.items)
        report_progress(count)
        page = files.list_tree_rows(after=page.items[-1].id)
    tagged = annotations.list_tagged_rows()
    while tagged.items:
        _keep_tags(tagged)
        tagged = annotations.list_tagged_rows(after=tagged.items[-1].node_id)
    described_page = annotations_metadata.list_metadata_rows()
    while described_page.items:
        _keep_metadata(described_page)
        described_page = annotations_metadata.list_metadata_rows(after=described_page.items[-1].node_id)
    hold_rows = retention.list_hold_rows()
    _keep_holds(hold_rows)
    held_page = retention.list_held_rows()
    while held_page.items:
        _keep_held(held_page)
        held_page = retention.list_held_rows(after=held_page.items[-1].node_id)
    for list_rows in (annotations_remarks.list_comment_rows, annotations_remarks.list_description_rows):
        written = list_rows()
        while written.items:
            _keep_remarks(written)
            written = list_rows(after=written.items[-1].id)
    with db.write_transaction():
        db.set_statement_timeout(seconds=SWAP_SECONDS)
        set_position(consumer=engine.CONSUMER, seq=seq)
        _swap(Document, RebuiltDocument)
        _swap(Tagged, RebuiltTagged)
        _swap(Described, RebuiltDescribed)
        _swap(Remark, RebuiltRemark)
        _swap(Hold, RebuiltHold)
        _swap(Held, RebuiltHeld)
        if outgoing.is_chosen():
            outgoing.ask_for_build()
    contents.bring_up_to_date()
    return seq


def _keep(rows: Sequence[TreeRow]) -> None:
    with db.write_transaction():
        RebuiltDocument.objects.bulk_create([indexing.describe(_to_document(row)) for row in rows])


def _keep_tags(page: TaggedNodes) -> None:
    rows = [RebuiltTagged(node_id=one.node_id, tag_ids=list(one.tag_ids), seq=page.as_of_seq) for one in page.items]
    with db.write_transaction():
        RebuiltTagged.objects.bulk_create(rows)


def _keep_holds(page: HoldRows) -> None:
    rows = [
        RebuiltHold(policy_id=one.policy_id, tag_id=one.tag_id, is_of_vault=one.is_of_vault, seq=page.as_of_seq)
        for one in page.items
    ]
    with db.write_transaction():
        RebuiltHold.objects.bulk_create(rows)


def _keep_held(page: HeldRows) -> None:
    with db.write_transaction():
        RebuiltHeld.objects.bulk_create(
            RebuiltHeld(node_id=one.node_id, policy_ids=list(one.policy_ids)) for one in page.items
        )


def _keep_metadata(page: DescribedNodes) -> None:
    rows = [
        RebuiltDescribed(
            node_id=one.node_id,
            values=described.write_values([(each.field_id, each.kind, each.value) for each in one.values]),
            seq=page.as_of_seq,
        )
        for one in page.items
    ]
    with db.write_transaction():
        RebuiltDescribed.objects.bulk_create(rows)


def _keep_remarks(page: Remarks) -> None:
    rows = [
        RebuiltRemark(
            remark_id=one.id,
            node_id=one.node_id,
            thread_id=one.thread_id,
            seq=page.as_of_seq,
            text=one.text,
            vector=remarks.write_vector(one.text),
        )
        for one in page.items
    ]
    with db.write_transaction():
        RebuiltRemark.objects.bulk_create(rows)


def _swap(live: Any, rebuilt: Any) -> None:
    """Let the new rows of a table stand for the old ones."""
    live.objects.all().delete()
    facts = rebuilt._meta  # noqa: SLF001 - public in all but name
    names, key = [field.name for field in facts.concrete_fields], facts.pk.name
    last = None
    while True:
        rows = rebuilt.objects.order_by("pk")
        found = list((rows if last is None else rows.filter(pk__gt=last)).values(*names)[:SWAP_BATCH])
        if not found:
            break
        live.objects.bulk_create([live(**row) for row in found])
        last = found[-1][key]
    rebuilt.objects.all().delete()


def _to_document(row: TreeRow) -> RebuiltDocument:
    return RebuiltDocument(
        node_id=row.id,
        parent_id=row.parent_id,
        is_folder=row.kind == "folder",
        name=row.name,
        size_bytes=row.size_bytes,
        media_type=row.media_type or "",
        created_by=row.created_by,
        modified_at=row.modified_at,
        is_trashed=row.is_trashed,
        revision=row.revision,
        content_hash=row.content_hash or "",
        blob_id=row.blob_id,
        locked_until=None if row.lock is None else row.lock.expires_at,
    )
