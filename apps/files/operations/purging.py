"""Deleting for ever, in bounded steps that can be interrupted anywhere.

A purge is marked on its trash row first: from then on nobody sees the node, and nobody can bring it back. Then come batches, children
before their folders, each with its event; the bytes that they free add up on the trash row. When the node itself is gone, the bytes go back
to the quota, and the trash row goes last. Whoever finds such a row later simply goes on: giving back is idempotent by the node's id.
"""

from datetime import datetime
from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from apps.billing import api as billing
from apps.files import access, limits
from apps.files.access import Right
from apps.files.dtos import NodeRef
from apps.files.rows import execute, fetch_all, fetch_one, fetch_page, find_way, require_row
from apps.files.tree import tree_transaction
from bitvault.events.api import publish
from bitvault.events.catalog.files import NodePurged
from bitvault.kernel import db, tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.tasks import for_tenant
from bitvault.web import valkey

logger = structlog.get_logger(__name__)

TASK_NAME = "files.purge_expired_trash"
"""The task that finishes what is marked; named here because it is sent from here."""

# With a team folder that has ended goes what had been thrown away in it before: nobody could take that back any more.
_MARK_ONE = """
UPDATE files_trash SET purging = true, purged_by = %(purged_by)s
WHERE (node_id = %(node_id)s OR root_id = %(node_id)s) AND NOT purging RETURNING node_id
"""

_MARK_ALL = """
UPDATE files_trash SET purging = true, purged_by = %s WHERE node_id IN (
    SELECT node_id FROM files_trash WHERE root_id = %s AND NOT purging ORDER BY trashed_at DESC, node_id DESC LIMIT %s
) RETURNING node_id
"""

_MARK_EXPIRED = """
UPDATE files_trash SET purging = true WHERE node_id IN (
    SELECT node_id FROM files_trash WHERE expires_at <= %s AND NOT purging ORDER BY expires_at LIMIT %s
) RETURNING node_id
"""

_CHILDREN = "SELECT id, child_count FROM files_node WHERE parent_id = %s ORDER BY kind, sort_key, id LIMIT %s"

# Versions, lists of people, nodes, and the counters of folders that stay for the next batch: one fact in several tables, one statement.
_DELETE = """
WITH freed AS (DELETE FROM files_version WHERE node_id = ANY(%(ids)s::uuid[]) RETURNING id, blob_id, size_bytes),
listed AS (DELETE FROM files_team_member WHERE folder_id = ANY(%(ids)s::uuid[])),
settled AS (DELETE FROM files_settled_upload WHERE node_id = ANY(%(ids)s::uuid[])),
gone AS (DELETE FROM files_node WHERE id = ANY(%(ids)s::uuid[]) RETURNING parent_id),
left_behind AS (
    UPDATE files_node SET child_count = child_count - lost.children
    FROM (SELECT parent_id, count(*) AS children FROM gone GROUP BY parent_id) lost
    WHERE files_node.id = lost.parent_id AND files_node.id <> ALL(%(ids)s::uuid[])
),
added AS (
    UPDATE files_trash SET purged_bytes = purged_bytes + (SELECT coalesce(sum(size_bytes), 0) FROM freed) WHERE node_id = %(top_id)s
)
SELECT array(SELECT id FROM freed ORDER BY id), array(SELECT blob_id FROM freed ORDER BY id),
    (SELECT coalesce(sum(size_bytes), 0)::bigint FROM freed)
"""


def mark_one(*, actor: Actor, node_id: UUID) -> list[UUID]:
    """Mark a node in the trash, or an ended team folder with its trash, for purging; returns what was marked."""
    with tree_transaction():
        (root_id,) = require_row(
            fetch_one("SELECT root_id FROM files_trash WHERE node_id = %s AND NOT purging", [node_id])
        )
        way = find_way(root_id, user_id=actor.user_id)
        if root_id == node_id:
            access.require_ended_team_folder(actor, way)
        else:
            access.require_right(actor, way, Right.MANAGE)
        return [one for (one,) in fetch_all(_MARK_ONE, {"purged_by": actor.user_id, "node_id": node_id})]


