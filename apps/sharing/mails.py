"""The mails of sharing: to whom something was shared with, and to whose request for access was declined.

What they say is looked up when they leave; the jobs hold ids.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.files import api as files
from apps.identity import api as identity
from apps.identity.api import people as invitations
from apps.identity.dtos import GuestLetter, User
from apps.sharing import asking, operations, queries
from apps.sharing.models import AccessRequest, Permission, PrincipalKind, RequestState
from bitvault.kernel import db, tenancy
from bitvault.kernel.tenancy import Tenant
from bitvault.mail import api as mail

MAY: dict[str, Any] = {
    "viewer": _("You can view and download it."),
    "commenter": _("You can view, download and comment on it."),
    "contributor": _("You can view and download it, and add files."),
    "editor": _("You can view, add, change and delete."),
    "manager": _("You can do everything with it, and decide who else has access."),
    "previewer": _("You can view it in the browser."),
    "uploader": _("You can upload files to it."),
}
"""What a role lets its holder do."""

PAGE = "/shared/"
"""Where the receiver finds it, whatever it is: it may have been shared again, or moved, when they come."""


@mail.mail_kind(operations.SHARED_MAIL)
def write_shared(share_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell somebody what was shared with them, by whom and with which words; nothing when it was taken back meanwhile.

    An address that is not proved gets no words that another person has chosen.
    """
    tenant = tenancy.current()
    with db.read_transaction():
        row = queries.find(share_id)
    if row is None:
        return None
    people = queries.find_people(tenant, [row.principal_id, row.granted_by])
    giver = people.get(row.granted_by)
    receiver = _find_receiver(tenant, row, people)
    node = files.find_name(node_id=row.node_id)
    if receiver is None or node is None:
        return None
    sender = "" if giver is None else giver.name or giver.email
    subject = _("{sender} shared “{name}” with you") if sender else _("“{name}” was shared with you")
    return mail.Letter(
        to=receiver.email,
        locale=receiver.locale or None,
        subject=format_lazy(subject, sender=sender, name=node.name),
        template="sharing/mail/shared",
        context={
            "sender": sender,
            "sender_email": "" if giver is None else giver.email,
            "name": node.name,
            "may": MAY.get(row.role, ""),
            "message": row.message,
            "expires_at": row.expires_at,
        },
        action=mail.Action(_("Open in BitVault"), receiver.url),
        vault_name=tenant.name,
    )


def _find_receiver(tenant: Tenant, row: Permission, people: Mapping[UUID, User]) -> GuestLetter | None:
    """Find to whom a mail of a share goes; a guest who has not come yet opens it by accepting their invitation."""
    if row.principal_kind == PrincipalKind.EMAIL:
        return invitations.find_guest_letter(tenant=tenant, invitation_id=row.principal_id)
    found = people.get(row.principal_id)
    if found is None or not found.email_proved:
        return None
    return GuestLetter(email=found.email, locale=found.locale, url=f"{identity.get_tenant_url(tenant=tenant)}{PAGE}")


@mail.mail_kind(asking.DECLINED_MAIL)
def write_declined(request_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell somebody that their request was declined, and by whom; nothing where they have asked again meanwhile.

    What they have asked for has no name here: they know its address alone.
    """
    tenant = tenancy.current()
    with db.read_transaction():
        row = AccessRequest.objects.filter(id=request_id, state=RequestState.DECLINED).first()
    if row is None:
        return None
    people = queries.find_people(tenant, [one for one in (row.user_id, row.answered_by) if one is not None])
    asker, decider = people.get(row.user_id), people.get(row.answered_by) if row.answered_by else None
    if asker is None or not asker.email_proved:
        return None
    return mail.Letter(
        to=asker.email,
        locale=asker.locale or None,
        subject=_("Your request for access was declined"),
        template="sharing/mail/declined",
        context={
            "decider": "" if decider is None else decider.name or decider.email,
            "decider_email": "" if decider is None else decider.email,
            "asked_at": row.asked_at,
        },
        action=mail.Action(_("Open the page again"), f"{identity.get_tenant_url(tenant=tenant)}/files/{row.node_id}/"),
        vault_name=tenant.name,
    )
