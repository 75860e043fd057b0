"""Rebuilding the index from what Files and Annotations hold: beside the live one, page by page, then swapped in one transaction.

Pages come from different instants, all at or after the first page's number. The tail of the stream runs over them from there, and a node
that is known in a higher revision stays as it is, as do tags that are known as of a higher number. Texts belong to contents, which never
change: those that are there stay, and others are asked for.

Each page is kept with how far the rebuild is: one that ended in the middle goes on from there, whoever asks for it next.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.annotations import api as annotations
from apps.annotations.api import metadata as annotations_metadata
from apps.annotations.api import remarks as annotations_remarks
from apps.annotations.dtos import DescribedNodes, Remarks, TaggedNodes
from apps.files import api as files
from apps.files.api import retention
from apps.files.dtos import TreeRow, TreeRows
from apps.files.dtos.retention import HeldRows, HoldRows
from apps.search import contents, described, engine, indexing, outgoing, remarks
from apps.search.models import (
    Described,
    Document,
    Held,
    Hold,
    Rebuild,
    RebuiltDescribed,
    RebuiltDocument,
    RebuiltHeld,
    RebuiltHold,
    RebuiltRemark,
    RebuiltTagged,
    Remark,
    Tagged,
)
from bitvault.events.api import RebuildOvertaken, set_position
from bitvault.jobs.api import report_progress
from bitvault.kernel import clock, db, ids
from bitvault.kernel.pages import PAGE_LIMIT

PAGE = PAGE_LIMIT
"""Rows that are read and kept together."""

SWAP_SECONDS = 600
"""How long the swap may take: it writes every node of the tenant once."""

SWAP_BATCH = 5_000


CONTINUED_FOR = timedelta(days=1)
"""How long after its beginning a rebuild that ended in the middle is continued; the stream has what happened since for much longer."""

REBUILT = (RebuiltDocument, RebuiltTagged, RebuiltDescribed, RebuiltRemark, RebuiltHold, RebuiltHeld)


def rebuild() -> int:
    """Rebuild the entered tenant's index; returns the number from which the stream goes on. What ended in the middle is continued there.

    :raises RebuildOvertaken: another rebuild has begun.
    """
    run = _begin()
    with db.read_transaction():
        total = Document.objects.count()
    for number in range(run.step, len(_STEPS)):
        step = _STEPS[number]
        after = run.after if number == run.step else None
        # The first page of all is kept though it may be empty: the stream goes on from its number.
        while (page := step.read(after)).items or run.seq is None:
            after = getattr(page.items[-1], step.key) if page.items else None
            _keep_page(run, page, step=number, after=after)
            report_progress(run.done_count, max(total, run.done_count))
    seq = _swap_all(run)
    contents.bring_up_to_date()
    return seq


def _begin() -> Rebuild:
    """Begin a rebuild, or take over one that was begun not long ago by the same code."""
    with db.write_transaction():
        Rebuild.objects.bulk_create([Rebuild()], ignore_conflicts=True)
        run = Rebuild.objects.select_for_update().get()
        is_usable = run.run_id is not None and run.begun_at is not None and run.shape == engine.SHAPE
        if not is_usable or clock.now() - run.begun_at > CONTINUED_FOR:  # type: ignore[operator] # it has begun
            db.set_statement_timeout(seconds=SWAP_SECONDS)
            for table in REBUILT:
                table.objects.all().delete()
            run = Rebuild(swap_count=run.swap_count, shape=engine.SHAPE, begun_at=clock.now())
        run.run_id = ids.new_id()
        run.save(force_update=True)
    return run


def _keep_page(run: Rebuild, page: Any, *, step: int, after: UUID | None) -> None:
    """Keep a page, and how far the rebuild is.

    :raises RebuildOvertaken: another one has taken over.
    """
    with db.write_transaction():
        _require_mine(run)
        _STEPS[step].keep(page)
        run.seq = page.as_of_seq if run.seq is None else run.seq
        run.step, run.after = step, after
        run.done_count += len(page.items) if step == 0 else 0
        run.save()


def _require_mine(run: Rebuild) -> None:
    if Rebuild.objects.select_for_update().get().run_id != run.run_id:
        raise RebuildOvertaken


def _swap_all(run: Rebuild) -> int:
    """Let the rebuilt rows stand for the live ones; returns the number from which the stream goes on."""
    with db.write_transaction():
        db.set_statement_timeout(seconds=SWAP_SECONDS)
        _require_mine(run)
        seq = run.seq or 0
        set_position(consumer=engine.CONSUMER, seq=seq)
        _swap(Document, RebuiltDocument)
        _swap(Tagged, RebuiltTagged)
        _swap(Described, RebuiltDescribed)
        _swap(Remark, RebuiltRemark)
        _swap(Hold, RebuiltHold)
        _swap(Held, RebuiltHeld)
        Rebuild(swap_count=run.swap_count + 1).save(force_update=True)
        if outgoing.is_chosen():
            outgoing.ask_for_build(key=f"rebuilt as of {seq}")
    return seq


def _keep_documents(page: TreeRows) -> None:
    RebuiltDocument.objects.bulk_create([indexing.describe(_to_document(row)) for row in page.items])


def _keep_tags(page: TaggedNodes) -> None:
    RebuiltTagged.objects.bulk_create(
        RebuiltTagged(node_id=one.node_id, tag_ids=list(one.tag_ids), seq=page.as_of_seq) for one in page.items
    )


def _list_holds(after: UUID | None) -> HoldRows:
    page = retention.list_hold_rows()
    return replace(page, items=[one for one in page.items if after is None or one.policy_id > after])


def _keep_holds(page: HoldRows) -> None:
    RebuiltHold.objects.bulk_create(
        RebuiltHold(policy_id=one.policy_id, tag_id=one.tag_id, is_of_vault=one.is_of_vault, seq=page.as_of_seq)
        for one in page.items
    )


def _keep_held(page: HeldRows) -> None:
    RebuiltHeld.objects.bulk_create(
        RebuiltHeld(node_id=one.node_id, policy_ids=list(one.policy_ids)) for one in page.items
    )


def _keep_metadata(page: DescribedNodes) -> None:
    RebuiltDescribed.objects.bulk_create(
        RebuiltDescribed(
            node_id=one.node_id,
            values=described.write_values([(each.field_id, each.kind, each.value) for each in one.values]),
            seq=page.as_of_seq,
        )
        for one in page.items
    )


def _keep_remarks(page: Remarks) -> None:
    RebuiltRemark.objects.bulk_create(
        RebuiltRemark(
            remark_id=one.id,
            node_id=one.node_id,
            thread_id=one.thread_id,
            seq=page.as_of_seq,
            text=one.text,
            vector=remarks.write_vector(one.text),
        )
        for one in page.items
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """Rows of one kind, page by page in the order of a key."""

    read: Callable[[UUID | None], Any]
    keep: Callable[[Any], None]
    key: str


_STEPS = (
    _Step(lambda after: files.list_tree_rows(after=after, limit=PAGE), _keep_documents, "id"),
    _Step(lambda after: annotations.list_tagged_rows(after=after, limit=PAGE), _keep_tags, "node_id"),
    _Step(lambda after: annotations_metadata.list_metadata_rows(after=after, limit=PAGE), _keep_metadata, "node_id"),
    _Step(_list_holds, _keep_holds, "policy_id"),
    _Step(lambda after: retention.list_held_rows(after=after, limit=PAGE), _keep_held, "node_id"),
    _Step(lambda after: annotations_remarks.list_comment_rows(after=after, limit=PAGE), _keep_remarks, "id"),
    _Step(lambda after: annotations_remarks.list_description_rows(after=after, limit=PAGE), _keep_remarks, "id"),
)
"""What is read, one after another. A rebuild that is continued counts them: who changes them raises the shape."""


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
