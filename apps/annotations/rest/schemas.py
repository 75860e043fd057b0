"""What requests to annotations may say."""

from uuid import UUID

from apps.annotations.dtos import FieldKind, TagColour
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


class SetDescription(Body, frozen=True):
    """What the folder is for: Markdown of up to 5,000 characters."""

    text: str


class WantedField(Body, frozen=True):
    """A field: its name, its kind, and what can be chosen. With ``id`` one that the template has; its kind stays."""

    name: str
    kind: FieldKind
    choices: list[str] = []
    id: UUID | None = None


class CreateTemplate(Body, frozen=True):
    """What the template is called (a line of up to 60 characters), and its fields in their order, 30 at most."""

    name: str
    fields: list[WantedField]


class ChangeTemplate(Body, frozen=True):
    """Another name, or all fields that it is to have: one that is left out goes, with what files and folders have in it."""

    name: str | None = None
    fields: list[WantedField] | None = None


class SetMetadata(Body, frozen=True):
    """A number, or text: a day as 2026-12-31, one of the choices, a member's id."""

    value: str | int | float
