"""The door of billing: room for uploads, and what is left of it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from apps.billing import (
    operations,
    queries,
    quotas,
    rebuilding,
    recounting,
    scopes,
    stated,
    statement_files,
    statement_wording,
)
from apps.billing.dtos import (
    MeteredNode,
    Plan,
    Quota,
    Recount,
    Statement,
    StatementDetail,
    StatementWords,
    Usage,
    UsageHistory,
)
from apps.billing.errors import RangeTooLong
from apps.billing.flags import USAGE_PAGE
from apps.billing.metering import CONSUMER
from bitvault.events.api import get_position
from bitvault.kernel.actor import Actor
from bitvault.kernel.boundary import exposed
from bitvault.kernel.errors import BitVaultError
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.permissions import Permission

__all__ = [
    "CONSUMER",
    "correct_usage",
    "explain_refusal",
    "find_given_room",
    "finish_rebuild",
    "get_quota",
    "get_statement",
    "get_usage",
    "has_limited_roots",
    "keep_rebuilt",
    "list_all_plans",
    "list_limited_scopes",
    "list_plans",
    "list_quotas",
    "list_reachable_limits",
    "list_scope_quotas",
    "list_statements",
    "list_statements_for_operators",
    "list_usage_history",
    "refund",
    "release",
    "release_many",
    "reserve",
    "reserve_many",
    "set_own_limit",
    "set_quota",
    "set_scope_limit",
    "settle",
    "settle_many",
    "shows_usage",
    "start_rebuild",
    "word_statement",
    "write_statement",
]

HISTORY_LIMIT_DAYS = 366
"""Days of one answer: a year, in at most some thousand rows."""


@exposed
def reserve(
    *,
    actor: Actor | None,
    upload_id: UUID,
    size_bytes: int,
    expires_at: datetime,
    again: bool = False,
    is_file: bool = False,
    root_id: UUID | None = None,
) -> None:
    """Promise room to an upload, or to a copy, until ``expires_at``.

    :param actor: who wants it; ``None`` where a job goes on with what somebody wanted.
    :param again: whether it may have been promised before; then that holds.
    :param is_file: whether it is for one file, whose size a plan may limit.
    :param root_id: where the tree begins that it adds to: a member's or a team folder's limit may hold there.

    :raises QuotaExceeded: there is not as much left.
    :raises FileOverLimit: the plan allows no file of this size.
    """
    operations.reserve(
        upload_id=upload_id,
        size_bytes=size_bytes,
        expires_at=expires_at,
        again=again,
        is_file=is_file,
        root_id=root_id,
        by=actor,
    )


@exposed
def settle(*, upload_id: UUID, size_bytes: int) -> None:
    """Charge what an upload added (0 when it made no version) and end its reservation, whatever became of that. Can be repeated."""
    operations.settle(upload_id=upload_id, size_bytes=size_bytes)


@exposed
def release(*, upload_id: UUID) -> None:
    """Take back the promise to an upload that is given up. Can be repeated."""
    operations.release_many(upload_ids=[upload_id])


@exposed
def reserve_many(
    *, actor: Actor, sizes: Mapping[UUID, int], expires_at: datetime, roots: Mapping[UUID, UUID] | None = None
) -> frozenset[UUID]:
    """Promise room (in bytes, by upload) to uploads of a file each, in their order to those that find it; returns which did.

    :param roots: where the trees begin that they add to, by upload.
    """
    return operations.reserve_many(sizes=sizes, expires_at=expires_at, roots=roots or {})


@exposed
def settle_many(*, sizes: Mapping[UUID, int]) -> None:
    """Charge what each of several uploads added (0 when it made no version) and end its reservation. Can be repeated."""
    operations.settle_many(sizes=sizes)


@exposed
def release_many(*, upload_ids: Collection[UUID]) -> None:
    """Take back the promises to uploads that are given up. Can be repeated."""
    operations.release_many(upload_ids=upload_ids)


@exposed
def refund(*, cause_id: UUID, size_bytes: int) -> None:
    """Give room back for versions that are gone for ever; once for each ``cause_id``."""
    operations.refund(cause_id=cause_id, size_bytes=size_bytes)


@exposed
def get_quota(*, actor: Actor | None = None) -> Quota:
    """Tell how much room the tenant has and uses: to an actor, or to a job of the entered tenant."""
    return queries.get_quota()


@exposed
def list_quotas(*, actor: Actor) -> Page[Quota]:
    """List the room of every scope that the actor's files count in: the tenant's, and their own where that is limited."""
    own = scopes.scope_of(user_id=actor.user_id)
    limited = {scope: root_id for scope, root_id in scopes.list_limits() if scope == own}
    return Page([queries.get_quota(), *scopes.list_quotas(limited)])


@exposed
def has_limited_roots() -> bool:
    """Tell whether any member or team folder of the tenant has a limit: else nobody has to ask for roots."""
    return scopes.has_any()


@exposed
def list_scope_quotas(*, actor: Actor, roots: Mapping[str, UUID]) -> Page[Quota]:
    """List the room of members (``user:<id>``) and team folders (``folder:<id>``), by scope with the root of each.

    :raises PermissionMissing: the actor does not manage billing, and one of them is not their own.
    """
    if not set(roots) <= {scopes.scope_of(user_id=actor.user_id)}:
        actor.require_permission(Permission.MANAGE_BILLING)
    return Page(scopes.list_quotas(roots))


@exposed
def list_limited_scopes(*, actor: Actor) -> Page[Quota]:
    """List the room of all members and team folders that have a limit or a figure to warn at.

    :raises PermissionMissing: the actor does not manage billing.
    """
    actor.require_permission(Permission.MANAGE_BILLING)
    return Page(scopes.list_quotas(dict(scopes.list_limits())))


@exposed
def list_reachable_limits() -> list[Quota]:
    """List the room of all members and team folders of the entered tenant that have a limit, for a job; none costs nothing."""
    if not scopes.has_any():
        return []
    return [quota for quota in scopes.list_quotas(dict(scopes.list_limits())) if quota.own_limit_bytes is not None]


@exposed
def set_scope_limit(
    *, actor: Actor, scope: str, root_id: UUID, limit_bytes: int | None, warn_bytes: int | None
) -> Quota:
    """Limit what a member's own files or a team folder may hold; ``None`` for both figures takes that back.

    A limit below what is there deletes nothing: it refuses what is new.

    :raises PermissionMissing: the actor does not manage billing.
    :raises LimitsUnfit: the figure to warn at is above the limit.
    """
    actor.require_permission(Permission.MANAGE_BILLING)
    scopes.set_limit(scope=scope, root_id=root_id, limit_bytes=limit_bytes, warn_bytes=warn_bytes, by=actor)
    return scopes.list_quotas({scope: root_id})[0]


@exposed
def explain_refusal(*, actor: Actor, size_bytes: int, root_id: UUID | None = None) -> BitVaultError:
    """Say why a file of this size found no room, as an error to answer with."""
    room = scopes.find_room(root_id)
    if room is not None and not room.takes(size_bytes):
        return room.refuse(actor, size_bytes)
    return operations.refusal(queries.get_quota(), size_bytes, is_file=True)


@exposed
def set_quota(
    *,
    plan: str | None = None,
    limit_bytes: int | None = None,
    file_limit_bytes: int | Literal["unchanged"] | None = "unchanged",
    trash_days: int | Literal["unchanged"] | None = "unchanged",
    member_limit: int | Literal["unchanged"] | None = "unchanged",
    guest_limit: int | Literal["unchanged"] | None = "unchanged",
    link_limit: int | Literal["unchanged"] | None = "unchanged",
    operator_id: UUID | None = None,
) -> None:
    """Give the tenant another plan, or figures of its own instead of the plan's (``None``: the plan's).

    A limit below what is used deletes nothing and puts nobody out: it refuses what is new.

    :raises PlanUnknown: there is no plan of this name.
    """
    figures = {
        "file_limit_bytes": file_limit_bytes,
        "trash_days": trash_days,
        "member_limit": member_limit,
        "guest_limit": guest_limit,
        "link_limit": link_limit,
    }
    quotas.set_quota(plan=plan, limit_bytes=limit_bytes, by_id=operator_id, figures=figures)


@exposed
def set_own_limit(*, actor: Actor, limit_bytes: int | None) -> Quota:
    """Let the tenant use less than its plan gives; ``None`` takes that back.

    :raises PermissionMissing: the actor does not manage billing.
    :raises LimitAbovePlan: the plan gives less.
    """
    actor.require_permission(Permission.MANAGE_BILLING)
    quotas.set_own_limit(limit_bytes=limit_bytes, by=actor)
    return queries.get_quota()


@exposed
def find_given_room() -> int | None:
    """Tell how much room operators give the entered tenant instead of its plan's."""
    return queries.find_given_room()


