"""What was shared with somebody, and what somebody has shared: permissions with their nodes, as the reader may see them now."""

from apps.annotations import api as annotations
from apps.files import api as files
from apps.files.dtos import Node
from apps.sharing import dtos, queries
from apps.sharing.models import Permission
from bitvault.kernel import db
from bitvault.kernel.actor import Actor
from bitvault.kernel.pages import Page


def list_with(actor: Actor, wanted: dtos.Received, *, limit: int, cursor: str | None) -> Page[dtos.SharedItem]:
    """List what others have shared with an actor; nodes that lie in the trash are left out."""
    asks = wanted.only_favourites or wanted.sort == "favourites"
    favourite_ids = annotations.list_favourite_ids(actor=actor) if asks else frozenset()
    with db.read_transaction():
        rows, next_cursor = queries.list_with(actor, wanted, favourite_ids=favourite_ids, limit=limit, cursor=cursor)
    return Page(to_items(actor, rows), next_cursor)


def list_by(actor: Actor, *, limit: int, cursor: str | None) -> Page[dtos.SharedItem]:
    """List what an actor has shared, newest first; nodes that lie in the trash are left out."""
    with db.read_transaction():
        rows, next_cursor = queries.list_by(actor, limit=limit, cursor=cursor)
    return Page(to_items(actor, rows), next_cursor)


def to_items(actor: Actor, rows: list[Permission]) -> list[dtos.SharedItem]:
    """Give permissions with their nodes, as an actor sees them; those whose node they do not see are left out."""
    if not rows:
        return []
    nodes = {node.id: node for node in files.list_nodes(actor=actor, node_ids={row.node_id for row in rows})}
    principals = queries.describe(actor.tenant, rows)
    givers = queries.describe_people(actor.tenant, {row.granted_by for row in rows})
    return [
        dtos.SharedItem(
            share=queries.to_share(row, principals[row.id]),
            node=to_shared_node(nodes[row.node_id]),
            granted_by=givers.get(row.granted_by),
            message=row.message,
        )
        for row in rows
        if row.node_id in nodes and row.id in principals
    ]


def to_shared_node(node: Node) -> dtos.SharedNode:
    """Give what is shown of a node."""
    return dtos.SharedNode(
        id=node.id,
        kind=node.kind,
        name=node.name,
        size_bytes=node.size_bytes,
        media_type=node.media_type,
        modified_at=node.modified_at,
        capabilities=node.capabilities,
        lock=node.lock,
    )
