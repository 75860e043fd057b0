"""The address by which mails are switched off in one click (RFC 8058): signed, so it needs no sign-in, and nobody else can make it."""

from uuid import UUID

from django.core import signing

from apps.notifications.dtos import Topic
from apps.notifications.topics import USUAL
from bitvault.kernel import tenancy
from bitvault.kernel.errors import NotFound


def make_path(user_id: UUID, topic: Topic | None) -> str:
    """Give the path that switches the mails of a topic off for somebody; ``None``: those that the daily digest gathers."""
    return f"/notifications/unsubscribe/{_signer().sign_object([user_id.hex, topic or ''])}/"


def read(token: str) -> tuple[UUID, Topic | None]:
    """Tell whose mails of which topic an address switches off.

    :raises NotFound: it was not made here.
    """
    try:
        user_id, topic = _signer().unsign_object(token)
    except (signing.BadSignature, ValueError) as error:
        raise NotFound from error
    return UUID(user_id), topic if topic in USUAL else None


def _signer() -> signing.Signer:
    """Sign for the entered tenant, without a time: a mail that is sent twice says the same, and one of last year is still right."""
    return signing.Signer(salt=f"bitvault.unsubscribe:{tenancy.current().id.hex}")
