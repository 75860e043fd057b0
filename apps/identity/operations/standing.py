"""Whether somebody may still be let in, told under the locks that whoever takes it away needs too.

A change of password locks the person's row, a removal locks the membership. What makes a credential locks both, in this order, so each of
those comes wholly before it and is seen, or wholly after it and ends what was made.
"""

from datetime import datetime
from uuid import UUID

from apps.identity import models
from bitvault.kernel import clock
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import Unauthenticated
from bitvault.kernel.tenancy import Tenant


def find_person(user_id: UUID, *, proved_at: datetime) -> models.User | None:
    """Lock a person's row; ``None`` when they are shut out, or their password was changed after ``proved_at``."""
    return (
        models.User.objects.select_for_update(no_key=True)
        .filter(pk=user_id, is_active=True, password_changed_at__lte=proved_at)
        .first()
    )


def is_member(tenant: Tenant, user_id: UUID) -> bool:
    """Lock a membership and tell whether it is there and active, in a tenant that is let in."""
    rows = models.Membership.objects.select_for_update(no_key=True, of=("self",))
    return (
        rows.filter(
            tenant_id=tenant.id,
            user_id=user_id,
            state=models.MembershipState.ACTIVE,
            tenant__state=models.TenantState.ACTIVE,
        )
        .values_list("id", flat=True)
        .first()
        is not None
    )


def lock_credential(actor: Actor) -> datetime:
    """Lock what lets an actor in; tells when the password behind their credential was proved.

    Without a credential (operators' commands) it is this moment.

    :raises Unauthenticated: the credential, the membership or the account has ended since the request began.
    """
    person = models.User.objects.select_for_update(no_key=True).filter(pk=actor.user_id, is_active=True).first()
    if person is None or not is_member(actor.tenant, actor.user_id):
        raise Unauthenticated
    proved_at = _find_proved_at(actor)
    if proved_at is None or proved_at < person.password_changed_at:
        raise Unauthenticated
    return proved_at


def _find_proved_at(actor: Actor) -> datetime | None:
    now = clock.now()
    if actor.session_id is not None:
        sessions = models.Session.objects.filter(id=actor.session_id, user_id=actor.user_id, expire_date__gt=now)
        return sessions.values_list("proved_at", flat=True).first()
    if actor.token_id is not None:
        tokens = models.ApiToken.objects.filter(
            id=actor.token_id, user_id=actor.user_id, revoked_at=None, expires_at__gt=now
        )
        return tokens.values_list("proved_at", flat=True).first()
    return now
