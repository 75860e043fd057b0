"""The doors of folders' rules for files."""

from collections.abc import Sequence

from apps.files.dtos import NodeRef
from apps.files.dtos.rules import FolderRules
from apps.files.operations import ruling
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.file_rules import FileTypes

__all__ = ["get_rules", "remove_rules", "set_rules"]


@exposed
def get_rules(*, actor: Actor, node_id: NodeRef) -> FolderRules:
    """Read which files come into a folder, for who may know of it; names of folders above that they do not see are left out.

    :raises NotAFolder: the node is a file.
    """
    return ruling.get_rules(actor, node_id)


@exposed
def set_rules(
    *,
    actor: Actor,
    node_id: NodeRef,
    types: FileTypes = "all",
    extensions: Sequence[str] = (),
    largest_bytes: int | None = None,
) -> FolderRules:
    """Say which files come into a folder and all below it, for who manages it. Rules tighten what stands above; what is here stays.

    :raises NotAFolder: the node is a file.
    :raises RulesUnfit: a type cannot be read, they are too many, or the size is none.
    """
    actor.require_scope(Scope.FILES_WRITE)
    rules = ruling.read_rules(types=types, extensions=extensions, largest_bytes=largest_bytes)
    return ruling.set_rules(actor=actor, node_id=node_id, rules=rules)


@exposed
def remove_rules(*, actor: Actor, node_id: NodeRef) -> FolderRules:
    """Take a folder's own rules away, for who manages it; those above it hold on. Repeatable.

    :raises NotAFolder: the node is a file.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return ruling.set_rules(actor=actor, node_id=node_id, rules=None)
