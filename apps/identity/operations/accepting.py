"""Accepting an invitation: who has the code of the mail has proved the mailbox, and comes in by that address and no other."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError

from apps.identity import codes, dtos, models, people, queries, roles
from apps.identity.errors import InvalidCredentials, InvalidInvitation
from apps.identity.operations import guesses, members, passwords, standing, texts
from bitvault.events.api import publish
from bitvault.events.catalog.identity import InvitationAccepted, MemberAdded
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.errors import Conflict
from bitvault.web import throttle

TRIES_LIMIT = 30
"""Codes that one address may try in five minutes; right ones are given back."""

_FIVE_MINUTES = 300


def open_invitation(*, code: str, address: str) -> dtos.OpenedInvitation:
    """Show an invitation to whoever has its code; looking uses nothing up."""
    row = _find(code, address)
    return people.to_opened(row, has_account=queries.find_user(row.email) is not None)


def accept_by_password(*, code: str, name: str, password: str, address: str) -> dtos.SignedIn:
    """Come in as somebody new with this name and password, or as who has the address already and knows its password."""
    row = _find(code, address)
    person = queries.find_user(row.email)
    if person is not None:
        with guesses.counted(email=row.email, address=address):
            # Before the comparing: a password that is changed meanwhile makes this proof worthless.
            proved_at = clock.now()
            if not passwords.opens(person, password):
                raise InvalidCredentials("The password is wrong.")
        return _accept(row, person_id=person.id, proved_at=proved_at)
    label = texts.read_label(name, field="name")
    fresh = members.new_user(email=row.email, name=label, password=password)
    try:
        return _accept(row, person_id=fresh.id, proved_at=fresh.password_changed_at, fresh=fresh)
    except IntegrityError as error:
        raise Conflict("Somebody made an account with this address at the same moment; open the link again.") from error


def accept_as_browser(*, code: str, signed_in: dtos.SignedIn, address: str) -> dtos.SignedIn:
    """Come in as who is signed in at the bare host, if the address is theirs."""
    row = _find(code, address)
    return _accept(row, person_id=_require_owner(row, signed_in.user_id), proved_at=signed_in.proved_at)


def accept_as_actor(*, code: str, actor: Actor, address: str) -> dtos.SignedIn:
    """Come in as who asks by a credential of some tenant, if the address is theirs."""
    row = _find(code, address)
    person_id = _require_owner(row, actor.user_id)
    with db.public_transaction():
        proved_at = standing.lock_credential(actor)
    return _accept(row, person_id=person_id, proved_at=proved_at)


def _find(code: str, address: str) -> models.Invitation:
    """Find the invitation of a code.

    :raises InvalidInvitation: there is none.
    :raises TooManyRequests: too many wrong codes from this address.
    """
    throttle.take("invitation-code", [address], limit=TRIES_LIMIT, per_seconds=_FIVE_MINUTES, everywhere=True)
    row = (
        models.Invitation.objects.select_related("tenant", "invited_by", "custom_role")
        .filter(code_hash=codes.hash_code(code), expires_at__gt=clock.now(), tenant__state=models.TenantState.ACTIVE)
        .first()
    )
    if row is None:
        raise InvalidInvitation
    throttle.give_back("invitation-code", [address], limit=TRIES_LIMIT, per_seconds=_FIVE_MINUTES, everywhere=True)
    return row


def _require_owner(row: models.Invitation, user_id: UUID) -> UUID:
    """Refuse an account that has not proved the invited address: the invitation is for who reads that mailbox."""
    if not people.has_address(user_id, row.email):
        raise InvalidCredentials("The invitation is for another address than the one that you are signed in with.")
    return user_id


def _accept(
    row: models.Invitation, *, person_id: UUID, proved_at: datetime, fresh: models.User | None = None
) -> dtos.SignedIn:
    """Use the invitation up and write the membership, in one commit.

    Nothing else is entered here than the invitation's own tenant, whatever tenant the caller's credential belongs to.
    """
    tenant = queries.to_tenant(row.tenant)
    with db.public_transaction() as tx:
        if (
            row.custom_role_id is not None
        ):  # roles are locked before what names them; one that is gone has a successor below
            list(models.CustomRole.objects.select_for_update(no_key=True).filter(pk=row.custom_role_id))
        # The invitation goes next: of two requests with it, one waits here and finds it used.
        invited = models.Invitation.objects.select_for_update(of=("self",)).select_related("custom_role")
        row_now = invited.filter(pk=row.pk, code_hash=row.code_hash).first()
        if row_now is None:
            raise InvalidInvitation
        row_now.delete()
        if fresh is not None:
            fresh.save(force_insert=True)
        person = standing.find_person(person_id, proved_at=proved_at)
        if person is None:
            raise InvalidCredentials
        membership = models.Membership.objects.filter(tenant_id=tenant.id, user_id=person_id).first()
        if membership is None:
            membership = members.join(
                person=person, tenant_id=tenant.id, role=Role(row_now.role), custom_role=row_now.custom_role
            )
            given = roles.Choice(Role(row_now.role), row_now.custom_role).label
            publish(MemberAdded(user_id=person_id, role=given, actor_id=person_id), tenant_id=tenant.id)
        publish(InvitationAccepted(invitation_id=row.pk, user_id=person_id, actor_id=person_id), tenant_id=tenant.id)
        tx.after_commit(queries.forget_remembered)
    here = dtos.TenantOfUser(
        id=tenant.id,
        slug=tenant.slug,
        name=tenant.name,
        role=Role(membership.role),
        url=queries.tenant_url(tenant.slug),
    )
    return dtos.SignedIn(user_id=person_id, proved_at=proved_at, tenants=(here,), email_proved=True)
