"""Guests: people outside of the tenant, who come by being shared with. Their invitations are those of members, with another role."""

from uuid import UUID

from apps.identity import dtos, models, roles
from apps.identity.errors import AlreadyInvited
from apps.identity.operations import invitations, texts
from bitvault.events.api import publish
from bitvault.events.catalog.identity import InvitationWithdrawn
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.errors import TooManyRequests

ABOUT_LENGTH = 255
"""Letters of what is shared that the invitation keeps: a name of a file has no more bytes."""


def invite(*, actor: Actor, email: str, about: str, message: str) -> dtos.InvitedGuest:
    """Invite an address, unless it is invited already, as a guest or as a member; an invitation that has expired is sent again."""
    address = texts.read_email(email)
    found = models.Invitation.objects.filter(tenant_id=actor.tenant.id, email=address).first()
    if found is None:
        try:
            made = invitations.invite(
                tenant=actor.tenant,
                email=address,
                choice=roles.Choice(Role.GUEST),
                message=message,
                about=about[:ABOUT_LENGTH],
                invited_by=actor.user_id,
            )
        except AlreadyInvited as error:  # somebody else was quicker
            return dtos.InvitedGuest(invitation_id=error.facts["invitation_id"], email=address)
        return dtos.InvitedGuest(invitation_id=made.id, email=address)
    if found.expires_at <= clock.now():
        if found.role == Role.GUEST.value:
            invitations.resend(actor=actor, invitation_id=found.id)
        return dtos.InvitedGuest(invitation_id=found.id, email=address)
    return dtos.InvitedGuest(invitation_id=found.id, email=address, may_be_told=_may_be_told(actor, address))


def _may_be_told(actor: Actor, address: str) -> bool:
    """Count a further mail to an address that has not come yet; over the limit what is shared is shared without one."""
    try:
        with tenancy.entered(actor.tenant):
            invitations.count_mail(address)
    except TooManyRequests:
        return False
    return True


def withdraw(*, actor: Actor, invitation_id: UUID) -> None:
    """End the invitation of a guest; one of somebody else, or none, is left as it is."""
    with db.public_transaction():
        rows = models.Invitation.objects.filter(tenant_id=actor.tenant.id, role=Role.GUEST.value)
        if rows.filter(pk=invitation_id).delete()[0]:
            publish(InvitationWithdrawn(invitation_id=invitation_id, actor_id=actor.user_id))
