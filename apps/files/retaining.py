"""What legal holds and retention rules forbid: whoever would delete something permanently that is covered is refused here.

A policy names nodes (``files_retained``) or the whole vault; what hangs below a named node is covered. What lies in the trash is covered by
what it lay in, too. Policies are made, purges are marked and places change under the tree lock, so none comes between question and write;
``tests/apps/files/test_retention_writes.py`` knows all functions that delete for ever or change a place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from apps.files import errors
from apps.files.retention_models import RetainedBy
from apps.files.rows import NodeRow, execute, fetch_all, fetch_one
from bitvault.kernel import clock

# Policies are few, so each is asked whether it covers; nearly always there is none, and nothing else is read.
_COVERING = """
SELECT policy.id, policy.kind, policy.name, policy.keep_days FROM files_retention policy
WHERE policy.lifted_at IS NULL AND (policy.kind = 'hold' OR policy.keep_days IS NOT NULL) AND (
    policy.target = 'vault'
    OR EXISTS (SELECT FROM files_retained WHERE policy_id = policy.id AND node_id = ANY(%(ids)s::uuid[]))
)
ORDER BY policy.kind, policy.keep_days DESC, policy.id
"""

IS_ANY_IN_FORCE = "EXISTS (SELECT FROM files_retention WHERE lifted_at IS NULL)"

# From all named nodes upwards, as locks below a folder are found: what lies below a folder may be everything. Each folder is passed once
# for a policy.
_COVERING_TRASH = """
WITH RECURSIVE policy AS (
    SELECT id, kind, name, keep_days, target FROM files_retention
    WHERE lifted_at IS NULL AND (kind = 'hold' OR keep_days IS NOT NULL)
),
above AS (
    SELECT retained.policy_id, node.parent_id AS id FROM files_retained retained
    JOIN policy ON policy.id = retained.policy_id JOIN files_node node ON node.id = retained.node_id
    WHERE node.parent_id IS NOT NULL
    UNION
    SELECT above.policy_id, folder.parent_id
    FROM above, LATERAL (SELECT parent_id FROM files_node WHERE files_node.id = above.id LIMIT 1) folder
    WHERE folder.parent_id IS NOT NULL
)
SELECT entry.node_id, CASE WHEN node.kind = 1 THEN node.modified_at ELSE entry.trashed_at END,
    policy.id, policy.kind, policy.name, policy.keep_days
