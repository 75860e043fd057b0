"""Holds and rules made, changed and lifted: under the tree lock, so that no purge is marked and nothing moves in between."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import msgspec

from apps.files import access, errors, limits
from apps.files.dtos import retention as dtos
from apps.files.dtos.retention import RetentionKind, RetentionTarget
from apps.files.operations.handing_over import ensure_root
from apps.files.retention import reading
from apps.files.retention_models import Retained as RetainedRow
from apps.files.retention_models import RetainedBy, RetentionPolicy
from apps.files.rows import find_way, require_row
from apps.files.tree import tree_transaction
from bitvault.events.api import publish
from bitvault.events.catalog.files import RetentionChanged, RetentionLifted, RetentionStarted
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, ids
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability

COVER_JOB = "files.cover_tagged"
"""The kind of job that names what has a tag already."""


class CoverTagged(msgspec.Struct, frozen=True):
    """Which policy is to name what has its tag."""

    policy_id: UUID
    tag_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A hold or a rule as somebody wants it."""

    kind: RetentionKind
    name: str
    reason: str
    target: RetentionTarget
    node_id: UUID | None
    user_id: UUID | None
    tag_id: UUID | None
    tag_name: str
    keep_days: int | None
    delete_after_days: int | None
    tells_owner: bool


def make(actor: Actor, wanted: Wanted, *, people: Mapping[UUID, str]) -> dtos.RetentionPolicy:
    """Put something on hold, or make a rule. It covers a folder at once, and what has a tag as soon as a job has been through it.

    :param people: the names of the actor, and of the person whom it is about.
    :raises NotFound: the actor knows of no such folder.
    :raises RetentionUnfit, TooManyPolicies: it cannot be made.
    """
    _require_fit(wanted)
    now = clock.now()
    with tree_transaction() as tx:
        if RetentionPolicy.objects.filter(lifted_at=None).count() >= limits.POLICIES_LIMIT:
            raise errors.TooManyPolicies(limit=limits.POLICIES_LIMIT)
        node_id, owner_id, path = _find_node(actor, wanted)
        row = RetentionPolicy(
            id=ids.new_id(),
            kind=wanted.kind,
            name=wanted.name,
            reason=wanted.reason,
            target=wanted.target,
            node_id=node_id,
            user_id=wanted.user_id if wanted.target == "person" else None,
            tag_id=wanted.tag_id if wanted.target == "tag" else None,
            tag_name=wanted.tag_name if wanted.target == "tag" else "",
            keep_days=wanted.keep_days,
            delete_after_days=wanted.delete_after_days,
            tells_owner=wanted.tells_owner,
            made_by=actor.user_id,
            made_at=now,
            covered_at=None if wanted.target == "tag" else now,
        )
        row.save(force_insert=True)
        if node_id is not None:
            RetainedRow.objects.create(policy_id=row.id, node_id=node_id, by=RetainedBy.NAMED, since=now)
        publish(
            RetentionStarted(
                actor_id=actor.user_id,
                policy_id=row.id,
                kind=wanted.kind,
                name=row.name,
                target=wanted.target,
                node_id=node_id,
                user_id=row.user_id,
                tag_id=row.tag_id,
                keep_days=row.keep_days,
                delete_after_days=row.delete_after_days,
                told_user_id=owner_id if wanted.tells_owner and owner_id != actor.user_id else None,
            )
        )
        if row.tag_id is not None:
            jobs.enqueue(COVER_JOB, CoverTagged(row.id, row.tag_id), key=row.id.hex, by=jobs.SYSTEM)
        return tx.answer(reading.to_policy(row, people, path, 0 if node_id is None else 1))