@exposed
def list_all_plans() -> list[Plan]:
    """List the installation's plans for operators, the smallest first."""
    return queries.list_all_plans()


@exposed
def list_plans(*, actor: Actor) -> Page[Plan]:
    """List the installation's plans, the tenant's first."""
    return Page(queries.list_plans())


@exposed
def correct_usage(*, size_bytes: int, unrefunded_bytes: int, as_of_seq: int) -> Recount:
    """Correct what the quota counts as used by what a recount of the files cannot explain; an event tells of it. Can be repeated.

    :param size_bytes: what all versions had together at ``as_of_seq``.
    :param unrefunded_bytes: what purges had freed by then and may not have given back yet.
    :raises RecountOvertaken: too much has happened since.
    """
    return recounting.correct_usage(size_bytes=size_bytes, unrefunded_bytes=unrefunded_bytes, as_of_seq=as_of_seq)


@exposed
def get_usage(*, actor: Actor) -> Usage:
    """Tell what the tenant stores, as far as the meter has come."""
    return queries.get_usage(get_position(CONSUMER))


@exposed
def find_usage() -> Usage:
    """Tell operators what the entered tenant stores, as far as the meter has come."""
    return queries.get_usage(get_position(CONSUMER))


@exposed
def list_usage_history(*, actor: Actor, metric: str | None, begin: date, end: date) -> UsageHistory:
    """List what the tenant stored and did by day (UTC), ``end`` exclusive: none where both are the same day.

    :raises RangeTooLong: more than 366 days are asked for, or the end is before the beginning.
    """
    if not 0 <= (end - begin).days <= HISTORY_LIMIT_DAYS:
        raise RangeTooLong(limit_days=HISTORY_LIMIT_DAYS)
    return queries.list_history(get_position(CONSUMER), metric=metric, begin=begin, end=end)


