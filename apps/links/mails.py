"""The receipt for somebody who has sent files through a link.

Their address is not proved: the mail says how much has arrived, where and when, and holds no word that a person has chosen.
"""

from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Count, Max, Sum
from django.utils.translation import gettext_lazy as _

from apps.identity import api as identity
from apps.links import receiving
from apps.links.models import SentFile, Submission
from bitvault.kernel import db, tenancy
from bitvault.mail import api as mail


@mail.mail_kind(receiving.RECEIPT_MAIL)
def write_receipt(submission_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell a sender how much of theirs has arrived; nothing where their visit is not known any more."""
    with db.read_transaction():
        submission = Submission.objects.filter(id=submission_id).first()
        rows = SentFile.objects.filter(submission_id=submission_id, node_id__isnull=False)
        sent = rows.aggregate(count=Count("id"), size=Sum("size_bytes"), last_at=Max("sent_at"))
    if submission is None or not submission.sender_email or not sent["count"]:
        return None
    return mail.Letter(
        to=submission.sender_email,
        locale=submission.locale or None,
        subject=_("Your files have arrived"),
        template="links/mail/receipt",
        context={
            "count": sent["count"],
            "size": sent["size"],
            "sent_at": sent["last_at"],
            "host": urlsplit(identity.get_tenant_url(tenant=tenancy.current())).hostname,
        },
    )
