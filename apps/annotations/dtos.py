"""What the doors of annotations give and take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from apps.files.dtos import Lock
from bitvault.kernel.capabilities import CapabilityName

NODES_LIMIT = 100
"""Nodes that one question names: two screens of a list."""

Deed = Literal["added", "changed", "renamed", "opened"]
"""What somebody did last with a file; ``opened`` is a download."""


TagColour = Literal["grey", "red", "orange", "brown", "green", "teal", "blue", "purple", "pink"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLabel:
    """A tag of the tenant: a word with a colour that files and folders can have."""

    id: UUID
    name: str
    colour: TagColour


@dataclass(frozen=True, slots=True)
class TaggedNode:
    """Which tags a node has, as a derivation needs it: no rights."""

    node_id: UUID
    tag_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class TaggedNodes:
    """Tagged nodes in the order of their ids, exactly as they are at a number of the stream."""

    items: Sequence[TaggedNode]
    as_of_seq: int


@dataclass(frozen=True, slots=True)
class FolderAbove:
    """A folder as the reader sees it; ``is_own_root`` is the one without a name of its own."""

    id: UUID
    name: str
    is_own_root: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedNode:
    """A file or folder in a list of annotations, with the folders that it lies in as far as the reader sees them, topmost first."""

    id: UUID
    kind: Literal["folder", "file"]
    name: str
    parent_id: UUID | None
    revision: int
    size_bytes: int | None
    media_type: str | None
    modified_at: datetime
    capabilities: Sequence[CapabilityName]
    path: Sequence[FolderAbove]
    is_own_root: bool = False
    lock: Lock | None = None


@dataclass(frozen=True, slots=True)
class Favourite:
    """Something that the reader wants at hand."""

    node: NotedNode
    marked_at: datetime


@dataclass(frozen=True, slots=True)
class Recent:
    """A file that the reader had to do with, as of the last time."""

    node: NotedNode
    what: Deed
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What a list shows on a node: whether it is a favourite of the reader, its tags by name, and how many threads of comments are open."""

    node_id: UUID
    favourite: bool = False
    tags: Sequence[NodeLabel] = ()
    open_thread_count: int = 0


@dataclass(frozen=True, slots=True)
class MarksList:
    """Marks of some nodes; those that the reader may not see, and those without any, are left out."""

    items: Sequence[Marks]


@dataclass(frozen=True, slots=True)
class CommentPerson:
    """Somebody who wrote or is named; the name is empty for who is no member any more."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment on a node: the top of a thread with its replies, or a reply (``reply_to_id`` names the top).

    A thread that is resolved has ``resolved_at`` and ``resolved_by``.
    """

    id: UUID
    node_id: UUID
    reply_to_id: UUID | None
    author: CommentPerson
    text: str
    mentions: Sequence[CommentPerson]
    created_at: datetime
    edited_at: datetime | None
    resolved_at: datetime | None
    resolved_by: CommentPerson | None
    replies: "Sequence[Comment]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderDescription:
    """What a folder is for, in Markdown; an empty text where it has no description. ``revision`` is 0 where it never had one."""

    node_id: UUID
    text: str = ""
    revision: int = 0
    changed_by: CommentPerson | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DescriptionText:
    """The text of a folder's description, empty where there is none, and its revision."""

    text: str
    revision: int


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment or a description as a derivation needs it: no rights. A description has the id of its folder."""

    id: UUID
    node_id: UUID
    thread_id: UUID | None
    text: str


@dataclass(frozen=True, slots=True)
class Remarks:
    """Comments, or descriptions, in the order of their ids, exactly as they are at a number of the stream."""

    items: Sequence[Remark]
    as_of_seq: int


FieldKind = Literal["text", "number", "date", "choice", "person"]

Value = str | float
"""A number as such; all else as text: a day as 2026-12-31, a person by the id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataField:
    """A field of a template; ``choices`` where its kind is ``choice``."""

    id: UUID
    name: str
    kind: FieldKind
    choices: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataTemplate:
    """A named set of fields that files and folders can have, in their order."""

    id: UUID
    name: str
    fields: Sequence[MetadataField]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldWish:
    """A field as a template is to have it; ``id`` of one that it has already, whose kind stays."""

    id: UUID | None = None
    name: str
    kind: FieldKind
    choices: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataValue:
    """What a node has in a field. ``label`` is how people read it: a person's name, else the value as text."""

    field_id: UUID
    template_id: UUID
    template_name: str
    name: str
    kind: FieldKind
    value: Value
    label: str
    set_by: UUID
    set_at: datetime


@dataclass(frozen=True, slots=True)
class NodeMetadata:
    """All metadata of a node, by template and field."""

    items: Sequence[MetadataValue]


@dataclass(frozen=True, slots=True)
class HeldValue:
    """A value as a derivation needs it: no rights."""

    field_id: UUID
    kind: FieldKind
    value: str


@dataclass(frozen=True, slots=True)
class DescribedNode:
    """What a node has in fields, as a derivation needs it: no rights."""

    node_id: UUID
    values: Sequence[HeldValue]


@dataclass(frozen=True, slots=True)
class DescribedNodes:
    """Nodes with metadata in the order of their ids, exactly as they are at a number of the stream."""

    items: Sequence[DescribedNode]
    as_of_seq: int
