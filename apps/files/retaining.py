"""What legal holds and retention rules forbid: whoever would delete something permanently that is covered is refused here.

A policy names nodes (``files_retained``) or the whole vault; what hangs below a named node is covered. What lies in the trash is covered by
what it lay in, too. Policies are made, purges are marked and places change under the tree lock, so none comes between question and write;
``tests/apps/files/test_retention_writes.py`` knows all functions that delete for ever or change a place.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from apps.files import errors
from apps.files.retention_models import RetainedBy, RetentionPolicy
from apps.files.rows import NodeRow, execute, fetch_all
from apps.files.sql.retention import CARRY, COVERING, COVERING_TRASH
from bitvault.kernel import clock

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
    return [Covering(*row) for row in fetch_all(COVERING, {"ids": list(node_ids)})]


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


def find_kept_moments(rows: Sequence[NodeRow], moments: Collection[datetime]) -> set[datetime]:
    """Tell of which of some moments a hold or a rule keeps the versions of the live node at the lower end of a way."""
    if not moments:
        return set()
    now, covering = clock.now(), list_covering(row.id for row in rows)
    return {moment for moment in moments if any(rule.find_keeper(moment, now) is not None for rule in covering)}


def find_trash_keepers(node_ids: Sequence[UUID], *, is_any_in_force: bool | None = None) -> Mapping[UUID, Keeper]:
    """Tell what keeps things in the trash, tops of what was trashed; what nothing keeps is left out.

    A rule counts from when a file's content last changed. Of a folder it counts from when it was put into the trash: nothing in it
    is newer, and nobody walks through what lies in it.

    :param is_any_in_force: whether the tenant has a policy in force, where that is known.
    """
    if not node_ids:
        return {}
    if is_any_in_force is None:
        is_any_in_force = RetentionPolicy.objects.filter(lifted_at__isnull=True).exists()
    if not is_any_in_force:
        return {}
    now = clock.now()
    found: dict[UUID, list[Keeper | None]] = {}
    for node_id, since, *values in fetch_all(COVERING_TRASH, {"ids": list(node_ids)}):
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
    execute(CARRY, {**values, "by": RetainedBy.MOVED, "now": clock.now()})


def _choose(keepers: Iterable[Keeper | None]) -> Keeper | None:
    """Choose what is told: a hold, else the rule that keeps longest."""
    found = [keeper for keeper in keepers if keeper is not None]
    holds = [keeper for keeper in found if keeper.until is None]
    if holds:
        return holds[0]
    return max(found, key=lambda keeper: keeper.until or clock.now(), default=None)
