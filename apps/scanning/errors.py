"""What scanning refuses."""

from bitvault.kernel.errors import Conflict, Invalid, NotFound


class NoScanner(Conflict):
    """Scanning cannot be switched on: the installation has no scanner."""

    code = "scanning.no_scanner"
    title = "This installation has no scanner for malware; ask its operators"


class NotInQuarantine(NotFound):
    """No such content is in quarantine (any more)."""

    code = "scanning.not_in_quarantine"
    title = "This is not in quarantine"


class ContentNotInfected(Conflict):
    """What was released is not put away; the files can be moved to the trash like any other."""

    code = "scanning.content_released"
    title = "This was released, so it is not put away"


class ReasonMissing(Invalid):
    """Whoever releases something says why; 500 characters at most."""

    code = "scanning.reason_missing"
    title = "Say why it is released, in at most 500 characters"


class TooManyNodes(Invalid):
    """More nodes are asked for than one answer tells of; fact: ``limit``."""

    code = "scanning.too_many_nodes"
    title = "These are too many at once"
