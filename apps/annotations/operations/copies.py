"""What a copy begins with: what is noted on its original."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bitvault.events.api import Published
from bitvault.events.catalog import files as told


@dataclass(frozen=True, slots=True)
class Copy:
    """A node that was made as a copy of another, and by whom."""

    node_id: UUID
    source_id: UUID
    made_by: UUID


def list_copies(events: Sequence[Published]) -> list[Copy]:
    """List the copies that events tell of. The copy of a copy that is among them itself has what the first original has."""
    origins: dict[UUID, Copy] = {}
    for published in events:
        match published.event:
            case told.FolderCreated() | told.VersionCommitted() as event if event.copied_from_node_id is not None:
                source_id = event.copied_from_node_id
                first_id = origins[source_id].source_id if source_id in origins else source_id
                origins[event.node_id] = Copy(event.node_id, first_id, published.actor_id or event.node_id)
    return list(origins.values())
