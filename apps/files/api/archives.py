"""The doors of archives: what goes into one."""

from collections.abc import Sequence
from uuid import UUID

from apps.files import archives
from apps.files.archives import ArchivedNode, ArchiveMeasure
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed

__all__ = ["ArchiveMeasure", "ArchivedNode", "list_archived", "measure_archive", "open_archive"]


@exposed
def measure_archive(*, actor: Actor, node_ids: Sequence[UUID]) -> ArchiveMeasure:
    """Tell how much an archive of some nodes, with all below them, holds.

    :raises TooManyAtOnce: more than a thousand nodes are named.
    :raises ArchiveTooLarge: it would hold more than 100,000 files and folders, or 100 GiB.
    """
    actor.require_scope(Scope.FILES_READ)
    return archives.measure(actor, node_ids)


@exposed
def list_archived(*, actor: Actor, node_ids: Sequence[UUID]) -> list[ArchivedNode]:
    """List what goes into an archive of some nodes: all below them at one moment, folders before what lies in them.

    :raises ArchiveTooLarge: it holds more than one archive does.
    """
    actor.require_scope(Scope.FILES_READ)
    return archives.list_entries(actor, node_ids)


@exposed
def open_archive(*, actor: Actor, archive_id: UUID, node_ids: Sequence[UUID], size_bytes: int) -> None:
    """Let the actor fetch an archive that was made for them, if they may still download each node of it, and let the stream know."""
    actor.require_scope(Scope.FILES_READ)
    archives.announce(actor, archive_id=archive_id, node_ids=node_ids, size_bytes=size_bytes)