FROM files_trash entry JOIN files_node node ON node.id = entry.node_id CROSS JOIN policy
WHERE entry.node_id = ANY(%(ids)s::uuid[]) AND (
    policy.target = 'vault'
    OR EXISTS (
        SELECT FROM files_retained WHERE policy_id = policy.id
        AND node_id = ANY(ARRAY[entry.node_id, entry.origin_parent_id] || entry.origin_ids)
    )
    OR (node.child_count > 0 AND (policy.id, entry.node_id) IN (SELECT policy_id, id FROM above))
)
"""

# What something lay in: folders above, and from the top of the trash those that it was deleted from.
_CARRY = """
WITH RECURSIVE moved AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(parent_ids)s::uuid[]) AS moved(id, to_id)
    WHERE EXISTS (SELECT FROM files_retained)
),
way AS (
    SELECT moved.id AS start_id, true AS is_old, node.id, node.parent_id
    FROM moved, LATERAL (SELECT id, parent_id FROM files_node WHERE files_node.id = moved.id LIMIT 1) node
    UNION ALL
    SELECT moved.id, false, node.id, node.parent_id
    FROM moved, LATERAL (SELECT id, parent_id FROM files_node WHERE files_node.id = moved.to_id LIMIT 1) node
    UNION ALL
    SELECT way.start_id, way.is_old, above.id, above.parent_id
    FROM way, LATERAL (SELECT id, parent_id FROM files_node WHERE files_node.id = way.parent_id LIMIT 1) above
),
origin AS (
    SELECT way.start_id, lay.id FROM way JOIN files_trash entry ON entry.node_id = way.id,
        unnest(entry.origin_parent_id || entry.origin_ids) AS lay(id)
    WHERE way.is_old
    UNION ALL
    SELECT start_id, id FROM way WHERE is_old
)
INSERT INTO files_retained (policy_id, node_id, by, since)
SELECT DISTINCT retained.policy_id, origin.start_id, %(by)s, %(now)s::timestamptz
FROM origin JOIN files_retained retained ON retained.node_id = origin.id AND retained.node_id <> origin.start_id
JOIN files_retention policy ON policy.id = retained.policy_id AND policy.lifted_at IS NULL
WHERE NOT EXISTS (
    SELECT FROM way JOIN files_retained there ON there.node_id = way.id
    WHERE way.start_id = origin.start_id AND NOT way.is_old AND there.policy_id = retained.policy_id
)
ON CONFLICT DO NOTHING
"""

KeptBy = Literal["hold", "rule"]


@dataclass(frozen=True, slots=True)
class Keeper:
    """Why something cannot be deleted permanently: a hold, or a rule until a moment."""

    policy_id: UUID
    kind: KeptBy
    name: str
    until: datetime | None = None

    def refuse(self, node_id: UUID) -> errors.OnHold | errors.KeptByRule:
        """Make the refusal. It does not tell the name of a hold, which is for who manages them."""
        if self.until is None:
            return errors.OnHold(node_id=node_id, policy_id=self.policy_id)
        return errors.KeptByRule(node_id=node_id, policy_id=self.policy_id, kept_until=self.until)


@dataclass(frozen=True, slots=True)
class Covering:
    """A policy in force that covers a node and keeps something."""

    policy_id: UUID
    kind: KeptBy
    name: str
    keep_days: int | None

    def find_keeper(self, since: datetime, now: datetime) -> Keeper | None:
        """Tell what it keeps of something as old as ``since``; ``None`` where its time is over."""
        if self.kind == "hold" or self.keep_days is None:
            return Keeper(self.policy_id, "hold", self.name)
        until = since + timedelta(days=self.keep_days)
        return Keeper(self.policy_id, "rule", self.name, until) if until > now else None


def list_covering(node_ids: Iterable[UUID]) -> list[Covering]:
    """List the policies that cover a live node, given by itself and all that it lies in: holds first, then the longest rule."""
    return [Covering(*row) for row in fetch_all(_COVERING, {"ids": list(node_ids)})]


def find_keeper(rows: Sequence[NodeRow], since: datetime) -> Keeper | None:
    """Tell what keeps something as old as ``since`` of the live node at the lower end of a way."""
    return _choose(rule.find_keeper(since, clock.now()) for rule in list_covering(row.id for row in rows))


def require_version_free(rows: Sequence[NodeRow], created_at: datetime) -> None:
    """Refuse to delete a version that a hold or a rule keeps; rules count from when it was made.

    :raises OnHold, KeptByRule: one does.
    """
    keeper = find_keeper(rows, created_at)
    if keeper is not None:
        raise keeper.refuse(rows[0].id)


def find_trash_keepers(node_ids: Sequence[UUID], *, is_any_in_force: bool | None = None) -> Mapping[UUID, Keeper]:
    """Tell what keeps things in the trash, tops of what was trashed; what nothing keeps is left out.

    A rule counts from when a file's content last changed. Of a folder it counts from when it was put into the trash: nothing in it
    is newer, and nobody walks through what lies in it.

    :param is_any_in_force: whether the tenant has a policy in force, where that is known.
    """
    if not node_ids:
        return {}
    if is_any_in_force is None:
        is_any_in_force = bool(fetch_one(f"SELECT {IS_ANY_IN_FORCE}", [])[0])
    if not is_any_in_force:
        return {}
    now = clock.now()
    found: dict[UUID, list[Keeper | None]] = {}
    for node_id, since, *values in fetch_all(_COVERING_TRASH, {"ids": list(node_ids)}):
        found.setdefault(node_id, []).append(Covering(*values).find_keeper(since, now))
    chosen = {node_id: _choose(keepers) for node_id, keepers in found.items()}
    return {node_id: keeper for node_id, keeper in chosen.items() if keeper is not None}


def require_trash_free(node_ids: Sequence[UUID]) -> None:
    """Refuse to delete something in the trash permanently that a hold or a rule keeps; call it under the tree lock.

    :raises OnHold, KeptByRule: one keeps one of them.
    """
    for node_id, keeper in find_trash_keepers(node_ids).items():
        raise keeper.refuse(node_id)


def carry(places: Mapping[UUID, UUID]) -> None:
    """Let what leaves a covered folder stay covered; call it under the tree lock, before the places change.

    :param places: the folder that each node goes to.
    """
    values: dict[str, Any] = {"ids": list(places), "parent_ids": list(places.values())}
    execute(_CARRY, {**values, "by": RetainedBy.MOVED, "now": clock.now()})


def _choose(keepers: Iterable[Keeper | None]) -> Keeper | None:
    """Choose what is told: a hold, else the rule that keeps longest."""
    found = [keeper for keeper in keepers if keeper is not None]
    holds = [keeper for keeper in found if keeper.until is None]
    if holds:
        return holds[0]
    return max(found, key=lambda keeper: keeper.until or clock.now(), default=None)
