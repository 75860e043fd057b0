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
