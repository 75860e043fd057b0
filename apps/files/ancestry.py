"""What a node lies in, for who tells people why somebody reaches it."""

from uuid import UUID

from apps.files import access
from apps.files.dtos import Ancestry, AncestryStep, Keeper, NamedNode
from apps.files.rows import Way, find_way, find_ways
from bitvault.kernel import db
from bitvault.kernel.actor import Actor


def get_ancestry(actor: Actor, node_id: UUID) -> Ancestry:
    """Read a node and all that it lies in; what the actor does not see has no name.

    :raises NotFound: there is no such node that the actor may know of.
    """
    with db.read_transaction():
        way = access.require_known(actor, find_way(node_id, actor))
    return _to_ancestry(actor, way)


def find_name(node_id: UUID) -> NamedNode | None:
    """Find what a node is called that lies neither in the trash nor below something that does."""
    with db.read_transaction():
        way = find_ways([node_id]).get(node_id)
    if way is None or not way.is_live:
        return None
    return NamedNode(way.node.id, way.node.kind_name, way.node.name)


def find_keeper(node_id: UUID) -> Keeper | None:
    """Find whose tree a node lies in that is neither in the trash nor below something that is."""
    with db.read_transaction():
        way = find_ways([node_id]).get(node_id)
    return Keeper(way.root.owner_user_id) if way is not None and way.is_live else None


def _to_ancestry(actor: Actor, way: Way) -> Ancestry:
    seen = {row.id for row, _ in access.list_visible(actor, way)}
    return Ancestry(
        node=access.describe(actor, way),
        steps=[AncestryStep(row.id, row.name if row.id in seen else None) for row in way.rows],
        owner_id=way.root.owner_user_id,
        in_team_folder=way.root.is_team_folder,
    )
