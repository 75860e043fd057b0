"""Descriptions of folders: writing and removing them, by whoever may edit the folder."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from apps.annotations import dtos, errors
from apps.annotations.models import Description
from apps.annotations.operations.copies import Copy
from apps.annotations.operations.writing import read_text
from apps.annotations.queries import descriptions as queries
from apps.annotations.queries.comments import name_people
from apps.files import api as files
from apps.files.errors import NotAFolder
from bitvault.events.api import publish
from bitvault.events.catalog.annotations import DescriptionChanged
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import CapabilityName
from bitvault.kernel.errors import Forbidden, PreconditionRequired
from bitvault.kernel.revisions import ExpectedRevision, is_expected

TEXT_LIMIT = 5_000
"""Characters of a description: two screens; longer ones are documents."""


def require_folder(actor: Actor, node_id: UUID, capability: CapabilityName) -> UUID:
    """Judge what an actor may do with a live folder, and give its id.

    :raises NotFound: there is no such node that the actor may know of.
    :raises Forbidden: the actor lacks the capability there.
    :raises NotAFolder: it is a file.
    """
    node = files.get_node(actor=actor, node_id=node_id)
    if capability not in node.capabilities:
        raise Forbidden("This needs the capability %(capability)s.", capability=capability)
    if node.kind != "folder":
        raise NotAFolder
    return node.id


def write(*, actor: Actor, node_id: UUID, text: str, expected_revision: ExpectedRevision) -> dtos.FolderDescription:
    """Let a folder have this description; the one that it has already stays, whatever was expected.

    :raises NotFound, Forbidden, NotAFolder: there is no such folder, or the actor may not edit it.
    :raises DescriptionUnfit: the text cannot be kept.
    :raises PreconditionRequired: there is a description, and the caller does not say which one it has read.
    :raises DescriptionMismatch: it has changed since.
    """
    node_id = require_folder(actor, node_id, "edit")
    wanted = read_text(text, limit=TEXT_LIMIT)
    if wanted is None:
        raise errors.DescriptionUnfit(limit=TEXT_LIMIT)
    with db.write_transaction():
        row, _ = Description.objects.select_for_update().get_or_create(
            node_id=node_id, defaults={"changed_by": actor.user_id, "changed_at": clock.now()}
        )
        if row.text != wanted:
            if row.text and expected_revision is None:
                raise PreconditionRequired
            _require(row, expected_revision)
            _change(row, wanted, actor.user_id)
    return queries.to_description(row, name_people(actor, [row.changed_by]))


def remove(*, actor: Actor, node_id: UUID, expected_revision: ExpectedRevision) -> None:
    """Let a folder have no description; one that has none stays so. Its revision lives on: what was read before is still outdated.

    :raises NotFound, Forbidden, NotAFolder: there is no such folder, or the actor may not edit it.
    :raises DescriptionMismatch: it has changed since the caller read it.
    """
    node_id = require_folder(actor, node_id, "edit")
    with db.write_transaction():
        row = Description.objects.select_for_update().filter(pk=node_id).first()
        if row is not None and row.text:
            _require(row, expected_revision)
            _change(row, "", actor.user_id)


def carry_to_copies(copies: Sequence[Copy]) -> None:
    """Give copies of folders the descriptions of their originals, in the open transaction of the consumer."""
    texts: Mapping[UUID, str] = dict(
        Description.objects.filter(node_id__in={copy.source_id for copy in copies})
        .exclude(text="")
        .values_list("node_id", "text")
    )
    described = [copy for copy in copies if copy.source_id in texts]
    new = [
        Description(
            node_id=copy.node_id,
            text=texts[copy.source_id],
            revision=1,
            changed_by=copy.made_by,
            changed_at=clock.now(),
        )
        for copy in described
    ]
    Description.objects.bulk_create(new, ignore_conflicts=True)
    kept = Description.objects.in_bulk([copy.node_id for copy in described])
    for copy in described:
        _tell(kept[copy.node_id], copy.made_by)


def _require(row: Description, expected: ExpectedRevision) -> None:
    """Refuse to change what the caller has not read; a folder that never had a description has nothing to read.

    :raises DescriptionMismatch: it is not as expected.
    """
    if expected is not None and not (row.revision and is_expected(row.revision, expected)):
        raise errors.DescriptionMismatch(revision=row.revision)


def _change(row: Description, text: str, user_id: UUID) -> None:
    row.text, row.revision = text, row.revision + 1
    row.changed_by, row.changed_at = user_id, clock.now()
    row.save()
    _tell(row, user_id)


def _tell(row: Description, user_id: UUID) -> None:
    publish(DescriptionChanged(actor_id=user_id, node_id=row.node_id, revision=row.revision, is_removed=row.text == ""))
