"""The doors of copies."""

from uuid import UUID

from apps.files.dtos import Node, NodeRef
from apps.files.operations import copying
from apps.files.operations.copying import COPY_JOB, CopyFolder, CopyPage, CopyStep
from bitvault.jobs import api as jobs
from bitvault.kernel import names
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed

__all__ = [
    "COPY_JOB",
    "CopyFolder",
    "CopyPage",
    "CopyStep",
    "copy_node",
    "copy_page",
    "count_copied_page",
    "measure_copy",
    "measure_tree",
]


@exposed
def measure_copy(*, actor: Actor, node_id: NodeRef) -> int:
    """Tell how many bytes a copy of a node, with all below it, takes; of a tree that a job copies at least as many."""
    actor.require_scope(Scope.FILES_READ)
    return copying.measure(actor, node_id)


@exposed
def copy_node(
    *,
    actor: Actor,
    node_id: NodeRef,
    parent_id: NodeRef,
    name: str | None = None,
    autorename: bool = False,
    copy_id: UUID,
    made_on: str,
) -> tuple[Node | jobs.Job, int]:
    """Copy a node with all below it into a folder; no bytes move. Returns the copy and how many bytes its files have.

    Of a tree of more than a hundred nodes the top is made, and the answer is the job that copies the rest. Copies are new nodes of the
    actor's with one version each: history, labels and permissions stay with the originals. With ``autorename`` a taken name becomes
    ``name (2)``.

    :param copy_id: names the copy, for the room that was reserved for it.
    :raises NameTaken: a live sibling there has a name with the same key.
    :raises MoveCycle: the folder would be copied into itself.
    :raises NotAFolder: ``parent_id`` is a file.
    :raises InvalidName: the name cannot be used.
    :raises TypeRefused: a file would get an extension by ``name`` that the tenant does not let in.
    :raises TooDeep, PathTooLong, TooManyChildren: a limit would be passed.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return copying.begin(
        actor=actor,
        node_id=node_id,
        parent_id=parent_id,
        name=None if name is None else names.parse(name),
        autorename=autorename,
        copy_id=copy_id,
        made_on=made_on,
    )


@exposed
def measure_tree(*, node_id: UUID) -> tuple[int, int]:
    """Count the nodes and bytes of a tree, for the job that copies it."""
    return copying.measure_all(node_id)


@exposed
def count_copied_page(*, step: CopyStep) -> int:
    """Tell how many bytes the next page of a folder has that is being copied."""
    return copying.count_page(step)


@exposed
def copy_page(*, copy_id: UUID, top_id: UUID, user_id: UUID, made_on: str, step: CopyStep) -> CopyPage:
    """Copy the next page of a folder for ``user_id``, for the job that copies a tree; repeatable.

    :param top_id: the copy of the tree's top, which is no part of what is copied.
    """
    return copying.copy_page(copy_id=copy_id, top_id=top_id, user_id=user_id, made_on=made_on, step=step)
