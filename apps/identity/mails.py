"""The mails of identity. No text that a stranger has chosen stands in one to an address that is not proved.

Invitations are the exception: name, vault and message are their sender's, who has proved an address of their own and is counted.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.identity import codes, models, policies, queries
from apps.identity.operations import emails, invitations, resets
from bitvault.kernel import clock, tenancy
from bitvault.mail import api as mail

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@mail.mail_kind("identity.prove_email")
def write_proof(code_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Send the code, or tell the owner of an address that somebody has claimed it; who claims it sees no difference."""
    sent = _find_code(code_id)
    if sent is None or sent.user is None:
        return None
    vaults = queries.list_tenants_of_user(sent.user.id)
    vault_url = vaults[0].url if vaults else settings.BITVAULT_BASE_URL
    context = {"vault_url": vault_url}
    locale = _find_language(sent.user)
    if models.User.objects.filter(email=sent.email).exists():
        return mail.Letter(
            to=sent.email,
            locale=locale,
            subject=_("Somebody tried to sign up with your address"),
            template="identity/mail/address_in_use",
            context=context,
            action=mail.Action(_("Sign in"), settings.BITVAULT_BASE_URL),
        )
    return mail.Letter(
        to=sent.email,
        locale=locale,
        subject=_("Confirm your e-mail address"),
        template="identity/mail/prove_email",
        context={"code": codes.derive(sent.id, length=emails.CODE_LENGTH), **context},
        action=mail.Action(_("Enter the code"), f"{vault_url}/verify-email/"),
    )


@mail.mail_kind("identity.reset_password")
def write_reset(code_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Send the code that resets a password; nothing where an unknown address was given."""
    sent = _find_code(code_id)
    if sent is None or sent.user is None or sent.user.email is None:
        return None
    code = codes.derive(sent.id, length=resets.CODE_LENGTH)
    return mail.Letter(
        to=sent.user.email,
        locale=_find_language(sent.user),
        subject=_("Reset your password"),
        template="identity/mail/reset_password",
        context={"code": code},
        action=mail.Action(
            _("Choose a new password"), f"{settings.BITVAULT_BASE_URL}/reset-password/?{urlencode({'code': code})}"
        ),
    )


@mail.mail_kind("identity.password_changed")
def tell_of_changed_password(user_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell a person that their password was changed."""
    person = _find_reachable(user_id)
    if person is None or person.email is None:
        return None
    return mail.Letter(
        to=person.email,
        locale=_find_language(person),
        subject=_("Your password was changed"),
        template="identity/mail/password_changed",
        context={"changed_at": person.password_changed_at},
        action=_reset(),
    )


@mail.mail_kind("identity.new_sign_in")
def tell_of_new_sign_in(user_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell a person that a browser that was not known has signed in; without details when it is signed out again already."""
    person, tenant = _find_reachable(user_id), tenancy.find_current()
    if person is None or person.email is None:
        return None
    return mail.Letter(
        to=person.email,
        locale=_find_language(person),
        subject=_("A new browser has signed in to your account"),
        template="identity/mail/new_sign_in",
        context={"session": models.Session.objects.filter(pk=facts["session_id"], user_id=user_id).first()},
        action=_reset(),
        vault_name=tenant.name if tenant else "",
    )


@mail.mail_kind("identity.tenant_deletion")
def tell_of_deletion(deletion_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell an owner or administrator that their vault is to be deleted, or is not any more."""
    person = _find_reachable(UUID(facts["user_id"]))
    row = models.TenantDeletion.objects.filter(pk=deletion_id).first()
    if person is None or person.email is None or row is None:
        return None
    is_kept = row.state == models.DeletionState.WITHDRAWN
    subject = _("{vault} is not to be deleted any more") if is_kept else _("{vault} is to be deleted")
    return mail.Letter(
        to=person.email,
        locale=_find_language(person),
        subject=format_lazy(subject, vault=row.name),
        template="identity/mail/tenant_deletion",
        context={"vault": row.name, "due_at": row.due_at, "is_kept": is_kept},
        action=mail.Action(_("Open the vault"), f"{queries.tenant_url(row.slug)}/settings/team/"),
        vault_name=row.name,
    )


@mail.mail_kind("identity.impersonation")
def tell_of_impersonation(impersonation_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell an owner or administrator that support looks at their vault as one of its members."""
    person = _find_reachable(UUID(facts["user_id"]))
    row = models.Impersonation.objects.filter(pk=impersonation_id).first()
    tenant = None if row is None else models.Tenant.objects.filter(pk=row.tenant_id).first()
    if person is None or person.email is None or row is None or tenant is None:
        return None
    return mail.Letter(
        to=person.email,
        locale=_find_language(person, tenant),
        subject=format_lazy(_("Support looks at {vault}"), vault=tenant.name),
        template="identity/mail/impersonation",
        context={
            "vault": tenant.name,
            "operator": row.operator_name,
            "member": row.member_email,
            "reason": row.reason,
            "ends_at": row.expires_at,
            "may_open": policies.find(row.tenant_id).support_access == "open",
        },
        action=mail.Action(_("Set what support may do"), f"{queries.tenant_url(row.slug)}/settings/team/"),
        vault_name=tenant.name,
    )


def _reset() -> mail.Action:
    return mail.Action(_("Reset your password"), f"{settings.BITVAULT_BASE_URL}/forgot-password/")


@mail.mail_kind("identity.invitation")
def write_invitation(invitation_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Invite somebody; nothing when the invitation was withdrawn or accepted meanwhile."""
    rows = models.Invitation.objects.select_related("tenant", "invited_by")
    row = rows.filter(pk=invitation_id, expires_at__gt=clock.now()).first()
    if row is None:
        return None
    inviter, invited = row.invited_by, models.User.objects.filter(email=row.email).first()
    return mail.Letter(
        to=row.email,
        locale=_find_language(invited or inviter, row.tenant),
        subject=_name_subject(row),
        template="identity/mail/invitation",
        context={
            "vault": row.tenant.name,
            "about": row.about,
            "inviter": "" if inviter is None else inviter.name or inviter.shown_email,
            "inviter_email": "" if inviter is None else inviter.shown_email,
            "message": row.message,
            "expires_at": row.expires_at,
        },
        action=mail.Action(
            _("Open it") if row.about else _("Accept the invitation"),
            invitations.address_of(row),
        ),
    )


def _name_subject(row: models.Invitation) -> "StrOrPromise":
    """Say what somebody is invited to: a guest to what is shared with them, others to the vault."""
    inviter = row.invited_by
    if row.about and inviter is not None:
        sender = inviter.name or inviter.shown_email
        return format_lazy(_("{sender} shared “{name}” with you"), sender=sender, name=row.about)
    return format_lazy(_("You are invited to {vault}"), vault=row.tenant.name)


def _find_code(code_id: UUID) -> models.EmailCode | None:
    return (
        models.EmailCode.objects.select_related("user")
        .filter(pk=code_id, expires_at__gt=clock.now(), user__is_active=True)
        .first()
    )


def _find_language(user: models.User | None, tenant: models.Tenant | None = None) -> str | None:
    """Give the language that somebody reads, or else that of their vault."""
    if user is not None and user.locale:
        return user.locale
    if tenant is None and user is not None:
        tenant = models.Tenant.objects.filter(memberships__user=user).exclude(locale="").order_by("slug").first()
    return (tenant and tenant.locale) or None


def _find_reachable(user_id: UUID) -> models.User | None:
    return models.User.objects.filter(pk=user_id, email__isnull=False).first()
