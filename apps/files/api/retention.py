"""The doors of legal holds and retention rules."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from apps.files.dtos.retention import (
    HeldRows,
    HoldRows,
    RetainedNode,
    Retention,
    RetentionKind,
    RetentionPolicy,
    RetentionTarget,
)
from apps.files.retention import applying, covering, making, reading
from apps.files.retention.making import COVER_JOB, CoverTagged
from apps.identity import api as identity
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT, Page
from bitvault.kernel.permissions import Permission

__all__ = [
    "COVER_JOB",
    "CoverTagged",
    "change_policy",
    "cover_tagged",
    "finish_covering",
    "get_policy",
    "is_anything_on_hold",
    "is_policy_in_force",
    "lift_policy",
    "list_held_rows",
    "list_hold_rows",
    "list_policies",
    "list_retained",
    "list_retention",
    "make_policy",
    "request_retention",
]


class NamedTag(Protocol):
    """A tag as a caller has read it."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def name(self) -> str:
        """What it is called."""


@exposed
def make_policy(
    *,
    actor: Actor,
    kind: RetentionKind,
    name: str,
    target: RetentionTarget,
    node_id: UUID | None = None,
    user_id: UUID | None = None,
    tag: NamedTag | None = None,
    reason: str = "",
    keep_days: int | None = None,
    delete_after_days: int | None = None,
    tells_owner: bool = False,
) -> RetentionPolicy:
    """Put something on legal hold, or make a retention rule; for who manages retention.

    Nothing under a hold is deleted permanently before it is lifted: no version, nothing in the trash, whoever asks, schedules and
    jobs included. People still put things into the trash. A rule keeps a file for ``keep_days`` after its content last changed, and each
    version for as long after it was made; ``delete_after_days`` after its content last changed a file goes into the trash.

    :param tag: the tag, which the caller has read.
    :param tells_owner: whether who owns the folder is told, of the end as well.
    :raises NotFound: the actor knows of no such folder, or the vault has no such member.
    :raises RetentionUnfit: it is about nothing or about several things, or its days do not fit.
    :raises TooManyPolicies: the tenant has as many as there can be.
    """
    _require_manager(actor)
    if user_id is not None and not identity.find_members(tenant=actor.tenant, user_ids={user_id}):
        raise NotFound
    wanted = making.Wanted(
        kind=kind,
        name=name.strip(),
        reason=reason.strip(),
        target=target,
        node_id=node_id,
        user_id=user_id,
        tag_id=None if tag is None else tag.id,
        tag_name="" if tag is None else tag.name,
        keep_days=keep_days,
        delete_after_days=delete_after_days,
        tells_owner=tells_owner,
    )
    about = {actor.user_id} if user_id is None else {actor.user_id, user_id}
    return making.make(actor, wanted, people=identity.name_people(tenant=actor.tenant, user_ids=about))


@exposed
def change_policy(
    *,
    actor: Actor,
    policy_id: UUID,
    name: str | None = None,
    reason: str | None = None,
    keep_days: int | None = None,
    delete_after_days: int | None = None,
) -> RetentionPolicy:
    """Give a hold another name or reason, or a rule other lengths; what is not given stays.

    :raises NotFound: there is none.
    :raises RetentionOver: it has been lifted.
    :raises RetentionUnfit: the name is empty, or the days do not fit.
    """
    _require_manager(actor)
    row = making.change(
        actor,
        policy_id,
        name=None if name is None else name.strip(),
        reason=None if reason is None else reason.strip(),
        keep_days=keep_days,
        delete_after_days=delete_after_days,
    )
    return reading.describe(actor, [row])[0]


@exposed
def lift_policy(*, actor: Actor, policy_id: UUID) -> RetentionPolicy:
    """End a hold or a rule. Repeatable: one that has ended stays as it is.

    What was due in the trash meanwhile is deleted within a day.

    :raises NotFound: there is none.
    """
    _require_manager(actor)
    return reading.describe(actor, [making.lift(actor, policy_id)])[0]


@exposed
def list_policies(
    *, actor: Actor, lifted: bool = False, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[RetentionPolicy]:
    """Read a page of the holds and rules in force, or of those that have been lifted, newest first."""
    _require_manager(actor)
    return reading.list_policies(actor, lifted=lifted, limit=limit, cursor=cursor)


@exposed
def get_policy(*, actor: Actor, policy_id: UUID) -> RetentionPolicy:
    """Read one.

    :raises NotFound: there is none.
    """
    _require_manager(actor)
    return reading.get_policy(actor, policy_id)


@exposed
def list_retained(
    *, actor: Actor, policy_id: UUID, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[RetainedNode]:
    """Read a page of the nodes that a policy names; with each of them all below it is covered.

    :raises NotFound: there is none.
    """
    _require_manager(actor)
    return reading.list_nodes(actor, policy_id, limit=limit, cursor=cursor)


@exposed
def list_retention(*, actor: Actor, node_id: UUID) -> list[Retention]:
    """List the holds and rules that cover a live node, for who may view it; names of holds for who manages retention alone."""
    actor.require_scope(Scope.FILES_READ)
    return reading.list_of_node(actor, node_id)


@exposed
def is_policy_in_force(*, policy_id: UUID) -> bool:
    """Tell whether a policy has not been lifted."""
    return covering.is_in_force(policy_id)


@exposed
def cover_tagged(*, policy_id: UUID, node_ids: Sequence[UUID]) -> None:
    """Name nodes that have the tag of a policy. Repeatable."""
    covering.cover(policy_id, node_ids)


@exposed
def finish_covering(*, policy_id: UUID) -> None:
    """Note that all that had the tag when the policy was made is named. Repeatable."""
    covering.finish(policy_id)


@exposed
def request_retention() -> bool:
    """Ask for the job that puts into the trash what rules of the entered tenant delete, if there is one; tells whether it did."""
    return applying.request()


@exposed
def is_anything_on_hold() -> bool:
    """Tell whether anything in the entered tenant is on legal hold."""
    return reading.is_any_hold()


@exposed
def list_hold_rows() -> HoldRows:
    """List the legal holds in force in the entered tenant, for a derivation that is made anew."""
    return reading.list_hold_rows()


@exposed
def list_held_rows(*, after: UUID | None = None, limit: int = PAGE_LIMIT) -> HeldRows:
    """Read the nodes that legal holds in force name, in the order of their ids, for a derivation that is made anew."""
    return reading.list_held_rows(after=after, limit=limit)


def _require_manager(actor: Actor) -> None:
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(Permission.MANAGE_RETENTION)
