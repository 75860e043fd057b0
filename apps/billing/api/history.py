"""The door of the history of a tenant's plan and limits."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from apps.billing import change_wording, history
from apps.billing.dtos import PlanChange, PlanChangeWords
from bitvault.kernel import pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.permissions import Permission

__all__ = ["list_plan_changes", "list_plan_changes_for_operators", "word_plan_changes"]


@exposed
def list_plan_changes(*, actor: Actor, cursor: str | None = None, limit: int = PAGE_DEFAULT) -> Page[PlanChange]:
    """List what was changed of the tenant's plan and limits, and of the plan while the tenant had it, the latest first.

    :raises PermissionMissing: the actor does not manage billing.
    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_permission(Permission.MANAGE_BILLING)
    pages.require_limit(limit)
    return history.list_changes(cursor=cursor, limit=limit)


@exposed
def word_plan_changes(
    *, changes: Sequence[PlanChange], names: Mapping[UUID, str], operator: str | None
) -> list[PlanChangeWords]:
    """Say changes in the language of the moment.

    :param names: of people, by id.
    :param operator: what an operator is called; ``None``: by name.
    """
    return change_wording.word_changes(changes, names, operator=operator)


@exposed
def list_plan_changes_for_operators(*, cursor: str | None = None, limit: int = PAGE_DEFAULT) -> Page[PlanChange]:
    """List the same of the entered tenant, for operators.

    :raises BadCursor: the cursor belongs to another list.
    """
    return history.list_changes(cursor=cursor, limit=limit)
