"""Which nodes a policy on a tag covers: what has the tag at the beginning, and what gets it later, as the stream tells.

What loses the tag stays covered: nobody gets around a hold by taking a tag away. A rule does not delete it any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.files.retention_models import Retained, RetainedBy, RetentionPolicy, RetentionTarget
from bitvault.kernel import clock, db


def cover(policy_id: UUID, node_ids: Sequence[UUID]) -> None:
    """Name nodes that have the tag; those that are named already stay as they are."""
    with db.write_transaction():
        _name(((policy_id, node_id) for node_id in node_ids), clock.now())


def finish(policy_id: UUID) -> None:
    """Note that all that had the tag at the beginning is named."""
    with db.write_transaction():
        RetentionPolicy.objects.filter(id=policy_id, covered_at=None).update(covered_at=clock.now())


def is_in_force(policy_id: UUID) -> bool:
    """Tell whether a policy has not been lifted yet."""
    with db.read_transaction():
        return RetentionPolicy.objects.filter(id=policy_id, lifted_at=None).exists()


def follow(tags: Mapping[UUID, Iterable[UUID]], *, at: datetime) -> None:
    """Bring what policies name up to the tags that nodes have now, inside the open transaction; again, it changes nothing.

    :param tags: the tags of each node that has got others.
    """
    policies = dict(_in_force().values_list("id", "tag_id")) if tags else {}
    if not policies:
        return
    has = {node_id: set(tag_ids) for node_id, tag_ids in tags.items()}
    wanted = {
        (policy_id, node_id)
        for node_id, tag_ids in has.items()
        for policy_id, tag_id in policies.items()
        if tag_id in tag_ids
    }
    _name(wanted, at)
    rows = Retained.objects.filter(policy_id__in=policies, node_id__in=has, by=RetainedBy.TAG)
    lost = [row for row in rows.filter(left_at=None) if (row.policy_id, row.node_id) not in wanted]
    back = [row for row in rows.exclude(left_at=None) if (row.policy_id, row.node_id) in wanted]
    for row in lost:
        row.left_at = at
    for row in back:
        row.left_at = None
    Retained.objects.bulk_update([*lost, *back], ["left_at"])


def forget_tag(tag_ids: Sequence[UUID], *, at: datetime) -> None:
    """Note that tags are gone, inside the open transaction: what had them stays kept."""
    policy_ids = list(_in_force().filter(tag_id__in=tag_ids).values_list("id", flat=True)) if tag_ids else []
    if policy_ids:
        Retained.objects.filter(policy_id__in=policy_ids, by=RetainedBy.TAG, left_at=None).update(left_at=at)


def rename_tag(tag_id: UUID, name: str) -> None:
    """Note what a tag is called now, inside the open transaction."""
    _in_force().filter(tag_id=tag_id).exclude(tag_name=name).update(tag_name=name)


def _in_force() -> QuerySet[RetentionPolicy]:
    return RetentionPolicy.objects.filter(target=RetentionTarget.TAG, lifted_at=None)


def _name(pairs: Iterable[tuple[UUID, UUID]], at: datetime) -> None:
    rows = [
        Retained(policy_id=policy_id, node_id=node_id, by=RetainedBy.TAG, since=at)
        for policy_id, node_id in sorted(pairs)
    ]
    Retained.objects.bulk_create(rows, ignore_conflicts=True)
