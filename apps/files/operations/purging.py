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

from apps.billing import api as billing
from apps.files import access, limits, models, retaining
from apps.files.dtos import NodeRef
from apps.files.rows import execute, fetch_all, fetch_one, fetch_page, find_way, require_row
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


# With a team folder that has ended goes what had been thrown away in it before: nobody could take that back any more.
_WITH_ITS_TRASH = (
    "SELECT node_id FROM files_trash WHERE (node_id = %(node_id)s OR root_id = %(node_id)s) AND NOT purging"
)

_MARK = """
UPDATE files_trash SET purging = true, purged_by = %s, postponed_until = NULL WHERE node_id = ANY(%s::uuid[])
"""

_IN_TRASH_OF = """
SELECT node_id, trashed_at FROM files_trash WHERE root_id = %(root_id)s AND NOT purging
    AND (%(before_id)s::uuid IS NULL OR (trashed_at, node_id) < (%(before)s::timestamptz, %(before_id)s::uuid))
ORDER BY trashed_at DESC, node_id DESC LIMIT %(limit)s
"""

_EXPIRED = """
SELECT node_id FROM files_trash
WHERE expires_at <= %(now)s AND NOT purging AND (postponed_until IS NULL OR postponed_until <= %(now)s)
ORDER BY expires_at LIMIT %(limit)s
"""

_POSTPONE = "UPDATE files_trash SET postponed_until = %s WHERE node_id = ANY(%s::uuid[])"

_IS_ANYTHING_DUE = """
SELECT EXISTS (SELECT FROM files_trash WHERE purging AND (postponed_until IS NULL OR postponed_until <= %(now)s))
    OR EXISTS (
        SELECT FROM files_trash
        WHERE expires_at <= %(now)s AND NOT purging AND (postponed_until IS NULL OR postponed_until <= %(now)s)
    )
    OR EXISTS (SELECT FROM files_refund)
    OR EXISTS (SELECT FROM files_settled_upload WHERE settled_at < %(settled_before)s)
"""

_CHILDREN = "SELECT id, child_count FROM files_node WHERE parent_id = %s ORDER BY kind, sort_key, id LIMIT %s"

# A node that is gone though its row is here was purged by older code, which gave its bytes back at the end.
_MARKED = """
SELECT entry.node_id, node.child_count, entry.purged_by, entry.purged_bytes
FROM files_trash entry LEFT JOIN files_node node ON node.id = entry.node_id
WHERE entry.purging AND (entry.postponed_until IS NULL OR entry.postponed_until <= %(now)s)
    AND (%(only)s::uuid[] IS NULL OR entry.node_id = ANY(%(only)s::uuid[]))
ORDER BY entry.node_id LIMIT %(limit)s
"""

# Versions, nodes, and the counters of folders that stay for the next batch: one fact in several tables, one statement.
_DELETE = """
WITH freed AS (DELETE FROM files_version WHERE node_id = ANY(%(ids)s::uuid[]) RETURNING node_id, id, blob_id, size_bytes),
settled AS (DELETE FROM files_settled_upload WHERE node_id = ANY(%(ids)s::uuid[])),
displaced AS (DELETE FROM files_displaced WHERE node_id = ANY(%(ids)s::uuid[])),
named AS (DELETE FROM files_retained WHERE node_id = ANY(%(ids)s::uuid[])),
gone AS (DELETE FROM files_node WHERE id = ANY(%(ids)s::uuid[]) RETURNING parent_id),
left_behind AS (
    UPDATE files_node SET child_count = child_count - lost.children
    FROM (SELECT parent_id, count(*) AS children FROM gone GROUP BY parent_id) lost
    WHERE files_node.id = lost.parent_id AND files_node.id <> ALL(%(ids)s::uuid[])
)
SELECT node_id, id, blob_id, size_bytes FROM freed ORDER BY id
"""


