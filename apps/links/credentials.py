"""The secrets of links: the end of an address, the proof that a password was given, and by what visitors are told apart."""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing

from bitvault.kernel import clock
from bitvault.kernel.request import Visitor

TOKEN_BYTES = 16
"""128 bits: nobody finds one by trying."""

UNLOCK_LIFETIME = timedelta(hours=12)
"""How long a visitor need not give the password again: a day's work."""

SUBMISSION_LIFETIME = timedelta(hours=72)
"""How long somebody may go on with a visit in which they send files: as long as an upload lives."""

_LONGEST_ADDRESS = 128
"""Characters that are looked at of what stands in an address."""

_SALT = "links.unlock"
_SUBMISSION_SALT = "links.submission"


def new_token() -> str:
    """Make the end of an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(text: str) -> bytes:
    """Compute what is kept of the end of an address."""
    return hashlib.sha256(text[:_LONGEST_ADDRESS].encode(errors="surrogatepass")).digest()


def make_unlock_token(link_id: UUID, password_hash: str) -> tuple[str, datetime]:
    """Make the proof that the password of a link was given; it ends after ``UNLOCK_LIFETIME``, and with the password."""
    proof = {"link": link_id.hex, "password": _stamp(password_hash)}
    return signing.dumps(proof, salt=_SALT), clock.now() + UNLOCK_LIFETIME


def unlocks(token: str | None, link_id: UUID, password_hash: str) -> bool:
    """Tell whether this proves that the present password of a link was given."""
    if not token:
        return False
    try:
        proof = signing.loads(token, salt=_SALT, max_age=UNLOCK_LIFETIME)
    except (signing.BadSignature, ValueError):
        return False
    return bool(proof == {"link": link_id.hex, "password": _stamp(password_hash)})


def make_submission_token(link_id: UUID, submission_id: UUID) -> tuple[str, datetime]:
    """Make the proof that a visit is somebody's; it ends after ``SUBMISSION_LIFETIME``."""
    proof = {"link": link_id.hex, "visit": submission_id.hex}
    return signing.dumps(proof, salt=_SUBMISSION_SALT), clock.now() + SUBMISSION_LIFETIME


def read_submission_token(token: str | None, link_id: UUID) -> UUID | None:
    """Tell which visit to this link is proved; ``None``: none is."""
    if not token:
        return None
    try:
        proof = signing.loads(token, salt=_SUBMISSION_SALT, max_age=SUBMISSION_LIFETIME)
    except (signing.BadSignature, ValueError):
        return None
    return UUID(proof["visit"]) if proof["link"] == link_id.hex else None


def visitor_key(link_id: UUID, visitor: Visitor) -> bytes:
    """Tell visitors of one link apart by what their browser was given; of two links nobody can tell that one visitor had both."""
    return _key(link_id, "visitor", visitor.id)


def origin_key(link_id: UUID, visitor: Visitor) -> bytes:
    """Tell visitors of one link apart by where they come from, which several can have in common."""
    return _key(link_id, "origin", visitor.address, visitor.program)


def _stamp(password_hash: str) -> str:
    return hashlib.sha256(password_hash.encode()).hexdigest()[:16]


def _key(link_id: UUID, *parts: str) -> bytes:
    text = "\0".join((link_id.hex, *parts))
    key = settings.SECRET_KEY.encode()[:64]
    return hashlib.blake2b(text.encode(errors="surrogatepass"), key=key, digest_size=16).digest()
