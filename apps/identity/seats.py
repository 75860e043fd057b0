"""Seats: how many members and guests a tenant's plan allows. Who is let in has one, and who is invited until the invitation ends.

What a plan allows is told in the tenant's own schema, so it is read before the public transaction that takes a seat.
"""

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from apps.identity import dtos, models
from apps.identity.errors import GuestLimitReached, MemberLimitReached
from bitvault.kernel import clock, policies, tenancy
from bitvault.kernel.actor import Role
from bitvault.kernel.policies import Policy
from bitvault.kernel.tenancy import Tenant

NO_MEMBERS = _(
    "The plan of this vault allows no more members. Remove or deactivate a member, withdraw an invitation, or ask the operator of this"
    " installation for another plan."
)
NO_GUESTS = _(
    "The plan of this vault allows no more guests. Remove a guest, withdraw an invitation, or ask the operator of this installation for"
    " another plan."
)

_IS_GUEST = Q(role=Role.GUEST.value)


def read_policy(tenant: Tenant) -> Policy:
    """Read what the plan allows, outside of any transaction."""
    with tenancy.entered(tenant):
        return policies.current()


def require_free(tenant: Tenant, role: Role, policy: Policy) -> None:
    """Refuse a further member or guest where there is no seat for them, inside the open public transaction.

    Whoever takes a seat locks the tenant's row first, so of two at once one gets the last.

    :raises MemberLimitReached, GuestLimitReached: the plan allows no more.
    """
    limit = policy.guest_limit if role is Role.GUEST else policy.member_limit
    if limit is None:
        return
    list(models.Tenant.objects.select_for_update(no_key=True, of=("self",)).filter(pk=tenant.id).values_list("pk"))
    taken = count(tenant)
    if role is Role.GUEST and taken.guest_count + taken.invited_guest_count >= limit:
        raise GuestLimitReached(
            str(NO_GUESTS), limit=limit, count=taken.guest_count, invited_count=taken.invited_guest_count
        )
    if role is not Role.GUEST and taken.member_count + taken.invited_member_count >= limit:
        raise MemberLimitReached(
            str(NO_MEMBERS), limit=limit, count=taken.member_count, invited_count=taken.invited_member_count
        )


def count(tenant: Tenant) -> dtos.Seats:
    """Count who is let in and who is invited, by one statement: whoever comes by an invitation meanwhile is counted once."""
    members = models.Membership.objects.filter(state=models.MembershipState.ACTIVE, user__is_active=True)
    invited = models.Invitation.objects.filter(expires_at__gt=clock.now())
    found = (
        models.Tenant.objects.filter(pk=tenant.id)
        .values_list(
            _count_of(members, ~_IS_GUEST),
            _count_of(invited, ~_IS_GUEST),
            _count_of(members, _IS_GUEST),
            _count_of(invited, _IS_GUEST),
        )
        .get()
    )
    return dtos.Seats(*found)


def _count_of(rows: "QuerySet[models.Membership] | QuerySet[models.Invitation]", kind: Q) -> Coalesce:
    counted = rows.filter(kind, tenant_id=OuterRef("pk")).order_by().values("tenant_id").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n"), output_field=IntegerField()), 0)
