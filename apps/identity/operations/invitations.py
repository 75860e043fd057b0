"""Invitations: an address is written to, and whoever has the code of that mail may come in.

Nobody is told whether an address has an account: what is done and answered is the same. The code proves the mailbox, so whoever brings it
is told.
"""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q

from apps.identity import codes, dtos, models, people, policies, roles, seats
from apps.identity.errors import AlreadyInvited, AlreadyMember, EmailNotProved, GuestsComeByShares
from apps.identity.operations import texts
from bitvault.events.api import publish
from bitvault.events.catalog.identity import InvitationCreated, InvitationResent, InvitationWithdrawn
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.errors import NotFound
from bitvault.kernel.tenancy import Tenant
from bitvault.mail import api as mail
from bitvault.web import throttle

CODE_LENGTH = 26
"""130 bits: the code alone says whose invitation it is, so nobody may find one by guessing."""

LIFETIME = timedelta(days=7)

TENANT_LIMIT = 500
"""Invitations that one tenant may send in an hour: a department at once, and no good for sending advertisements."""

MAILS_LIMIT = 10
"""Invitations to one address in an hour, of whatever tenants."""

SWEEP_BATCH = 500
"""Invitations of guests that one run of the sweep ends: each tells a stream, whose counter it holds meanwhile."""

_HOUR = 3600


def invite_member(
    *, actor: Actor, email: str, role: Role | None, role_id: UUID | None, message: str
) -> dtos.Invitation:
    """Invite an address with a role that allows no more than the actor's own."""
    with db.public_transaction():
        choice = roles.choose(actor.tenant.id, role=role, role_id=role_id)
    if choice.role is Role.GUEST:
        raise GuestsComeByShares
    choice.require_given_by(actor)
    return invite(tenant=actor.tenant, email=email, choice=choice, message=message, invited_by=actor.user_id)


def invite(
    *,
    tenant: Tenant,
    email: str,
    choice: roles.Choice,
    message: str,
    invited_by: UUID | None,
    about: str = "",
) -> dtos.Invitation:
    """Invite an address and write to it. The same once more, since the answer was lost, gives the same and sends no second mail.

    :param about: what is shared with a guest; empty for members.
    """
    role = choice.role
    address = texts.read_email(email)
    text = texts.read_message(message)
    _require_proved(invited_by)
    if (
        invited_by is not None and role is not Role.GUEST
    ):  # operators vouch for whom they invite; guests are judged by their share
        policies.require_domain(tenant.id, address)
    if models.Membership.objects.filter(Q(user__email=address), tenant_id=tenant.id).exists():
        raise AlreadyMember
    wanted = (role.value, None if choice.custom is None else choice.custom.id, text, invited_by)
    same = _find_same(tenant, address, wanted)
    if same is not None:
        return same
    policy = seats.read_policy(tenant)
    with tenancy.entered(tenant):
        count_mail(address)
        now = clock.now()
        code_id = ids.new_id()
        row = models.Invitation(
            id=ids.new_id(),
            tenant_id=tenant.id,
            email=address,
            role=role.value,
            custom_role=choice.custom,
            message=text,
            about=about,
            invited_by_id=invited_by,
            code_id=code_id,
            code_hash=_hash(code_id),
            created_at=now,
            sent_at=now,
            expires_at=now + LIFETIME,
        )
        try:
            with db.public_transaction():
                if choice.custom is not None:  # it may have been changed or deleted meanwhile
                    roles.choose(tenant.id, role=None, role_id=choice.custom.id)
                seats.require_free(tenant, role, policy)
                row.save(force_insert=True)
                publish(InvitationCreated(invitation_id=row.id, role=choice.label, actor_id=invited_by))
                mail.send("identity.invitation", reference=row.id)
        except IntegrityError:
            same = _find_same(tenant, address, wanted)
            if same is None:
                raise
            return same
    return people.to_invitation(row)


def resend(*, actor: Actor, invitation_id: UUID) -> dtos.Invitation:
    """Write once more, with another code and seven days from now; the code before is good for nothing."""
    _require_proved(actor.user_id)
    found = models.Invitation.objects.filter(pk=invitation_id, tenant_id=actor.tenant.id).first()
    if found is None:
        raise NotFound
    _require_reach(actor, found)
    if found.role == Role.GUEST.value:
        policies.require_guest_domain(actor.tenant.id, found.email)
    else:
        policies.require_domain(actor.tenant.id, found.email)
    policy = seats.read_policy(actor.tenant)
    with tenancy.entered(actor.tenant):
        count_mail(found.email)
    code_id = ids.new_id()
    now = clock.now()
    with db.public_transaction():
        rows = models.Invitation.objects.select_for_update(of=("self",)).select_related("invited_by", "custom_role")
        row = rows.filter(pk=invitation_id, tenant_id=actor.tenant.id).first()
        if row is None:
            raise NotFound
        if row.expires_at <= now:  # it has lost its seat
            seats.require_free(actor.tenant, Role(row.role), policy)
        row.code_id, row.code_hash = code_id, _hash(code_id)
        row.sent_at, row.expires_at = now, now + LIFETIME
        row.save(update_fields=["code_id", "code_hash", "sent_at", "expires_at"])
        publish(InvitationResent(invitation_id=row.id, actor_id=actor.user_id))
        mail.send("identity.invitation", reference=row.id)
    return people.to_invitation(row)


