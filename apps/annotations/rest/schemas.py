"""What requests to annotations may say."""

from uuid import UUID

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


class AddComment(Body, frozen=True):
    """The text, whom it names (members' ids, who are told), and for a reply the comment that it replies to."""

    text: str
    reply_to_id: UUID | None = None
    mentions: list[UUID] = []


class ChangeComment(Body, frozen=True):
    """Another text and whom it names, for who wrote it; ``resolved`` for whoever may comment, of a thread."""

    text: str | None = None
    mentions: list[UUID] | None = None
    resolved: bool | None = None
