"""What requests to annotations may say."""

from apps.annotations.dtos import TagColour
from bitvault.web.structs import Body, Query


class WhichNodes(Query, frozen=True):
    """Of which nodes (ids, parted by commas; a hundred at most)."""

    node_ids: str


class CreateTag(Body, frozen=True):
    """What the tag is called (a line of up to 60 characters without a comma), and its colour."""

    name: str
    colour: TagColour = "grey"


class ChangeTag(Body, frozen=True):
    """Another name, another colour, or both."""

    name: str | None = None
    colour: TagColour | None = None
