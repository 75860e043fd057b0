"""Reading what is written about nodes: Annotations tells what comments and descriptions say now."""

from collections.abc import Sequence

from apps.annotations.api import remarks as annotations
from apps.search import outgoing, remarks, versions
from apps.search.models import Remark
from bitvault.kernel import db

BATCH = 200
"""Comments that are read together: less than a megabyte."""


def read() -> int:
    """Read everything that is not read yet; returns how much it was. What changes meanwhile is read again by another job."""
    count = 0
    while True:
        with db.read_transaction():
            waiting = list(Remark.objects.filter(vector=None).order_by("remark_id")[:BATCH])
        if not waiting:
            return count
        texts = annotations.find_texts(remark_ids=[row.remark_id for row in waiting])
        for row in waiting:
            row.text = texts.get(row.remark_id, "")
            row.vector = remarks.write_vector(row.text)
        _keep(waiting)
        count += len(waiting)


def _keep(rows: Sequence[Remark]) -> None:
    """Keep what was read, unless it is gone or was changed again; what says nothing is gone."""
    with db.write_transaction():
        held = dict(
            Remark.objects.select_for_update()
            .filter(remark_id__in=[row.remark_id for row in rows])
            .values_list("remark_id", "seq")
        )
        read = [row for row in rows if held.get(row.remark_id) == row.seq]
        Remark.objects.bulk_update([row for row in read if row.text], ["text", "vector"])
        Remark.objects.filter(remark_id__in=[row.remark_id for row in read if not row.text]).delete()
        node_ids = {row.node_id for row in read}
        versions.raise_versions(node_ids)
        outgoing.note_nodes(node_ids, seq=None)
