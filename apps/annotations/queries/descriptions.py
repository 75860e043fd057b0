"""Descriptions of folders."""

from collections.abc import Mapping
from uuid import UUID

from apps.annotations import dtos, sql
from apps.annotations.models import Description
from apps.annotations.queries.comments import name_people
from bitvault.kernel import db
from bitvault.kernel.actor import Actor


def get(actor: Actor, node_id: UUID) -> dtos.FolderDescription:
    """Read the description of a folder; one that never had any has revision 0. Whoever calls has judged the right."""
    with db.read_transaction():
        row = Description.objects.filter(pk=node_id).first()
    if row is None:
        return dtos.FolderDescription(node_id=node_id)
    return to_description(row, name_people(actor, [row.changed_by]))


def find_text(node_id: UUID) -> tuple[str, int]:
    """Find the text of a folder's description, empty where there is none, and its revision; by one statement."""
    for text, revision in db.read_alone(sql.DESCRIPTION, {"node_id": node_id}):
        return text, revision
    return "", 0


def to_description(row: Description, people: Mapping[UUID, str]) -> dtos.FolderDescription:
    """Give a description as it passes through the door."""
    return dtos.FolderDescription(
        node_id=row.node_id,
        text=row.text,
        revision=row.revision,
        changed_by=dtos.CommentPerson(row.changed_by, people.get(row.changed_by, "")),
        changed_at=row.changed_at,
    )