def change(
    actor: Actor,
    policy_id: UUID,
    *,
    name: str | None,
    reason: str | None,
    keep_days: int | None,
    delete_after_days: int | None,
) -> RetentionPolicy:
    """Give a hold another name or reason, or a rule other lengths; ``None`` leaves each as it is.

    :raises RetentionOver: it has been lifted.
    :raises RetentionUnfit: a hold has no length, or the rule would delete what it keeps.
    """
    with tree_transaction():
        row = _lock(policy_id)
        before = (row.name, row.reason, row.keep_days, row.delete_after_days)
        row.name = row.name if name is None else name
        row.reason = row.reason if reason is None else reason
        row.keep_days = row.keep_days if keep_days is None else keep_days
        row.delete_after_days = row.delete_after_days if delete_after_days is None else delete_after_days
        _require_days(row.kind, row.keep_days, row.delete_after_days)
        if (row.name, row.reason, row.keep_days, row.delete_after_days) != before:
            row.save(update_fields=["name", "reason", "keep_days", "delete_after_days"])
            publish(
                RetentionChanged(
                    actor_id=actor.user_id,
                    policy_id=row.id,
                    kind=row.kind,  # type: ignore[arg-type] # no other is stored
                    name=row.name,
                    keep_days=row.keep_days,
                    delete_after_days=row.delete_after_days,
                )
            )
    return row


def lift(actor: Actor, policy_id: UUID) -> RetentionPolicy:
    """End a hold or a rule; what has been lifted before stays as it is."""
    with tree_transaction():
        row = require_row(RetentionPolicy.objects.select_for_update().filter(id=policy_id).first())
        if row.lifted_at is None:
            row.lifted_at, row.lifted_by = clock.now(), actor.user_id
            row.save(update_fields=["lifted_at", "lifted_by"])
            way = None if row.node_id is None else find_way(row.node_id, actor)
            owner_id = row.user_id or (way.root.owner_user_id if way is not None else None)
            publish(
                RetentionLifted(
                    actor_id=actor.user_id,
                    policy_id=row.id,
                    kind=row.kind,
                    name=row.name,
                    node_id=row.node_id,
                    told_user_id=owner_id if row.tells_owner and owner_id != actor.user_id else None,
                )
            )
    return row  # type: ignore[no-any-return] # require_row gives what it is given


def _find_node(actor: Actor, wanted: Wanted) -> tuple[UUID | None, UUID | None, str]:
    """Find the node that a policy names, whose it is, and where it lies."""
    if wanted.target == "person" and wanted.user_id is not None:
        return ensure_root(wanted.user_id).id, wanted.user_id, ""
    if wanted.target == "folder" and wanted.node_id is not None:
        way = access.require(actor, find_way(wanted.node_id, actor), Capability.VIEW)
        return way.node.id, way.root.owner_user_id, reading.show(actor, way)[1]
    return None, None, ""


def _lock(policy_id: UUID) -> RetentionPolicy:
    row: RetentionPolicy = require_row(RetentionPolicy.objects.select_for_update().filter(id=policy_id).first())
    if row.lifted_at is not None:
        raise errors.RetentionOver
    return row


def _require_fit(wanted: Wanted) -> None:
    named = {"person": wanted.user_id, "folder": wanted.node_id, "tag": wanted.tag_id}
    given = {target for target, one in named.items() if one is not None}
    if given != ({wanted.target} & named.keys()):
        raise errors.RetentionUnfit("Name the person, the folder or the tag that this is about, and nothing else.")
    if not wanted.name:
        raise errors.RetentionUnfit("Give it a name.")
    _require_days(wanted.kind, wanted.keep_days, wanted.delete_after_days)


def _require_days(kind: str, keep_days: int | None, delete_after_days: int | None) -> None:
    if kind == "hold" and (keep_days is not None or delete_after_days is not None):
        raise errors.RetentionUnfit("A legal hold keeps until it is lifted, not for a number of days.")
    if kind == "rule" and keep_days is None and delete_after_days is None:
        raise errors.RetentionUnfit("Say for how many days the rule keeps, after how many it deletes, or both.")
    if keep_days is not None and delete_after_days is not None and delete_after_days < keep_days:
        raise errors.RetentionUnfit("A rule does not delete what it still keeps.")
