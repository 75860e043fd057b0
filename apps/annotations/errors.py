"""What annotations refuse, with stable codes."""

from bitvault.kernel.errors import Invalid


class TooManyFavourites(Invalid):
    """Somebody has as many favourites as one can have; fact: ``limit``."""

    code = "annotations.too_many_favourites"
    title = "You have as many favourites as you can have; remove some first"


class TooManyNodes(Invalid):
    """More nodes are named than one question takes; fact: ``limit``."""

    code = "annotations.too_many_nodes"
    title = "One request names a hundred nodes at most"
