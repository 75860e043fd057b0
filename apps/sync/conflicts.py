"""Conflicts: two edits that met, listed until somebody says what is right.

Settling one is a saga over the doors of files: each step is harmless when it is repeated, and the conflict is closed last.
"""

from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from apps.files import api as files
from apps.sync import dtos, queries, scopes, sql
from apps.sync.errors import ConflictResolved
from apps.sync.models import Conflict, Node
from apps.sync.queries import Found, States
from apps.sync.scopes import Grants, Scopes
from bitvault.events.api import publish
from bitvault.events.catalog import sync as events
from bitvault.kernel import clock, db, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound, PreconditionRequired

_PURPOSE = "sync.conflicts"


class _Open(NamedTuple):
    """A row of the list."""

    node_id: UUID
    original_id: UUID
    made_by: UUID | None
    made_on: str | None
    opened_at: datetime


def list_open(actor: Actor, grants: Grants, *, cursor: str | None, limit: int) -> dtos.ConflictPage:
    """Read a page of the open conflicts that the actor can see, newest first."""
    pages.require_limit(limit)
    purpose = f"{_PURPOSE}:{actor.user_id.hex}"
    before = pages.decode_cursor(purpose, cursor)[0] if cursor is not None else None
    with db.read_transaction(frozen=True):
        as_of_seq, mine = queries.get_feed_seq(), scopes.find(grants)
        parameters = {"scope_ids": list(mine.tops), "before": before, "limit": limit + 1}
        rows = [_Open._make(row) for row in queries.fetch_all(sql.OPEN_CONFLICTS, parameters)]
        states = queries.find_states({node_id for row in rows for node_id in (row.node_id, row.original_id)})
    items = [_to_conflict(row, states, mine) for row in rows[:limit]]
    following = pages.encode_cursor(purpose, [str(items[-1].id)]) if len(rows) > limit else None
    return dtos.ConflictPage(items, following, as_of_seq)


def _to_conflict(row: _Open, states: States, mine: Scopes) -> dtos.Conflict:
    original = states.get(row.original_id)
    return dtos.Conflict(
        id=row.node_id,
        node=_to_node(states[row.node_id], mine),
        original=_to_node(original, mine) if original is not None and mine.find_mask(original.path) else None,
        made_by=row.made_by,
        made_on=row.made_on,
        opened_at=row.opened_at,
    )


def _to_node(found: Found, mine: Scopes) -> dtos.SyncedNode:
    return queries.to_node(found.state, mine.find_mask(found.path), hides_parent=found.state.node_id in mine.tops)


def resolve(actor: Actor, node_id: UUID, grants: Grants, *, keep: dtos.Resolution, seen: dtos.SeenRevisions) -> None:
    """Settle a conflict: both files stay, or the one named, under the name of the original; the other goes into the trash as seen."""
    with db.read_transaction():
        mine = scopes.find(grants)
        conflict = Conflict.objects.filter(pk=node_id).first()
        # The original's name is asked of the replica, for it may lie in the trash after a try that was interrupted.
        states = queries.find_states([node_id])
        name = Node.objects.filter(pk=conflict.original_id).values_list("name", flat=True).first() if conflict else None
    if conflict is not None and (conflict.resolved_by, conflict.resolution) == (actor.user_id, keep):
        return  # by this very request, when its answer was lost
    if conflict is None or node_id not in states or not mine.find_mask(states[node_id].path):
        raise NotFound
    if conflict.resolved_at is not None:
        raise ConflictResolved(resolution=conflict.resolution)
    if keep == "original":
        _trash_as_seen(actor, node_id, seen.copy, conflict.opened_at)
    elif keep == "copy":
        with suppress(NotFound):  # it is in the trash already, or gone
            _trash_as_seen(actor, conflict.original_id, seen.original, conflict.opened_at)
        if name is not None:
            files.update_node(actor=actor, node_id=node_id, name=name, expected_revision="any")
    _close(actor, node_id, conflict.original_id, keep)


def _trash_as_seen(actor: Actor, node_id: UUID, revision: int | None, opened_at: datetime) -> None:
    """Trash the losing file, unless it holds an edit that whoever settles the conflict may not have seen.

    :raises RevisionMismatch: it is not as it was seen.
    :raises PreconditionRequired: it was edited since the conflict arose, and nobody says which revision they have seen.
    """
    if revision is None:
        node = files.get_node(actor=actor, node_id=node_id)
        if node.modified_at > opened_at:
            raise PreconditionRequired("This file has been edited since; say which revision you have seen.")
        revision = node.revision
    files.trash_node(actor=actor, node_id=node_id, expected_revision=revision)


def _close(actor: Actor, node_id: UUID, original_id: UUID, keep: dtos.Resolution) -> None:
    with db.write_transaction():
        still_open = Conflict.objects.filter(pk=node_id, resolved_at__isnull=True)
        if not still_open.update(resolved_at=clock.now(), resolved_by=actor.user_id, resolution=keep):
            raise ConflictResolved
        publish(
            events.ConflictResolved(actor_id=actor.user_id, node_id=node_id, original_id=original_id, resolution=keep)
        )