@exposed
def shows_usage(*, actor: Actor) -> bool:
    """Tell whether there is a page of usage and plan for the actor."""
    return actor.may(Permission.MANAGE_BILLING) and USAGE_PAGE.value(actor)


# --- statements ----------------------------------------------------------------------------------------------------------------


@exposed
def list_statements(*, actor: Actor, cursor: str | None = None, limit: int = PAGE_DEFAULT) -> Page[Statement]:
    """List the tenant's statements, the newest first.

    :raises PermissionMissing: the actor does not manage billing.
    :raises BadCursor: the cursor does not belong to this list.
    """
    actor.require_permission(Permission.MANAGE_BILLING)
    return stated.list_statements(cursor=cursor, limit=limit)


@exposed
def get_statement(*, actor: Actor | None, month: str) -> StatementDetail:
    """Read the statement of a month (``2026-10``) with its lines: to an actor, or (``None``) to an operator.

    :raises PermissionMissing: the actor does not manage billing.
    :raises StatementUnknown: there is none.
    """
    if actor is not None:
        actor.require_permission(Permission.MANAGE_BILLING)
    return stated.get_statement(month)


@exposed
def write_statement(*, actor: Actor | None, month: str, form: Literal["csv", "pdf"]) -> bytes:
    """Write the statement of a month as a file, in the current language: to an actor, or (``None``) to an operator.

    :raises PermissionMissing: the actor does not manage billing.
    :raises StatementUnknown: there is none.
    """
    if actor is not None:
        actor.require_permission(Permission.MANAGE_BILLING)
    return statement_files.WRITERS[form](stated.get_statement(month))


@exposed
def word_statement() -> StatementWords:
    """Give the words of statements in the current language."""
    return statement_wording.words()


@exposed
def list_statements_for_operators(*, limit: int) -> list[Statement]:
    """List the entered tenant's last statements for operators, the newest first."""
    return list(stated.list_statements(cursor=None, limit=limit).items)


# --- the meter, made anew ------------------------------------------------------------------------------------------------------


@exposed
def start_rebuild() -> None:
    """Begin an image of the tree beside the live one."""
    rebuilding.start()


@exposed
def keep_rebuilt(*, nodes: Sequence[MeteredNode], as_of_seq: int) -> None:
    """Add a page of nodes to the image that is being made, exactly as they are at a number of the stream."""
    rebuilding.keep(nodes, as_of_seq)


@exposed
def finish_rebuild(*, first_seq: int, last_seq: int) -> int:
    """Bring the image from the first page's number past the last one's and let it stand for the live one; returns where the stream goes on.

    :raises RebuildOvertaken: another rebuild was begun meanwhile.
    """
    return rebuilding.finish(first_seq=first_seq, last_seq=last_seq)
