"""Deleting permanently, in bounded steps that can be interrupted anywhere.

A purge is marked on its trash row first: from then on nobody sees the node, and nobody can bring it back. Then come batches of what is
marked, children before their folders, with an event for each of the purges that a batch goes on with. What a batch frees is written down
with it and goes back to the quota right after, whatever is left; giving back is idempotent by the id that is written down. Whoever finds
marked rows or such notes later simply goes on. A purge that fails waits for an hour and keeps no other waiting.
"""

import math
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
import structlog
from django.db.models import Q, QuerySet

from apps.billing import api as billing
from apps.files import access, limits, models, retaining
from apps.files.dtos import NodeRef
from apps.files.rows import fetch_all, fetch_page, find_way, require_row
from apps.files.sql.trash import DELETE, MARKED
from apps.files.tree import tree_transaction
from bitvault.events.api import publish
from bitvault.events.catalog.files import NodePurged
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability

logger = structlog.get_logger(__name__)

PURGE_JOB = "files.purge"


class Purge(msgspec.Struct, frozen=True):
    """Delete what is due in the trash of the tenant, and finish purges that were begun."""


_ENTRIES = models.Trash.objects.filter(purging=False)
"""What can still be taken back."""


class _Marked(NamedTuple):
    """A purge that is under way, in the order of ``MARKED``; ``child_count`` is ``None`` when the node is gone."""

    node_id: UUID
    child_count: int | None
    purged_by: UUID | None
    purged_bytes: int


class Progress(NamedTuple):
    """How many purges are through, and whether nothing is left to do now."""

    through_count: int
    is_done: bool


class Looked(NamedTuple):
    """What a batch of a trash that is emptied came to: what was marked, how many are kept, and time and id of the last."""

    marked: list[UUID]
    kept_count: int
    last: tuple[datetime, UUID]


class _Part(NamedTuple):
    """What a batch deletes of one purge."""

    top: _Marked
    node_ids: list[UUID]
    is_last: bool


def mark_one(*, actor: Actor, node_id: UUID) -> list[UUID]:
    """Mark a node in the trash, or an ended team folder with its trash, for purging; returns what was marked."""
    with tree_transaction():
        root_id = require_row(_ENTRIES.filter(node_id=node_id).values_list("root_id", flat=True).first())
        way = find_way(root_id, actor)
        if root_id == node_id:
            access.require_ended_team_folder(actor, way)
        else:
            access.require(actor, way, Capability.MANAGE)
        # With a team folder that has ended goes what had been thrown away in it before: nobody could take that back any more.
        marked = list(_ENTRIES.filter(Q(node_id=node_id) | Q(root_id=node_id)).values_list("node_id", flat=True))
        retaining.require_trash_free(marked)
        _mark(marked, actor.user_id)
        return marked


def mark_all(*, actor: Actor, root: NodeRef, after: Looked | None = None) -> Looked | None:
    """Mark what lies in the trash of a root, at most one batch of it, but for what a hold or a rule keeps.

    :param after: what the batch before came to. Returns what this one has; ``None`` where nothing is left to look at.
    """
    with tree_transaction():
        way = find_way(root, actor)
        if way is None and root == "root":
            return None
        root_id = access.require_root(access.require(actor, way, Capability.MANAGE)).node.id
        entries = _ENTRIES.filter(root_id=root_id)
        if after is not None:
            trashed_at, last_id = after.last
            behind = Q(trashed_at__lt=trashed_at) | Q(trashed_at=trashed_at, node_id__lt=last_id)
            entries = entries.filter(behind, trashed_at__lte=trashed_at)
        found = list(
            entries.order_by("-trashed_at", "-node_id").values_list("trashed_at", "node_id")[: limits.EXPIRY_BATCH]
        )
        if not found:
            return None
        marked, kept = _mark_free([node_id for _, node_id in found], actor.user_id)
        return Looked(marked, len(kept), found[-1])


def mark_expired(*, now: datetime) -> int:
    """Mark what is due, at most one batch of it; what a hold or a rule keeps is looked at again later. Returns how many were due."""
    with tree_transaction():
        due = list(_find_expired(now).order_by("expires_at").values_list("node_id", flat=True)[: limits.EXPIRY_BATCH])
        _, kept = _mark_free(due, None)
        _postpone(kept, now + limits.KEPT_POSTPONED)
        return len(due)


