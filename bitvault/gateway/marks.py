"""Marks of nodes for answers of modules that stand below Annotations."""

from collections.abc import Collection, Mapping
from uuid import UUID

from apps.annotations import api as annotations
from bitvault.kernel.actor import Actor
from bitvault.web.marks import Label, Marks


def find_marks(actor: Actor, node_ids: Collection[UUID]) -> Mapping[UUID, Marks]:
    """Ask Annotations, by one statement (``settings.BITVAULT_MARKS_FINDER``)."""
    found = annotations.find_marks(actor=actor, node_ids=node_ids)
    return {
        node_id: Marks([Label(tag.id, tag.name, tag.colour) for tag in one.tags], one.favourite)
        for node_id, one in found.items()
    }
