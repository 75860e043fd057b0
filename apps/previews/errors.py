"""What can be wrong with a preview."""

from bitvault.kernel.errors import Invalid


class TooManyNodes(Invalid):
    """More nodes are asked for than one answer tells of; fact: ``limit``."""

    code = "previews.too_many_nodes"
    title = "These are too many at once"
