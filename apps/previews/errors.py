"""What can be wrong with a preview."""

from bitvault.kernel.errors import Invalid, NotFound, Unavailable


class NoPreview(NotFound):
    """There is no preview of this content, and will not be; fact: ``reason``, one of ``dtos.Reason``."""

    code = "previews.no_preview"
    title = "There is no preview of this file"

    def __init__(self, reason: str = "failed") -> None:
        super().__init__(reason=reason)
        self.reason = reason


class TooManyNodes(Invalid):
    """More nodes are asked for than one answer tells of; fact: ``limit``."""

    code = "previews.too_many_nodes"
    title = "These are too many at once"


class Unconfined(Unavailable):
    """The kernel lets no process give anything up, so no stranger's file is read on this machine."""

    code = "previews.unconfined"
    title = "Previews cannot be made safely here"
