"""Doors by which operators look at a tenant as one of its members, for a while and with a reason."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from apps.admin_platform import api as administration
from apps.identity import for_operators, impersonations
from apps.identity.config import IMPERSONATION_LONGEST_MINUTES
from apps.identity.dtos import Handover
from apps.identity.dtos.tenants import PastImpersonation, SupportVisit
from apps.identity.errors import ImpersonationRefused
from apps.identity.operations import impersonating
from bitvault.kernel import pages, tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.boundary import exposed
from bitvault.kernel.permissions import Permission
from bitvault.kernel.tenancy import Tenant

USUAL_MINUTES = 15


@exposed
def get_longest_minutes() -> int:
    """Tell for how many minutes support looks at a tenant at most; 0: never."""
    return IMPERSONATION_LONGEST_MINUTES.get()


@exposed
def begin_impersonation(
    *, operator_id: UUID, session: SessionBase, slug: str, email: str, reason: str, minutes: int = USUAL_MINUTES
) -> Handover:
    """Begin to look at a tenant as one of its members; the code is good for a minute and one use at the tenant's host.

    What is begun with it ends with ``session``, the operator's own, at the latest.

    :raises ImpersonationUnfit, InvalidLabel: no reason, or more time than there may be.
    :raises NotFound: there is no such tenant, or it is suspended.
    :raises ImpersonationRefused: the operator, the tenant or the person says no; both audit logs tell of it.
    :raises ImpersonationOpen: the operator looks at a tenant already.
    :raises Unavailable: codes cannot be kept now.
    """
    try:
        return impersonating.begin(
            operator_id=operator_id, session=session, slug=slug, email=email, reason=reason, minutes=minutes
        )
    except ImpersonationRefused as error:
        tenant = for_operators.find_tenant_by_slug(slug)
        if tenant is not None:
            with tenancy.entered(tenant):
                administration.record_denial(
                    event_type="identity.impersonation.refused",
                    actor_id=operator_id,
                    node_id=None,
                    payload={"code": error.code, "reason": error.facts.get("reason", "")},
                )
        raise


@exposed
def redeem_impersonation(*, code: str, tenant: Tenant, session: SessionBase, address: str) -> None:
    """Exchange a code at the host of its tenant for a session that ends by itself.

    :raises InvalidHandover: it was used, is too old, of another tenant, or what it stood for is over.
    """
    impersonating.redeem(code=code, tenant=tenant, session=session, address=address)


@exposed
def end_impersonation(*, session: SessionBase, tenant: Tenant) -> bool:
    """End the look at the tenant that a browser's session there belongs to; tells whether there was one."""
    return impersonating.end_by_session(session, tenant=tenant)


@exposed
def end_impersonation_by_operator(*, operator_id: UUID) -> bool:
    """End what an operator looks at now; tells whether there was anything."""
    return impersonating.end_by_operator(operator_id=operator_id)


@exposed
def list_support_visits(
    *, actor: Actor, cursor: str | None = None, limit: int = pages.PAGE_DEFAULT
) -> pages.Page[SupportVisit]:
    """List who of support looks at the actor's tenant, and did within 400 days, the latest first.

    :raises PermissionMissing: the actor does not administer the tenant.
    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_permission(Permission.MANAGE_SETTINGS)
    pages.require_limit(limit)
    return impersonations.list_visits(actor.tenant.id, cursor=cursor, limit=limit)


@exposed
def end_support_visit(*, actor: Actor, impersonation_id: UUID) -> None:
    """Put somebody of support out of the actor's tenant, at once.

    :raises PermissionMissing: the actor does not administer the tenant.
    :raises NotFound: nobody looks at it so.
    """
    actor.require_permission(Permission.MANAGE_SETTINGS)
    impersonating.end_by_tenant(actor, impersonation_id)


@exposed
def list_impersonations(*, wanted: str = "", offset: int = 0, limit: int) -> tuple[int, Sequence[PastImpersonation]]:
    """Read a page of who looks at which tenant as whom, and did, latest first, and how many there are; two queries.

    :param wanted: a part of a tenant's slug, an address or a name.
    """
    return for_operators.list_impersonations(wanted=wanted, offset=offset, limit=limit)


@exposed
def name_operators(*, tenant: Tenant, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """Name those of some people who have looked at a tenant as operators."""
    return impersonations.name_operators(tenant.id, user_ids)
