"""Downloads: that one was allowed is an event, for the audit log and the meter; the bytes come from the store."""

from uuid import UUID

from apps.files.dtos import Content
from bitvault.events.api import publish
from bitvault.events.catalog.files import DownloadSigned
from bitvault.kernel.actor import Actor


def announce(actor: Actor, node_id: UUID, content: Content) -> None:
    """Publish, in the open transaction, that the bytes of a version may be fetched by the actor."""
    publish(
        DownloadSigned(
            node_id=node_id, version_id=content.version_id, size_bytes=content.size_bytes, actor_id=actor.user_id
        )
    )
