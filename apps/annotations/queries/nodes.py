"""Nodes of a list, judged with the rights of the moment: what the reader may not see now is left out."""

from collections.abc import Collection
from uuid import UUID

from apps.annotations.dtos import FolderAbove, NotedNode
from apps.files import api as files
from apps.files.dtos import FoundNode
from bitvault.kernel.actor import Actor


def find_noted(actor: Actor, node_ids: Collection[UUID]) -> dict[UUID, NotedNode]:
    """Read those of some nodes that are live and that the actor may see, in one query of Files."""
    if not node_ids:
        return {}
    found = files.find_visible(actor=actor, node_ids=node_ids, roots=True)
    return {node_id: _to_noted(one) for node_id, one in found.items()}


def _to_noted(found: FoundNode) -> NotedNode:
    node = found.node
    return NotedNode(
        id=node.id,
        kind=node.kind,
        name=node.name,
        parent_id=node.parent_id,
        revision=node.revision,
        size_bytes=node.size_bytes,
        media_type=node.media_type,
        modified_at=node.modified_at,
        capabilities=node.capabilities,
        path=[FolderAbove(step.id, step.name, step.is_own_root) for step in found.path],
        is_own_root=found.is_own_root,
        lock=node.lock,
    )
