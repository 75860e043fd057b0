"""Eyes on what was: the record brought up to date, and trees as they were written down while it happened."""

from datetime import UTC, datetime

from apps.files.api import history
from bitvault.events import consuming
from tests.apps.files.conftest import fetch, last_seq


def catch_up():
    """Bring the record of what was to the head of the stream."""
    while consuming.consume(history.CONSUMER):
        pass


def photograph(root_id):
    """What lies below a node now: path to (kind, node, content hash of its version)."""
    rows = fetch(
        """
        WITH RECURSIVE below AS (
            SELECT id, kind, content_hash, '' AS path FROM files_node WHERE id = %s
            UNION ALL
            SELECT child.id, child.kind, child.content_hash, below.path || '/' || child.name
            FROM below JOIN files_node child ON child.parent_id = below.id
        ) SELECT path, kind, id, content_hash FROM below WHERE path <> ''
        """,
        [root_id],
    )
    return {path: (kind, node_id, content_hash) for path, kind, node_id, content_hash in rows}


def read_past(actor, folder_id, as_of, path=""):
    """The same by what is told of a moment."""
    told, cursor = {}, None
    while True:
        page = history.list_children_as_of(actor=actor, node_id=folder_id, as_of=str(as_of), limit=3, cursor=cursor)
        for item in page.items:
            here = f"{path}/{item.name}"
            told[here] = (0 if item.kind == "folder" else 1, item.id, item.content_hash or "")
            if item.kind == "folder" and item.now != "purged":
                told |= read_past(actor, item.id, as_of, here)
        cursor = page.next_cursor
        if cursor is None:
            return told


def now():
    return datetime.now(UTC).isoformat()


__all__ = ["catch_up", "last_seq", "now", "photograph", "read_past"]
