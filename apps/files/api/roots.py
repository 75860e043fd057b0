"""The door to where trees begin: members' own roots and team folders, by what the gateway asks other modules about."""

from collections.abc import Collection
from uuid import UUID

from apps.files import queries
from bitvault.kernel.boundary import exposed


@exposed
def find_root_id(*, node_id: UUID) -> UUID | None:
    """Find where the tree begins that a node lies in; rights are judged elsewhere."""
    return queries.find_root_id(node_id)


@exposed
def find_personal_roots(*, user_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Find the roots of people, by their ids; who has opened the vault never has none."""
    return queries.find_personal_roots(user_ids)


@exposed
def find_team_folders(*, node_ids: Collection[UUID]) -> set[UUID]:
    """Tell which of these nodes are live team folders."""
    return queries.find_team_folders(node_ids)
