"""The door of mail.

Like ``jobs.enqueue``, ``send`` runs inside the caller's transaction on purpose: the mail is part of the change that it tells of.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec

from bitvault.jobs import api as jobs
from bitvault.kernel import ids, tenancy
from bitvault.mail import mailbox
from bitvault.mail.letters import Action, Facts, Letter, get_writer, list_names, mail_kind

__all__ = ["KIND", "Action", "Facts", "Letter", "SendMail", "list_names", "mail_kind", "mailbox", "send", "send_all"]

KIND = "mail.send"


class SendMail(msgspec.Struct, frozen=True):
    """A mail that is wanted: its name, what it is about, and facts that are no personal data and no secret."""

    name: str
    reference: UUID
    facts: dict[str, Any] = {}


def send(name: str, *, reference: UUID, facts: dict[str, Any] | None = None, key: str | None = None) -> None:
    """Send a mail once the open write transaction is committed.

    :param reference: the id from which the mail's writer finds the recipient and all that is personal or secret.
    :param facts: what else the writer needs: ids, counts and words of ours, for operators read the rows of jobs.
    :param key: while a mail with this key waits, there is no second one; by default each call sends one.
    :raises NoTransaction: no write transaction is open.
    :raises UnknownMail: no function writes such mails.
    """
    get_writer(name)
    jobs.enqueue(
        KIND,
        SendMail(name=name, reference=reference, facts=facts or {}),
        key=f"{name}:{key or ids.new_id().hex}",
        by=jobs.SYSTEM,
        for_installation=tenancy.find_current() is None,
    )


def send_all(name: str, *, references: Collection[UUID]) -> None:
    """Send mails of one name in the entered tenant once the open write transaction is committed: ``send`` for many, in two statements.

    :param references: the id from which each mail's writer finds the recipient and all that is personal or secret; it is the mail's key.
    :raises NoTransaction: no write transaction is open.
    :raises UnknownMail: no function writes such mails.
    """
    get_writer(name)
    wanted = {f"{name}:{one.hex}": SendMail(name=name, reference=one) for one in references}
    jobs.enqueue_all(KIND, wanted, by=jobs.SYSTEM)
