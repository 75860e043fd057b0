"""Doors to the deletion of a tenant: for its owners, for operators, and for the work that carries it out."""

from uuid import UUID

from apps.identity import deletions
from apps.identity.dtos import Deletion, DueDeletion, PastDeletion, TenantOverview
from apps.identity.operations import deletions as changes
from apps.identity.operations import tenants
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.permissions import Permission
from bitvault.kernel.tenancy import Tenant


@exposed
def find_deletion(*, tenant: Tenant) -> Deletion | None:
    """Find the deletion that a tenant waits for; ``None``: it stays."""
    return deletions.find(tenant.id)


@exposed
def request_deletion(*, actor: Actor, name: str) -> Deletion:
    """Have the actor's tenant deleted, with all that is in it, when the waiting time is over; until then an owner takes it back.

    :param name: the name of the tenant, as its owner has typed it.
    :raises PermissionMissing: the actor is no owner.
    :raises NameDiffers: it is another name.
    :raises DeletionPending: it is to be deleted already.
    """
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(Permission.DELETE_VAULT)
    return changes.request(actor=actor, name=name)


@exposed
def withdraw_deletion(*, actor: Actor) -> None:
    """Keep the actor's tenant after all.

    :raises PermissionMissing: the actor is no owner.
    :raises NotFound: it is not to be deleted, or that has begun.
    """
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(Permission.DELETE_VAULT)
    changes.withdraw(tenant_id=actor.tenant.id, by=actor.user_id, is_by_operator=False)


# --- operators -------------------------------------------------------------------------------------------------------------


@exposed
def get_tenant_overview(*, slug: str) -> TenantOverview:
    """Read a tenant as operators look at it before they suspend or delete it.

    :raises NotFound: there is none of this slug.
    """
    return deletions.get_overview(slug)


@exposed
def list_deletions() -> list[PastDeletion]:
    """List deletions for operators, those that are done and those that wait, the latest first."""
    return deletions.list_past()


@exposed
def suspend_by_operator(*, tenant_id: UUID, operator_id: UUID, reason: str) -> None:
    """Let nobody into a tenant any more, and say why.

    :raises NotFound: there is none.
    :raises InvalidLabel: the reason cannot be kept.
    """
    tenants.suspend(tenant_id, reason=reason, by=operator_id)


@exposed
def resume_by_operator(*, tenant_id: UUID, operator_id: UUID) -> None:
    """Let the members of a suspended tenant in again.

    :raises NotFound: there is none.
    """
    tenants.activate(tenant_id, by=operator_id)


@exposed
def request_deletion_by_operator(*, tenant_id: UUID, slug: str, operator_id: UUID, reason: str) -> Deletion:
    """Have a tenant deleted when the waiting time is over.

    :param slug: the address of the tenant, as the operator has typed it.
    :raises NotFound: there is none.
    :raises NameDiffers, DeletionPending, InvalidLabel: it is refused.
    """
    return changes.request_by_operator(tenant_id=tenant_id, slug=slug, operator_id=operator_id, reason=reason)


@exposed
def withdraw_deletion_by_operator(*, tenant_id: UUID, operator_id: UUID) -> None:
    """Keep a tenant after all.

    :raises NotFound: it is not to be deleted, or that has begun.
    """
    changes.withdraw(tenant_id=tenant_id, by=operator_id, is_by_operator=True)


# --- the work --------------------------------------------------------------------------------------------------------------


@exposed
def close_due_tenants() -> None:
    """Let nobody into the tenants whose waiting time is over."""
    changes.close_due()


@exposed
def take_deletion() -> DueDeletion | None:
    """Take one deletion to carry out, which is nobody else's for a quarter of an hour; ``None``: there is none."""
    return changes.take_settled()


@exposed
def note_deletion_step(*, deletion_id: UUID, step: str) -> None:
    """Note that a step of a deletion is done."""
    changes.note_step(deletion_id, step)


@exposed
def drop_tenant_schema(*, tenant_id: UUID) -> None:
    """Drop a tenant's tables and its database role; done again it changes nothing."""
    changes.drop_schema(tenant_id)


@exposed
def finish_deletion(*, deletion_id: UUID, tenant_id: UUID) -> None:
    """Delete what identity keeps of a tenant, and note that the deletion is done. People keep their accounts."""
    changes.finish(deletion_id, tenant_id)
