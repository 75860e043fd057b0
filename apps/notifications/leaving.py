"""The address by which mails are switched off in one click (RFC 8058): signed, so it needs no sign-in, and nobody else can make it."""

from typing import get_args
from uuid import UUID

from django.core import signing

from apps.notifications.dtos import Gathered, Topic
from apps.notifications.topics import USUAL
from bitvault.kernel import tenancy
from bitvault.kernel.errors import NotFound


def make_path(user_id: UUID, what: Topic | Gathered) -> str:
    """Give the path that switches the mails of a topic off for somebody, or of all topics that such a mail gathers."""
    return f"/notifications/unsubscribe/{_signer().sign_object([user_id.hex, what])}/"


def read(token: str) -> tuple[UUID, Topic | Gathered]:
    """Tell whose mails an address switches off, and which: of a topic, or all that a mail gathers.

    :raises NotFound: it was not made here.
    """
    try:
        user_id, what = _signer().unsign_object(token)
    except (signing.BadSignature, ValueError) as error:
        raise NotFound from error
    # Mails of earlier versions name no digest: there was the daily one alone.
    return UUID(user_id), what if what in USUAL or what in get_args(Gathered) else "daily"


def _signer() -> signing.Signer:
    """Sign for the entered tenant, without a time: a mail that is sent twice says the same, and one of last year is still right."""
    return signing.Signer(salt=f"bitvault.unsubscribe:{tenancy.current().id.hex}")
