"""Files with a content that nobody is to have go into the trash, wherever they lie, from where they go as everything there does."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import F

from apps.files import limits
from apps.files.models import Version
from apps.files.rewinding.writing import Trashed, write
from apps.files.rows import Way, find_ways
from apps.files.tree import tree_transaction
from bitvault.kernel import clock, db


def discard(*, by: UUID, content_hash: str) -> tuple[int, int]:
    """Put live files whose current content this is into the trash; returns how many, and how many stay because somebody has locked them.

    Done again, it goes on with what is left. Legal holds keep nobody from putting things into the trash, and keep them there.
    """
    with db.read_transaction():
        current = Version.objects.filter(content_hash=content_hash, node__version_id=F("id"))
        node_ids = list(current.order_by("node_id").values_list("node_id", flat=True))
    counts = [
        _trash(by, content_hash, node_ids[start : start + limits.RETENTION_BATCH])
        for start in range(0, len(node_ids), limits.RETENTION_BATCH)
    ]
    return sum(trashed for trashed, _ in counts), sum(locked for _, locked in counts)


def _trash(by: UUID, content_hash: str, node_ids: Sequence[UUID]) -> tuple[int, int]:
    with tree_transaction(holds_commits=True):
        still = set(
            Version.objects.filter(
                content_hash=content_hash, node__version_id=F("id"), node_id__in=node_ids
            ).values_list("node_id", flat=True)
        )
        live: list[Way] = [way for way in find_ways(node_ids).values() if way.is_live and way.node.id in still]
        free = [way for way in live if way.node.lock is None]
        if free:
            write(trashed=[Trashed(way) for way in free], placed=[], contents=[], user_id=by, now=clock.now())
    return len(free), len(live) - len(free)