class _Marked(NamedTuple):
    """A purge that is under way, in the order of ``_MARKED``; ``child_count`` is ``None`` when the node is gone."""

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
        (root_id,) = require_row(
            fetch_one("SELECT root_id FROM files_trash WHERE node_id = %s AND NOT purging", [node_id])
        )
        way = find_way(root_id, actor)
        if root_id == node_id:
            access.require_ended_team_folder(actor, way)
        else:
            access.require(actor, way, Capability.MANAGE)
        marked = [one for (one,) in fetch_all(_WITH_ITS_TRASH, {"node_id": node_id})]
        retaining.require_trash_free(marked)
        execute(_MARK, [actor.user_id, marked])
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
        before, before_id = after.last if after is not None else (None, None)
        values = {"root_id": root_id, "before": before, "before_id": before_id, "limit": limits.EXPIRY_BATCH}
        rows = fetch_page(_IN_TRASH_OF, values)
        if not rows:
            return None
        marked, kept = _mark_free([node_id for node_id, _ in rows], actor.user_id)
        return Looked(marked, len(kept), (rows[-1][1], rows[-1][0]))


def mark_expired(*, now: datetime) -> int:
    """Mark what is due, at most one batch of it; what a hold or a rule keeps is looked at again later. Returns how many were due."""
    with tree_transaction():
        due = [node_id for (node_id,) in fetch_page(_EXPIRED, {"now": now, "limit": limits.EXPIRY_BATCH})]
        _, kept = _mark_free(due, None)
        if kept:
            execute(_POSTPONE, [now + limits.KEPT_POSTPONED, kept])
        return len(due)


def _mark_free(node_ids: list[UUID], by: UUID | None) -> tuple[list[UUID], list[UUID]]:
    """Mark those of some entries that nothing keeps, inside the open transaction; returns what was marked, and what is kept."""
    keepers = retaining.find_trash_keepers(node_ids)
    marked = [node_id for node_id in node_ids if node_id not in keepers]
    if marked:
        execute(_MARK, [by, marked])
    return marked, list(keepers)


def forget_settled(*, before: datetime) -> int:
    """Forget uploads that ended without a version long ago; returns how many."""
    with db.write_transaction():
        return execute("DELETE FROM files_settled_upload WHERE settled_at < %s", [before])


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
        due = {"now": now, "settled_before": now - limits.SETTLED_RETENTION}
        return bool(require_row(fetch_one(_IS_ANYTHING_DUE, due))[0])


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
                execute(
                    "UPDATE files_trash SET postponed_until = %s WHERE node_id = %s",
                    [clock.now() + limits.PURGE_POSTPONED, top.node_id],
                )
    return Progress(through_count, not marked)


def _list_marked(only: list[UUID] | None, limit: int) -> list[_Marked]:
    rows = fetch_page(_MARKED, {"only": only, "now": clock.now(), "limit": limit})
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
        fetch_all("SELECT FROM files_node WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [node_ids])
        freed: dict[UUID, list[tuple[UUID, UUID, int]]] = {}
        for node_id, *version in fetch_all(_DELETE, {"ids": node_ids}):
            freed.setdefault(node_id, []).append((version[0], version[1], version[2]))
        for part in parts:
            publish(_tell(part, [version for node_id in part.node_ids for version in freed.get(node_id, ())]))
        through = [top for top in marked if top.child_count is None] + [part.top for part in parts if part.is_last]
        execute("DELETE FROM files_trash WHERE node_id = ANY(%s)", [[top.node_id for top in through]])
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
        children = fetch_page(_CHILDREN, [node_id, left])
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
        refunds = fetch_page("SELECT id, size_bytes FROM files_refund ORDER BY id LIMIT %s", [limits.EXPIRY_BATCH])
    for refund_id, size_bytes in refunds:
        try:
            billing.refund(cause_id=refund_id, size_bytes=size_bytes)
        except Exception:
            logger.exception("refund_failed", refund_id=str(refund_id))
            continue
        with db.write_transaction():
            execute("DELETE FROM files_refund WHERE id = %s", [refund_id])