def _find_expired(now: datetime) -> QuerySet[models.Trash]:
    return _ENTRIES.filter(_may_be_tried(now), expires_at__lte=now)


def _may_be_tried(now: datetime) -> Q:
    return Q(postponed_until__isnull=True) | Q(postponed_until__lte=now)


def _mark(node_ids: Sequence[UUID], by: UUID | None) -> None:
    models.Trash.objects.filter(node_id__in=node_ids).update(purging=True, purged_by=by, postponed_until=None)


def _postpone(node_ids: Sequence[UUID], until: datetime) -> None:
    models.Trash.objects.filter(node_id__in=node_ids).update(postponed_until=until)


def _mark_free(node_ids: list[UUID], by: UUID | None) -> tuple[list[UUID], list[UUID]]:
    """Mark those of some entries that nothing keeps, inside the open transaction; returns what was marked, and what is kept."""
    keepers = retaining.find_trash_keepers(node_ids)
    marked = [node_id for node_id in node_ids if node_id not in keepers]
    _mark(marked, by)
    return marked, list(keepers)


def forget_settled(*, before: datetime) -> int:
    """Forget uploads that ended without a version long ago; returns how many."""
    with db.write_transaction():
        count, _ = models.SettledUpload.objects.filter(settled_at__lt=before).delete()
        return count


def purge_or_send(node_ids: list[UUID], *, batches: int) -> None:
    """Purge what a request may do itself, and leave the rest to a job. Should a crash come between, the hourly look asks for it."""
    if not purge(only=node_ids, batches=batches, seconds=limits.PURGE_SECONDS_AT_ONCE).is_done:
        request_purge(key=node_ids[0].hex)


def request_purge(*, key: str) -> None:
    """Ask for a job that deletes what is due in the entered tenant.

    :param key: what makes it due. A job that runs may have looked already, so each purge that is begun asks for one of its own.
    """
    with db.write_transaction():
        jobs.enqueue(PURGE_JOB, Purge(), key=key, by=jobs.SYSTEM)


def is_anything_due(*, now: datetime) -> bool:
    """Tell whether a job would find something to delete, to finish or to give back."""
    with db.read_transaction():
        return (
            models.Trash.objects.filter(_may_be_tried(now), purging=True).exists()
            or _find_expired(now).exists()
            or models.Refund.objects.exists()
            or models.SettledUpload.objects.filter(settled_at__lt=now - limits.SETTLED_RETENTION).exists()
        )


def purge(
    *, only: list[UUID] | None = None, batches: int | None = None, seconds: float = math.inf, done_count: int = 0
) -> Progress:
    """Go on with marked purges (``only`` these) batch after batch, and give back what each frees; a job reports each batch.

    :param done_count: purges that the job has finished before.
    """
    deadline = time.monotonic() + seconds
    through_count, is_done = 0, False
    while not is_done and batches != 0 and time.monotonic() < deadline:
        try:
            progress = _purge_batch(only)
        except Exception:
            logger.exception("purge_batch_failed")
            progress = _purge_one_by_one(only, deadline)
        give_back()
        through_count, is_done = through_count + progress.through_count, progress.is_done
        batches = None if batches is None else batches - 1
        jobs.report_progress(done_count + through_count)
    return Progress(through_count, is_done)


def _purge_one_by_one(only: list[UUID] | None, deadline: float) -> Progress:
    """Go on with each purge by itself, and let those wait that fail."""
    with db.read_transaction():
        marked = _list_marked(only, limits.PURGE_BATCH)
    through_count = 0
    for top in marked:
        if time.monotonic() >= deadline:
            break
        try:
            through_count += _purge_batch([top.node_id]).through_count
        except Exception:
            logger.exception("purge_failed", node_id=str(top.node_id))
            with db.write_transaction():
                _postpone([top.node_id], clock.now() + limits.PURGE_POSTPONED)
    return Progress(through_count, not marked)


