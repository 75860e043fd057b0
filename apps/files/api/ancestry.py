"""Doors to what a node lies in, and what it is called, for those who tell people of it."""

from collections.abc import Collection
from uuid import UUID

from apps.files import ancestry, queries
from apps.files.dtos import Ancestry, Keeper, NamedNode
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed


@exposed
def get_ancestry(*, actor: Actor, node_id: UUID) -> Ancestry:
    """Read a node and all that it lies in, for who tells why somebody reaches it. What the actor does not see has an id and no name.

    :raises NotFound: there is no such node that the actor may know of.
    """
    actor.require_scope(Scope.FILES_READ)
    return ancestry.get_ancestry(actor, node_id)


@exposed
def find_name(*, node_id: UUID) -> NamedNode | None:
    """Find what a live node of the entered tenant is called, for mails to people who reach it. Whoever asks has judged that they do."""
    return ancestry.find_name(node_id)


@exposed
def list_ancestries(*, node_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Read the ids from some nodes of the entered tenant up to where their trees begin, the nodes first: for a derivation."""
    return queries.list_ancestries(node_ids)


@exposed
def find_keeper(*, node_id: UUID) -> Keeper | None:
    """Find whose tree a live node of the entered tenant lies in, for who asks them; ``None`` where there is no such node."""
    return ancestry.find_keeper(node_id)
