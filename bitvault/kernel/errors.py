"""The tree of errors that a caller of BitVault can meet.

A module's ``errors.py`` derives its own from these kinds. Each has a stable ``code`` (``<module>.<snake_case>``) that clients
branch on, a sentence for people, and facts: typed values that belong to the case. ``bitvault.web.problems`` renders them all.
"""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from uuid import UUID

from django.utils.translation import gettext

_FACT = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Denied:
    """What the audit log is told of a refusal, and the caller is not.

    ``node_id`` is a node that is there and that the caller may not know of. The others belong to a credential that was good once: whose it
    was, and why it is good no more.
    """

    node_id: UUID | None = None
    tenant_id: UUID | None = None
    user_id: UUID | None = None
    credential_id: UUID | None = None
    reason: str = ""


class BitVaultError(Exception):
    """A refusal that is part of the product."""

    denied: Denied | None = None

    code: ClassVar[str] = "bitvault.error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something is wrong"

    def __init__(self, detail: str = "", **facts: Any) -> None:
        """Refuse.

        :param detail: a sentence for people, which may name facts as ``%(fact)s``: a sentence that was put together is in no catalogue.
        :param facts: what belongs to the case; the answer tells them.
        """
        self._sentence = detail or self.title
        self.facts = facts
        super().__init__(self._fill(self._sentence))

    @property
    def detail(self) -> str:
        """What is wrong, in the language of the moment."""
        return self._fill(gettext(self._sentence))

    def _fill(self, sentence: str) -> str:
        return _FACT.sub(lambda found: _say(self.facts.get(found[1], found[0])), sentence)

    def about(self, denied: Denied | None) -> Self:
        """Say for the audit log what was denied; the answer stays the same. Returns the error."""
        self.denied = denied
        return self

    def as_problem(self) -> dict[str, Any]:
        """Give the body of the problem answer (RFC 9457), in the language of the moment, without what belongs to one request."""
        return {
            **self.facts,
            "type": f"urn:bitvault:problem:{self.code}",
            "code": self.code,
            "title": gettext(self.title),
            "status": self.status,
            "detail": self.detail,
        }


def _say(fact: Any) -> str:
    return ", ".join(map(str, fact)) if isinstance(fact, (list, tuple)) else str(fact)


class Invalid(BitVaultError):
    """The request is well-formed but asks for something that cannot be."""

    code = "request.invalid"
    status = 422
    title = "The request cannot be carried out as it stands"


class Malformed(BitVaultError):
    """The request cannot be read."""

    code = "request.malformed"
    status = 400
    title = "The request cannot be read"


class Unauthenticated(BitVaultError):
    """Nobody, or nobody who is still allowed in, makes this request."""

    code = "identity.unauthenticated"
    status = 401
    title = "Sign in or send a valid token"


class Forbidden(BitVaultError):
    """The caller may know of the thing but not do this with it."""

    code = "access.forbidden"
    status = 403
    title = "You may not do this"


class NotFound(BitVaultError):
    """There is no such thing, or the caller may not know of it: both read the same."""

    code = "access.not_found"
    status = 404
    title = "There is no such thing"


class Conflict(BitVaultError):
    """The present state of the thing does not allow this."""

    code = "request.conflict"
    status = 409
    title = "This conflicts with the present state"


class Gone(BitVaultError):
    """The thing was there and is not any more."""

    code = "request.gone"
    status = 410
    title = "This is gone"


class PreconditionFailed(BitVaultError):
    """The thing has moved on since the caller looked at it."""

    code = "request.precondition_failed"
    status = 412
    title = "The thing has changed since you read it"


class TooLarge(BitVaultError):
    """There is no room, or the request is over a limit of size."""

    code = "request.too_large"
    status = 413
    title = "This is too large"


class UnsupportedMedia(BitVaultError):
    """The body has a type that this route does not read."""

    code = "request.unsupported_media_type"
    status = 415
    title = "Send application/json"


class PreconditionRequired(BitVaultError):
    """The caller must say which state it wants to change."""

    code = "request.precondition_required"
    status = 428
    title = "Send If-Match with the ETag that you have read"


class Locked(BitVaultError):
    """Somebody else has reserved the thing for themselves (RFC 4918 §11.3)."""

    code = "request.locked"
    status = 423
    title = "Somebody has locked this"


class TooManyRequests(BitVaultError):
    """The caller goes too fast; ``retry_after_seconds`` is always among the facts."""

    code = "request.rate_limited"
    status = 429
    title = "Too many requests"

    def __init__(self, detail: str = "", *, retry_after_seconds: int, **facts: Any) -> None:
        super().__init__(detail, retry_after_seconds=retry_after_seconds, **facts)
        self.retry_after_seconds = retry_after_seconds


class InProgress(BitVaultError):
    """What was asked for is being made, and the caller asks again after ``retry_after_seconds``. Not an error: 202."""

    code = "platform.in_progress"
    status = 202
    title = "This is being worked on; ask again in a moment"
    retry_after_seconds: ClassVar[int] = 2


class Unavailable(BitVaultError):
    """Something that BitVault stands on does not answer; trying again later may help."""

    code = "platform.unavailable"
    status = 503
    title = "A service that this needs does not answer"
    retry_after_seconds: ClassVar[int] = 2


class InsufficientStorage(BitVaultError):
    """The installation has no room for this, whatever the caller's quota says."""

    code = "platform.insufficient_storage"
    status = 507
    title = "The server has no room for this"


class ServiceDown(Unavailable):
    """A service is known to be down, so nobody waits for it; ``dependency`` names it."""

    code = "platform.service_down"
    title = "A service that this needs is down; try again in a moment"


class Overloaded(Unavailable):
    """As many requests as may wait for this do so already; ``dependency`` names what they wait for."""

    code = "platform.overloaded"
    title = "Too many requests wait for this; try again in a moment"


class ProgrammingError(Exception):
    """A rule of the house is broken in our own code; never shown to a caller."""
