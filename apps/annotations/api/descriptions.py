"""The doors of folders' descriptions."""

from uuid import UUID

from apps.annotations import dtos
from apps.annotations.operations import descriptions as operations
from apps.annotations.queries import descriptions
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.revisions import ExpectedRevision


@exposed
def get_description(*, actor: Actor, node_id: UUID) -> dtos.FolderDescription:
    """Read the description of a folder; the text is empty where it has none.

    :raises NotFound: there is no such node that the actor may know of.
    :raises Forbidden: the actor may not view it.
    :raises NotAFolder: it is a file.
    """
    actor.require_scope(Scope.FILES_READ)
    return descriptions.get(actor, operations.require_folder(actor, node_id, "view"))


@exposed
def find_description(*, node_id: UUID) -> dtos.DescriptionText:
    """Find what stands above the list of a folder that the caller has judged already: one statement."""
    return dtos.DescriptionText(*descriptions.find_text(node_id))


@exposed
def set_description(
    *, actor: Actor, node_id: UUID, text: str, expected_revision: ExpectedRevision = None
) -> dtos.FolderDescription:
    """Let a folder have this description, which is Markdown. Repeatable: what holds already changes nothing.

    :param expected_revision: the one that the caller has read; a folder without a description needs none.
    :raises NotFound: there is no such node that the actor may know of.
    :raises Forbidden: the actor may not edit it.
    :raises NotAFolder: it is a file.
    :raises DescriptionUnfit: the text is empty, too long, or holds control characters.
    :raises PreconditionRequired: there is a description, and the caller does not say which one it has read.
    :raises DescriptionMismatch: it has changed since.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return operations.write(actor=actor, node_id=node_id, text=text, expected_revision=expected_revision)


@exposed
def remove_description(*, actor: Actor, node_id: UUID, expected_revision: ExpectedRevision = None) -> None:
    """Let a folder have no description. Repeatable.

    :raises NotFound: there is no such node that the actor may know of.
    :raises Forbidden: the actor may not edit it.
    :raises NotAFolder: it is a file.
    :raises DescriptionMismatch: it has changed since the caller read it, who says which one it was.
    """
    actor.require_scope(Scope.FILES_WRITE)
    operations.remove(actor=actor, node_id=node_id, expected_revision=expected_revision)
