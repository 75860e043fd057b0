"""What people note on files and folders, as far as it concerns others. Producer: ``apps/annotations``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCreated(Event):
    """The tenant has another tag."""

    type: ClassVar[str] = "annotations.tag.created.v1"

    tag_id: UUID
    name: str
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagChanged(Event):
    """A tag has another name or colour; both are told as they are now, and hold for every node that has it."""

    type: ClassVar[str] = "annotations.tag.changed.v1"

    tag_id: UUID
    name: str
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagDeleted(Event):
    """A tag is gone, and with it from every node that had it."""

    type: ClassVar[str] = "annotations.tag.deleted.v1"

    tag_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTagged(Event):
    """A node has other tags than before: all that it has now, by name. Copies begin with the tags of their originals."""

    type: ClassVar[str] = "annotations.node.tagged.v1"

    node_id: UUID
    tag_ids: Sequence[UUID]
    tag_names: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentAdded(Event):
    """Somebody wrote a comment on a node; ``thread_id`` names the thread that it is a reply in.

    ``owner_id`` is who is told as the owner of the node; ``None`` where they wrote it, or hear of it by one of the other events.
    """

    type: ClassVar[str] = "annotations.comment.added.v1"

    comment_id: UUID
    node_id: UUID
    thread_id: UUID | None
    owner_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentAnswered(Event):
    """A reply stands in a thread in which ``user_id`` wrote before; ``is_starter``: they began it. One for each of them."""

    type: ClassVar[str] = "annotations.comment.answered.v1"

    comment_id: UUID
    node_id: UUID
    thread_id: UUID
    user_id: UUID
    is_starter: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMentioned(Event):
    """A comment names ``user_id``, who may not be able to see it: whoever tells them judges that."""

    type: ClassVar[str] = "annotations.person.mentioned.v1"

    comment_id: UUID
    node_id: UUID
    thread_id: UUID | None
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentChanged(Event):
    """A comment has another text, or its thread is resolved or open again."""

    type: ClassVar[str] = "annotations.comment.changed.v1"

    comment_id: UUID
    node_id: UUID
    thread_id: UUID | None
    is_resolved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentDeleted(Event):
    """A comment is gone; the top of a thread took its replies along."""

    type: ClassVar[str] = "annotations.comment.deleted.v1"

    comment_id: UUID
    node_id: UUID
    thread_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptionChanged(Event):
    """A folder has another description, or none any more. Copies begin with that of their originals."""

    type: ClassVar[str] = "annotations.description.changed.v1"

    node_id: UUID
    revision: int
    is_removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCreated(Event):
    """The tenant has another template of metadata, with these fields."""

    type: ClassVar[str] = "annotations.template.created.v1"

    template_id: UUID
    name: str
    field_names: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChanged(Event):
    """A template has another name or other fields; what was in those that are removed is gone from every node."""

    type: ClassVar[str] = "annotations.template.changed.v1"

    template_id: UUID
    name: str
    field_names: Sequence[str]
    removed_field_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateDeleted(Event):
    """A template is gone, and with it what nodes had in its fields."""

    type: ClassVar[str] = "annotations.template.deleted.v1"

    template_id: UUID
    name: str
    removed_field_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataChanged(Event):
    """A node has other metadata than before: all that it has now, a field in each place. Copies begin with that of their originals.

    ``kinds`` are text, number, date, choice and person; ``values`` are as they are kept: days as 2026-12-31, people by their ids.
    """

    type: ClassVar[str] = "annotations.metadata.changed.v1"

    node_id: UUID
    field_ids: Sequence[UUID]
    names: Sequence[str]
    kinds: Sequence[str]
    values: Sequence[str]
