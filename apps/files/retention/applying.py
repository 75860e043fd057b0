"""Files whose time is over by a rule go into the trash, from where they can come back as long as the trash keeps them.

In batches under the tree lock, each judged again there. What a hold keeps, what another rule keeps longer, and what somebody has locked
stays; the next run looks at it again.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from apps.files import limits, retaining
from apps.files.models import Kind, Node
from apps.files.retention_models import Retained, RetentionPolicy, RetentionTarget
from apps.files.rewinding.writing import Trashed, write
from apps.files.rows import Way, fetch_page, find_ways
from apps.files.sql.retention import BELOW_NAMED
from apps.files.tree import tree_transaction
from bitvault.events.api import publish
from bitvault.events.catalog.files import RetentionApplied
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db

APPLY_JOB = "files.apply_retention"
"""The kind of job that does this for a tenant."""

LIFTED_KEPT = timedelta(days=90)
"""How long what a lifted policy has named can still be seen."""


class ApplyRetention(msgspec.Struct, frozen=True):
    """Put into the trash what rules of the tenant delete by now."""


def request() -> bool:
    """Ask for the job, where the tenant has a rule that deletes, or something of a lifted policy is to be forgotten."""
    with db.read_transaction():
        if not _deleting().exists() and not _long_lifted().exists():
            return False
    with db.write_transaction():
        jobs.enqueue(APPLY_JOB, ApplyRetention(), key="due", by=jobs.SYSTEM)
    return True


def apply(*, report: Callable[[int], None]) -> int:
    """Apply all rules; returns how many files went into the trash. Done again, it goes on with what is left.

    :param report: told how many have gone so far; raises when it is to stop.
    """
    with db.write_transaction():
        Retained.objects.filter(policy_id__in=_long_lifted().values_list("id", flat=True)).delete()
    with db.read_transaction():
        rules = list(_deleting().order_by("id"))
    count = 0
    for rule in rules:
        trashed_count = 0
        for node_ids in _find_due(rule):
            for start in range(0, len(node_ids), limits.RETENTION_BATCH):
                trashed_count += _trash(rule, node_ids[start : start + limits.RETENTION_BATCH])
                report(count + trashed_count)
        count += trashed_count
    return count


def _deleting() -> Any:
    return RetentionPolicy.objects.filter(lifted_at=None, delete_after_days__isnull=False)


def _long_lifted() -> Any:
    lifted = RetentionPolicy.objects.filter(lifted_at__lt=clock.now() - LIFTED_KEPT)
    return lifted.filter(id__in=Retained.objects.values("policy_id"))


def _find_due(rule: RetentionPolicy) -> Iterator[list[UUID]]:
    """List the files that are old enough, page by page, in the order of their ids."""
    after: UUID | None = None
    while True:
        with db.read_transaction():
            page = _list_in_vault(rule, after) if rule.target == RetentionTarget.VAULT else _list_below(rule, after)
        if page:
            yield page
        if len(page) < limits.RETENTION_PAGE:
            return
        after = page[-1]


def _list_in_vault(rule: RetentionPolicy, after: UUID | None) -> list[UUID]:
    old = Node.objects.filter(
        kind=Kind.FILE, trashed_at__isnull=True, lock__isnull=True, modified_at__lt=_due_before(rule)
    )
    behind = old if after is None else old.filter(id__gt=after)
    return list(behind.order_by("id").values_list("id", flat=True)[: limits.RETENTION_PAGE])


def _list_below(rule: RetentionPolicy, after: UUID | None) -> list[UUID]:
    values = {"before": _due_before(rule), "after": after, "limit": limits.RETENTION_PAGE, "policy_id": rule.id}
    return [node_id for (node_id,) in fetch_page(BELOW_NAMED, values)]


def _due_before(rule: RetentionPolicy) -> datetime:
    return clock.now() - timedelta(days=rule.delete_after_days or 0)


def _trash(rule: RetentionPolicy, node_ids: Sequence[UUID]) -> int:
    """Put those of some files into the trash whose time is over; returns how many."""
    with tree_transaction(holds_commits=True):
        row = _deleting().filter(id=rule.id).first()
        if row is None:  # lifted meanwhile
            return 0
        due = [way for way in find_ways(node_ids).values() if _is_due(row, way)]
        if due:
            write(
                trashed=[Trashed(way) for way in due],
                placed=[],
                contents=[],
                user_id=row.made_by,
                now=clock.now(),
            )
            publish(RetentionApplied(actor_id=row.made_by, policy_id=row.id, trashed_count=len(due)))
    return len(due)


def _is_due(rule: RetentionPolicy, way: Way) -> bool:
    """Judge a file again, under the lock: it may have been written, moved, locked, or put on hold."""
    node = way.node
    if not way.is_live or node.lock is not None or node.modified_at >= _due_before(rule):
        return False
    return retaining.find_keeper(way.rows, node.modified_at) is None
