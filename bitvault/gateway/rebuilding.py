"""Making the meter anew: Files shows what there is, Billing counts it. Neither asks the other for it, since Files calls Billing already."""

from collections.abc import Sequence

from apps.billing import api as billing
from apps.billing.dtos import MeteredNode
from apps.files import api as files
from apps.files.dtos import TreeRow
from bitvault.events.api import rebuilds


@rebuilds(consumer=billing.CONSUMER)
def rebuild_meter() -> int:
    """Make the entered tenant's meter anew; returns the number from which the stream goes on."""
    billing.start_rebuild()
    page = files.list_tree_rows()
    first_seq = last_seq = page.as_of_seq
    while page.items:
        last_seq = page.as_of_seq
        billing.keep_rebuilt(nodes=_as_metered(page.items), as_of_seq=last_seq)
        page = files.list_tree_rows(after=page.items[-1].id)
    return billing.finish_rebuild(first_seq=first_seq, last_seq=last_seq)


def _as_metered(rows: Sequence[TreeRow]) -> list[MeteredNode]:
    return [
        MeteredNode(
            node_id=row.id,
            parent_id=row.parent_id,
            is_folder=row.kind == "folder",
            is_trashed=row.is_trashed,
            size_bytes=row.versions_bytes,
            version_count=row.version_count,
        )
        for row in rows
    ]
