"""What can be wrong with a preview."""

from bitvault.kernel.errors import Invalid


class TooManyNodes(Invalid):
    """More nodes are asked for than one answer tells of; fact: ``limit``."""

    code = "previews.too_many_nodes"
    title = "These are too many at once"


class PictureUnfit(Invalid):
    """What was sent is no picture that can be shown; the fact ``reason`` says why (as for previews)."""

    code = "previews.picture_unfit"
    title = "This file cannot be shown as a picture. Choose a PNG, JPEG or WebP of at most 50 megapixels"
