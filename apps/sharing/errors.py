"""What can be refused about shares, with stable codes."""

from bitvault.kernel.errors import Conflict, Forbidden, Invalid
from bitvault.kernel.pages import LimitOutOfRange

__all__ = [
    "AccessHeld",
    "ExpiryPast",
    "LimitOutOfRange",
    "MessageUnfit",
    "MoreThanOwn",
    "PrincipalUnfit",
    "ShortcutNameTaken",
    "ShortcutUnfit",
    "TooManyShares",
    "TooManyShortcuts",
    "UnknownPrincipal",
]


class MessageUnfit(Invalid):
    """The message is too long, or holds control characters; fact: ``limit``."""

    code = "sharing.message_unfit"
    title = "The message is too long, or holds control characters"


class UnknownPrincipal(Invalid):
    """Nobody of the tenant has this id or address; facts: ``type``, ``id``."""

    code = "sharing.unknown_principal"
    title = "Nobody of this vault is called so"


class PrincipalUnfit(Invalid):
    """A user and a group are named by ``id``, a person by ``email``, everyone by neither."""

    code = "sharing.principal_unfit"
    title = "This principal is not named as its type needs"


class MoreThanOwn(Forbidden):
    """Nobody gives, or takes away, more than they have; fact: ``role``."""

    code = "sharing.more_than_own"
    title = "You cannot give more than you have"


class ExpiryPast(Invalid):
    """A share ends in the future or never."""

    code = "sharing.expiry_past"
    title = "A share ends in the future"


class TooManyShares(Invalid):
    """The node has as many shares as one can have; fact: ``limit``."""

    code = "sharing.too_many_shares"
    title = "This is shared with as many as it can be; share it with everyone instead"


class AccessHeld(Conflict):
    """Whoever asks for access has it; fact: ``role``."""

    code = "sharing.access_held"
    title = "You have this access already"


class ShortcutUnfit(Invalid):
    """A shortcut lies in a folder of one's own tree, and leads out of it; fact: ``reason``, ``place`` or ``own_node``."""

    code = "sharing.shortcut_unfit"
    title = "A shortcut lies in a folder of your own files, and leads to something of others"


class ShortcutNameTaken(Conflict):
    """Another shortcut in the folder has a name with the same key; fact: ``name``."""

    code = "sharing.shortcut_name_taken"
    title = "There is a shortcut of this name already"


class TooManyShortcuts(Invalid):
    """Somebody has as many shortcuts as one can have; fact: ``limit``."""

    code = "sharing.too_many_shortcuts"
    title = "You have as many shortcuts as there can be; remove some first"