def mark_all(*, actor: Actor, root: NodeRef) -> list[UUID]:
    """Mark what lies in the trash of a root, at most one batch of it; returns what was marked."""
    with tree_transaction():
        way = find_way(root, user_id=actor.user_id)
        if way is None and root == "root":
            return []
        root_id = access.require_root(access.require_right(actor, way, Right.MANAGE)).node.id
        return [node_id for (node_id,) in fetch_page(_MARK_ALL, [actor.user_id, root_id, limits.EXPIRY_BATCH])]


def mark_expired(*, now: datetime) -> list[UUID]:
    """Mark what is due, at most one batch of it; returns what was marked."""
    with tree_transaction():
        return [node_id for (node_id,) in fetch_page(_MARK_EXPIRED, [now, limits.EXPIRY_BATCH])]


def forget_settled(*, before: datetime) -> int:
    """Forget uploads that ended without a version long ago; returns how many."""
    with db.write_transaction():
        return execute("DELETE FROM files_settled_upload WHERE settled_at < %s", [before])


def list_marked() -> list[UUID]:
    """List purges that are under way or were interrupted, at most one batch of them."""
    with db.read_transaction():
        return [
            node_id
            for (node_id,) in fetch_page(
                "SELECT node_id FROM files_trash WHERE purging ORDER BY node_id LIMIT %s", [limits.EXPIRY_BATCH]
            )
        ]


def purge_or_send(node_ids: list[UUID], *, batches: int) -> None:
    """Purge what a request may do itself, and send a worker for the rest. The message may be lost: the hourly sweep is the promise."""
    if purge_some(node_ids, batches=batches) == len(node_ids):
        return
    try:
        valkey.require_answer()
        current_app.send_task(TASK_NAME, headers=for_tenant(tenancy.current().id), ignore_result=True, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        logger.info("purge_message_lost", error=type(error).__name__)


def purge_some(node_ids: list[UUID], *, batches: int) -> int:
    """Go on with marked purges until they are through or ``batches`` are spent; returns how many are through."""
    done = 0
    for node_id in node_ids:
        through = False
        while not through and batches > 0:
            through = _purge_batch(node_id)
            batches -= 1
        if not through:
            break
        _give_back(node_id)
        done += 1
    return done


def _purge_batch(top_id: UUID) -> bool:
    """Delete one batch of what hangs below a marked node; tells whether the node itself is gone now."""
    with tree_transaction():
        top = fetch_one(
            "SELECT node.child_count, entry.purged_by FROM files_trash entry JOIN files_node node ON node.id = entry.node_id "
            "WHERE entry.node_id = %s AND entry.purging",
            [top_id],
        )
        if top is None:
            return True
        node_ids: list[UUID] = []
        is_last = _gather(top_id, top[0], limits.PURGE_BATCH, node_ids)
        # A commit of content that is just ending holds its row: its version is waited for, and goes too.
        fetch_all("SELECT FROM files_node WHERE id = ANY(%s) FOR UPDATE", [node_ids])
        version_ids, blob_ids, size_bytes = fetch_one(_DELETE, {"ids": node_ids, "top_id": top_id})
        publish(
            NodePurged(
                actor_id=top[1],
                node_id=top_id,
                purged_node_ids=node_ids,
                version_ids=version_ids,
                blob_ids=blob_ids,
                size_bytes=size_bytes,
                is_last=is_last,
            )
        )
    return is_last


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


def _give_back(node_id: UUID) -> None:
    """Give the bytes of a finished purge back to the quota and forget the purge."""
    with db.read_transaction():
        row = fetch_one("SELECT purged_bytes FROM files_trash WHERE node_id = %s AND purging", [node_id])
    if row is None:
        return
    if row[0]:
        billing.refund(cause_id=node_id, size_bytes=row[0])
    with db.write_transaction():
        execute("DELETE FROM files_trash WHERE node_id = %s", [node_id])
