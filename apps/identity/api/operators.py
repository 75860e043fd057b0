"""Doors to the operators of the installation: who they are, and where they are written to."""

from collections.abc import Collection
from uuid import UUID

from apps.identity import for_operators
from bitvault.kernel.boundary import exposed


@exposed
def list_operators(*, permission: str) -> list[UUID]:
    """List the operators who are let in and have a permission of Django's, as ``app.codename``; one query."""
    return for_operators.list_operators(permission)


@exposed
def find_operator_address(*, operator_id: UUID) -> tuple[str, str] | None:
    """Find the address and the language (empty: none chosen) of an operator who is let in."""
    return for_operators.find_operator_address(operator_id)


@exposed
def name_operators(*, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """Name people as the operators' pages do, by name or address; one query. Who is gone has no name."""
    return for_operators.name_operators(user_ids)
