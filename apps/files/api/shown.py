"""The doors of previews: content that is looked at and not downloaded, and what is kept that was made of it."""

from collections.abc import Collection, Sequence
from uuid import UUID

from apps.files import holders, queries
from apps.files.dtos import Content, Holder
from apps.files.retention import discarding
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.capabilities import Capability


@exposed
def find_held_contents(*, content_hashes: Sequence[str]) -> frozenset[str]:
    """Tell which of these contents some version of the entered tenant has, in the trash or not: for whoever keeps what is made of them."""
    return queries.find_held_contents(content_hashes)


@exposed
def list_holders(*, content_hash: str, limit: int) -> list[Holder]:
    """List versions of the entered tenant that have a content, the oldest first: for whoever judges contents and asks nobody's rights."""
    return holders.list_holders(content_hash, limit=limit)


@exposed
def discard_content(*, by: UUID, content_hash: str) -> tuple[int, int]:
    """Put all live files that have a content into the trash, whosever they are; returns how many, and how many are locked and stay.

    For whoever judges contents and asks nobody's rights. Repeatable.
    """
    return discarding.discard(by=by, content_hash=content_hash)


@exposed
def get_shown_content(*, actor: Actor, node_id: UUID, version_id: UUID | None = None) -> Content:
    """Find the bytes of a live file of which a preview is to be shown: to see it is enough, and it is no download.

    :raises NotAFile: the node is a folder.
    """
    actor.require_scope(Scope.FILES_READ)
    return queries.get_content(actor, node_id, version_id, capability=Capability.VIEW)


@exposed
def list_shown_contents(*, actor: Actor, node_ids: Collection[UUID]) -> dict[UUID, Content]:
    """Find the bytes of those of some nodes that are live files which the actor may see, as ``get_shown_content`` does of one."""
    actor.require_scope(Scope.FILES_READ)
    return queries.list_shown_contents(actor, node_ids)
