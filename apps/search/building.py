"""Building the entered tenant's index in OpenSearch beside the one that is searched: filled from PostgreSQL, compared, then swapped.

Changes are noted for it from its beginning on, so nothing is missed; documents have versions, so nothing that is written twice or late does
harm. A build that ended in the middle goes on with the same part where it was; what that does not have is found by the comparison.
"""

from uuid import UUID

import structlog

from apps.search import outgoing, sending
from apps.search.models import Document, OutsideIndex, OutsideState, Unsent
from bitvault.jobs.api import report_progress
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.errors import Conflict

PAGE = 1_000
COMPARED_PAGE = 5_000
COMPARISONS = 3
"""How often what differs is sent again and compared again."""

logger = structlog.get_logger(__name__)


class StillDiffering(Conflict):
    """The index that was built is not what PostgreSQL holds, so it does not take the other's place; ``count`` documents differ."""

    code = "search.still_differing"
    title = "The index that was built differs"


def build() -> int:
    """Build the index and let searches go to it; returns how many documents it has. Repeatable.

    :raises ServiceDown: OpenSearch does not answer.
    :raises StillDiffering: some documents are not there, or others than in PostgreSQL.
    """
    if not outgoing.is_chosen():
        return 0
    # Its libraries are loaded where it is chosen, and nowhere else.
    from apps.search.opensearch import client, indices

    tenant_id = tenancy.current().id
    index = _begin()
    with client.lent() as opensearch:
        indices.ensure(opensearch, index.name)
    _fill(index)
    sending.send()
    _compare(index)
    with client.lent() as opensearch:
        indices.point(opensearch, tenant_id, index)
    replaced = _swap(index)
    with client.lent() as opensearch:
        indices.forget_others(opensearch, tenant_id, [index])
        for name in replaced:
            if name != index.name:
                indices.drop_own(opensearch, name)
    return index.total_count


def _begin() -> OutsideIndex:
    """Note the part that is built, or find the one that was begun. From here on changes are noted for it."""
    from apps.search.opensearch import indices

    with db.write_transaction():
        total = Document.objects.count()
        begun = OutsideIndex.objects.filter(state=OutsideState.BUILDING).first()
        if begun is not None and indices.is_current(begun.name):
            OutsideIndex.objects.filter(part=begun.part).update(total_count=total, differing_count=None)
            begun.total_count = total
            return begun
        OutsideIndex.objects.filter(state=OutsideState.BUILDING).delete()
        part = ids.new_id()
        name = indices.choose_name(part, total)
        return OutsideIndex.objects.create(part=part, name=name, total_count=total, begun_at=clock.now())


def _fill(index: OutsideIndex) -> None:
    from apps.search.opensearch import client, writing

    last, done = index.filled_to, index.done_count
    while True:
        with db.read_transaction():
            rows = Document.objects.order_by("node_id")
            rows = rows if last is None else rows.filter(node_id__gt=last)
            node_ids = list(rows.values_list("node_id", flat=True)[:PAGE])
        if not node_ids:
            return
        with client.lent() as opensearch:
            writing.write(opensearch, [index], tenancy.current().id, node_ids, refresh="false")
        last, done = node_ids[-1], done + len(node_ids)
        with db.write_transaction():
            OutsideIndex.objects.filter(part=index.part).update(done_count=done, filled_to=last)
        report_progress(done, index.total_count)


def _compare(index: OutsideIndex) -> None:
    """Compare each document's version; what differs is sent again.

    :raises StillDiffering: that did not help.
    """
    from apps.search.opensearch import client, indices, writing

    differing: list[UUID] = []
    for _ in range(COMPARISONS):
        with client.lent() as opensearch:
            indices.refresh(opensearch, index.name)
        differing = _find_differing(index)
        with db.write_transaction():
            OutsideIndex.objects.filter(part=index.part).update(differing_count=len(differing))
        if not differing:
            return
        for begin in range(0, len(differing), PAGE):
            with client.lent() as opensearch:
                some = differing[begin : begin + PAGE]
                writing.write(opensearch, [index], tenancy.current().id, some, refresh="false")
    raise StillDiffering(count=len(differing))


def _find_differing(index: OutsideIndex) -> list[UUID]:
    """Find the nodes that are there in another version, or only on one side; what is noted is on its way."""
    from apps.search.opensearch import client, comparing, writing

    found: list[UUID] = []
    last: UUID | None = None
    while True:
        with db.read_transaction():
            rows = Document.objects.defer("vector").order_by("node_id")
            page = list((rows if last is None else rows.filter(node_id__gt=last))[:COMPARED_PAGE])
            known = writing.list_versions(page)
        until = page[-1].node_id if len(page) == COMPARED_PAGE else None
        with client.lent() as opensearch:
            held = comparing.list_versions(opensearch, index, after=last, until=until)
        found += [node_id for node_id in known.keys() | held.keys() if known.get(node_id) != held.get(node_id)]
        if until is None:
            break
        last = until
    with db.read_transaction():
        noted = set(Unsent.objects.filter(node_id__in=found).values_list("node_id", flat=True))
    return [node_id for node_id in found if node_id not in noted]


def _swap(index: OutsideIndex) -> list[str]:
    """Let the part be the one that is searched; returns the server's indexes in which the others were."""
    with db.write_transaction():
        others = OutsideIndex.objects.exclude(part=index.part)
        names = list(others.values_list("name", flat=True))
        others.delete()
        OutsideIndex.objects.filter(part=index.part).update(state=OutsideState.LIVE, live_at=clock.now())
    logger.info("search_index_live", index=index.name, documents=index.total_count)
    return names
