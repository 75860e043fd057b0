"""Rebuilds: as jobs that operators ask for, and the one of the meter, which takes two modules.

Files shows what there is, Billing counts it. Neither asks the other for it, since Files calls Billing already.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from apps.billing import api as billing
from apps.billing.dtos import MeteredNode
from apps.files import api as files
from apps.files.dtos import TreeRow
from bitvault.events import operating
from bitvault.events.api import rebuilds
from bitvault.jobs import api as jobs
from bitvault.kernel import db

REBUILD_JOB = "events.rebuild"

REBUILD_TIMEOUT = timedelta(hours=6)
"""How long a rebuild may take: some 100 million nodes."""


class RebuildConsumer(msgspec.Struct, frozen=True):
    """Which derivation is rebuilt."""

    consumer: str


class Rebuilt(msgspec.Struct, frozen=True):
    """The number of the stream from which the consumer goes on."""

    seq: int


def request_rebuild(*, consumer: str, operator_id: UUID) -> jobs.Job:
    """Have a derivation of the entered tenant rebuilt; one that waits or runs already is the answer.

    :raises CannotRebuild: what the consumer keeps can only go on; the answer says why.
    """
    operating.require_rebuildable(consumer=consumer)
    with db.write_transaction():
        return jobs.enqueue(
            REBUILD_JOB,
            RebuildConsumer(consumer=consumer),
            key=consumer,
            by=jobs.Requester("operator", operator_id),
        )


@jobs.job_kind(REBUILD_JOB, payload=RebuildConsumer, lane=jobs.BULK, tries=3, timeout=REBUILD_TIMEOUT)
def rebuild(payload: RebuildConsumer, run: jobs.Run) -> Rebuilt:
    """Rebuild a derivation. It begins anew at each try, and overtakes one whose worker was given up for dead."""
    return Rebuilt(seq=operating.rebuild(consumer=payload.consumer, by=run.requester.id))


@rebuilds(consumer=billing.CONSUMER)
def rebuild_meter() -> int:
    """Make the entered tenant's meter anew; returns the number from which the stream goes on."""
    billing.start_rebuild()
    page = files.list_tree_rows()
    first_seq = last_seq = page.as_of_seq
    count = 0
    while page.items:
        last_seq = page.as_of_seq
        billing.keep_rebuilt(nodes=_as_metered(page.items), as_of_seq=last_seq)
        count += len(page.items)
        jobs.report_progress(count)
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
