"""Folders that somebody else has chosen the ids of, so that each is made once."""

from uuid import UUID

from apps.files.operations import structure
from bitvault.kernel import names
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed


@exposed
def ensure_folder(*, actor: Actor, node_id: UUID, parent_id: UUID, name: str) -> bool:
    """Make a folder under an id that the caller has chosen (``name (2)`` where the name is taken); a second time changes nothing.

    ``False``: it was made before, and lies in the trash now.

    :raises InvalidName: the name cannot be used.
    :raises NotAFolder: the parent, or what has the id, is a file.
    :raises TooDeep, PathTooLong, TooManyChildren: a limit would be passed.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return structure.ensure_folder(actor=actor, node_id=node_id, parent_id=parent_id, name=names.parse(name))
