"""The mail to a person with whom something was shared. What it says is looked up when it leaves; the job holds the share's id."""

from typing import Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.files import api as files
from apps.identity import api as identity
from apps.sharing import operations, queries
from bitvault.kernel import db, tenancy
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
    receiver, giver = people.get(row.principal_id), people.get(row.granted_by)
    node = files.find_name(node_id=row.node_id)
    if receiver is None or not receiver.email_proved or node is None:
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
        action=mail.Action(_("Open in BitVault"), f"{identity.get_tenant_url(tenant=tenant)}{PAGE}"),
        vault_name=tenant.name,
    )
