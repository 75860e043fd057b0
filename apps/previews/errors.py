"""What can be wrong with a preview."""

from bitvault.kernel.errors import Invalid, Unavailable


class TooManyNodes(Invalid):
    """More nodes are asked for than one answer tells of; fact: ``limit``."""

    code = "previews.too_many_nodes"
    title = "These are too many at once"


class Unconfined(Unavailable):
    """The kernel lets no process give anything up, so no stranger's file is read on this machine."""

    code = "previews.unconfined"
    title = "Previews cannot be made safely here"