def _list_marked(only: list[UUID] | None, limit: int) -> list[_Marked]:
    rows = fetch_page(MARKED, {"only": only, "now": clock.now(), "limit": limit})
    return [_Marked._make(row) for row in rows]


def _purge_batch(only: list[UUID] | None) -> Progress:
    """Delete one batch of what is marked: whole small purges, and a part of a large one."""
    with tree_transaction():
        marked = _list_marked(only, limits.PURGE_BATCH)
        if not marked:
            return Progress(0, is_done=True)
        parts = _gather_parts([top for top in marked if top.child_count is not None])
        node_ids = [node_id for part in parts for node_id in part.node_ids]
        # A commit of content that is just ending holds its row: its version is waited for, and goes too.
        list(models.Node.objects.filter(id__in=node_ids).order_by("id").select_for_update().values_list("id"))
        freed: dict[UUID, list[tuple[UUID, UUID, int]]] = {}
        for node_id, *version in fetch_all(DELETE, {"ids": node_ids}):
            freed.setdefault(node_id, []).append((version[0], version[1], version[2]))
        for part in parts:
            publish(_tell(part, [version for node_id in part.node_ids for version in freed.get(node_id, ())]))
        through = [top for top in marked if top.child_count is None] + [part.top for part in parts if part.is_last]
        models.Trash.objects.filter(node_id__in=[top.node_id for top in through]).delete()
        refunds = {top.node_id: top.purged_bytes for top in through if top.purged_bytes}
        size_bytes = sum(version[2] for versions in freed.values() for version in versions)
        if size_bytes:
            refunds[ids.new_id()] = size_bytes
        note_refunds(refunds)
    return Progress(len(through), len(through) == len(marked) < limits.PURGE_BATCH)


def _gather_parts(tops: Sequence[_Marked]) -> list[_Part]:
    """Choose what one batch deletes."""
    parts, room = [], limits.PURGE_BATCH
    for top in tops:
        node_ids: list[UUID] = []
        is_last = _gather(top.node_id, top.child_count or 0, room, node_ids)
        if node_ids:
            parts.append(_Part(top, node_ids, is_last))
        room -= len(node_ids)
        if room == 0:
            break
    return parts


def _tell(part: _Part, versions: list[tuple[UUID, UUID, int]]) -> NodePurged:
    versions = sorted(versions)
    return NodePurged(
        actor_id=part.top.purged_by,
        node_id=part.top.node_id,
        purged_node_ids=part.node_ids,
        version_ids=[version_id for version_id, _, _ in versions],
        blob_ids=[blob_id for _, blob_id, _ in versions],
        size_bytes=sum(size_bytes for _, _, size_bytes in versions),
        is_last=part.is_last,
    )


def _gather(node_id: UUID, child_count: int, room: int, gathered: list[UUID]) -> bool:
    """Gather a node and all below it, children first, up to ``room`` nodes in all; tells whether it is complete."""
    if child_count:
        left = room - len(gathered)
        ordered = models.Node.objects.filter(parent_id=node_id).order_by("kind", "sort_key", "id")
        children = list(ordered.values_list("id", "child_count")[:left])
        for child_id, grandchild_count in children:
            if not _gather(child_id, grandchild_count, room, gathered):
                return False
        if len(children) == left:
            return False
    if len(gathered) == room:
        return False
    gathered.append(node_id)
    return True


def note_refunds(refunds: Mapping[UUID, int]) -> None:
    """Write down bytes that are to go back to the quota, by the id under which they do, inside the open transaction."""
    models.Refund.objects.bulk_create(
        [models.Refund(id=key, size_bytes=size_bytes) for key, size_bytes in refunds.items()], ignore_conflicts=True
    )


def give_back() -> None:
    """Give what purges have freed back to the quota; what fails stays written down for the next."""
    with db.read_transaction():
        refunds = list(models.Refund.objects.order_by("id")[: limits.EXPIRY_BATCH])
    for one in refunds:
        try:
            billing.refund(cause_id=one.id, size_bytes=one.size_bytes)
        except Exception:
            logger.exception("refund_failed", refund_id=str(one.id))
            continue
        with db.write_transaction():
            one.delete()
