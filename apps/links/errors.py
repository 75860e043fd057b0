"""What can be refused about links, with stable codes."""

from bitvault.kernel.errors import Conflict, Forbidden, Gone, Invalid, TooLarge
from bitvault.kernel.pages import LimitOutOfRange

__all__ = [
    "CLOSED",
    "AddressUnknown",
    "LimitOutOfRange",
    "LinkExpired",
    "LinkLimitReached",
    "LinkLocked",
    "LinkNotStarted",
    "LinkOver",
    "LinkTakesNothing",
    "LinkTargetGone",
    "LinkUnfit",
    "LinkUsedUp",
    "MoreThanOwn",
    "NoRoom",
    "RequestFull",
    "SenderUnfit",
    "SlugTaken",
    "SubmissionUnknown",
    "TooManyLinks",
    "TypeNotTaken",
    "WrongPassword",
]


class LinkUnfit(Invalid):
    """A link cannot be like this; fact: ``field``."""

    code = "links.unfit"
    title = "A link cannot be like this"


class SlugTaken(Conflict):
    """Another link has this address, or had it."""

    code = "links.slug_taken"
    title = "Another link has this address"


class TooManyLinks(Invalid):
    """The node has as many links as one can have; fact: ``limit``."""

    code = "links.too_many_links"
    title = "This has as many links as it can have"


class LinkLimitReached(Conflict):
    """The tenant's plan allows no further link; facts: ``limit``, ``count``."""

    code = "links.limit_reached"
    title = "There are as many links as the plan allows"


class MoreThanOwn(Forbidden):
    """Nobody gives more than they have; fact: ``kind``."""

    code = "links.more_than_own"
    title = "You cannot give more than you have"


class LinkOver(Gone):
    """The link was ended by whoever shares its node; fact: ``shared_by``."""

    code = "links.over"
    title = "This link has ended"


class LinkExpired(Gone):
    """The link's time is over; fact: ``shared_by``."""

    code = "links.expired"
    title = "This link has expired"


class LinkUsedUp(Gone):
    """The link has been used for as many downloads as it was made for; fact: ``shared_by``."""

    code = "links.used_up"
    title = "This link has been used up"


class LinkTargetGone(Gone):
    """What the link leads to was deleted or moved away; fact: ``shared_by``."""

    code = "links.target_gone"
    title = "What this link leads to is not there any more"


class LinkNotStarted(Forbidden):
    """The link opens later; facts: ``starts_at``, ``shared_by``."""

    code = "links.not_started"
    title = "This link opens later"


class LinkLocked(Forbidden):
    """The link has a password, which has to be given first."""

    code = "links.locked"
    title = "This link needs its password"


class WrongPassword(Forbidden):
    """That is not the link's password."""

    code = "links.wrong_password"
    title = "The password is wrong"


class LinkTakesNothing(Forbidden):
    """The link shows or gives something; nothing can be sent through it."""

    code = "links.takes_nothing"
    title = "Nothing can be sent through this link"


class SenderUnfit(Invalid):
    """The request asks for something about the sender; fact: ``field``."""

    code = "links.sender_unfit"
    title = "Say who you are"


class SubmissionUnknown(Forbidden):
    """The request does not say which visit it belongs to, or that has ended: begin another one."""

    code = "links.submission_unknown"
    title = "Begin again: this visit has ended"


class TypeNotTaken(Invalid):
    """Files of this type are not asked for; fact: ``accepts``."""

    code = "links.type_not_taken"
    title = "Files of this type are not asked for"


class RequestFull(TooLarge):
    """The request takes no file of this size, or no more files; facts: ``limit`` (its field) and ``allowed``."""

    code = "links.request_full"
    title = "This is more than the request takes"


class NoRoom(TooLarge):
    """The vault that was asked to take the file has no room for it; fact: ``shared_by``."""

    code = "links.no_room"
    title = "There is no room for this file"


class AddressUnknown(Invalid):
    """This is not the address of the link."""

    code = "links.address_unknown"
    title = "This is not the address of the link"


CLOSED = (LinkOver, LinkExpired, LinkUsedUp, LinkTargetGone, LinkNotStarted)
"""Why a link that there is does not open."""
