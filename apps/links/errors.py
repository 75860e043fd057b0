"""What can be refused about links, with stable codes."""

from bitvault.kernel.errors import Conflict, Forbidden, Gone, Invalid
from bitvault.kernel.pages import LimitOutOfRange

__all__ = [
    "LimitOutOfRange",
    "LinkExpired",
    "LinkLocked",
    "LinkNotStarted",
    "LinkOver",
    "LinkTargetGone",
    "LinkUnfit",
    "LinkUsedUp",
    "MoreThanOwn",
    "SlugTaken",
    "TooManyLinks",
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
