"""Which files have a content: for whoever judges contents and has to name files."""

from apps.files.dtos import Holder
from apps.files.models import Version
from bitvault.kernel import db


def list_holders(content_hash: str, *, limit: int) -> list[Holder]:
    """List versions with a content, the oldest first, with what their files are called now."""
    rows = Version.objects.filter(content_hash=content_hash).select_related("node").order_by("id")[:limit]
    with db.read_transaction():
        return [
            Holder(
                node_id=row.node_id,
                version_id=row.id,
                name=row.node.name,
                media_type=row.media_type,
                sender_id=row.created_by,
                is_current=row.node.version_id == row.id,
            )
            for row in rows
        ]