def address_of(row: models.Invitation) -> str:
    """Give the address that accepts an invitation, for a mail to who is invited and nothing else: it holds the code."""
    code = codes.derive(row.code_id, length=CODE_LENGTH)
    return f"{settings.BITVAULT_BASE_URL}/invitation/?{urlencode({'code': code})}"


def write_to(invitation_id: UUID, *, tenant: Tenant) -> dtos.GuestLetter | None:
    """Tell where a mail to somebody who is invited goes; ``None``: they have come, or are not invited any more."""
    rows = models.Invitation.objects.select_related("tenant", "invited_by").filter(tenant_id=tenant.id)
    row = rows.filter(pk=invitation_id, expires_at__gt=clock.now()).first()
    if row is None:
        return None
    known = models.User.objects.filter(email=row.email).first() or row.invited_by
    locale = (known.locale if known is not None else "") or row.tenant.locale
    return dtos.GuestLetter(email=row.email, locale=locale, url=address_of(row))


def withdraw(*, actor: Actor, invitation_id: UUID) -> None:
    """End an invitation: its code is good for nothing from here on."""
    with db.public_transaction():
        rows = models.Invitation.objects.select_for_update()
        row = rows.filter(pk=invitation_id, tenant_id=actor.tenant.id).first()
        if row is None:
            raise NotFound
        _require_reach(actor, row)
        row.delete()
        publish(InvitationWithdrawn(invitation_id=invitation_id, actor_id=actor.user_id))


def sweep() -> None:
    """Delete invitations that have been expired for as long as they were good: until then they can be sent again.

    Of those of guests the stream is told, as of one that is withdrawn: what was to be shared with them ends with it.
    """
    with db.public_transaction():
        over = models.Invitation.objects.filter(expires_at__lte=clock.now() - LIFETIME)
        guests = over.filter(role=Role.GUEST.value).select_for_update(skip_locked=True).order_by("tenant_id", "id")
        swept = list(guests.values_list("id", "tenant_id")[:SWEEP_BATCH])
        for invitation_id, tenant_id in swept:
            publish(InvitationWithdrawn(invitation_id=invitation_id), tenant_id=tenant_id)
        models.Invitation.objects.filter(id__in=[invitation_id for invitation_id, _ in swept]).delete()
        over.exclude(role=Role.GUEST.value).delete()


def _require_reach(actor: Actor, row: models.Invitation) -> None:
    roles.Choice(Role(row.role), row.custom_role).require_touched_by(actor)


def _require_proved(user_id: UUID | None) -> None:
    """Refuse somebody who only claims an address: anybody can make a tenant, name it as they like, and have it write to strangers.

    :raises EmailNotProved: they do.
    """
    if user_id is not None and not models.User.objects.filter(pk=user_id, email__isnull=False).exists():
        raise EmailNotProved


def _find_same(tenant: Tenant, email: str, wanted: tuple[str, UUID | None, str, UUID | None]) -> dtos.Invitation | None:
    """Find the invitation that an address has, if it is the very one that is wanted.

    :raises AlreadyInvited: it is another one, or not good any more.
    """
    row = (
        models.Invitation.objects.select_related("invited_by", "custom_role")
        .filter(tenant_id=tenant.id, email=email)
        .first()
    )
    if row is None:
        return None
    if (row.role, row.custom_role_id, row.message, row.invited_by_id) != wanted or row.expires_at <= clock.now():
        raise AlreadyInvited(invitation_id=row.id)
    return people.to_invitation(row)


def count_mail(email: str) -> None:
    """Count a mail to an address that was invited, or is.

    :raises TooManyRequests: the tenant, or all of them together, have written to it as often as they may.
    """
    throttle.take("invitation", [], limit=TENANT_LIMIT, per_seconds=_HOUR)
    throttle.take("invitation-to", [email], limit=MAILS_LIMIT, per_seconds=_HOUR, everywhere=True)


def _hash(code_id: UUID) -> bytes:
    return codes.hash_code(codes.derive(code_id, length=CODE_LENGTH))
