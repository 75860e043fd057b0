"""Rebuilds: as jobs that operators ask for, and the one of the meter, which takes two modules.

Files shows what there is, Billing counts it. Neither asks the other for it, since Files calls Billing already.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
import structlog
from kombu.exceptions import OperationalError

from apps.billing import api as billing
from apps.billing.dtos import MeteredNode
from apps.files import api as files
from apps.files.dtos import TreeRow
from apps.identity import api as identity
from bitvault.events import operating
from bitvault.events.api import rebuilds
from bitvault.gateway.celery import app
from bitvault.jobs import api as jobs
from bitvault.jobs import operating as job_operating
from bitvault.kernel import clock, db, tenancy

REBUILD_JOB = "events.rebuild"
OUTDATED_TASK = "gateway.rebuild_outdated"
OUTDATED_SECONDS = 50
"""How long a message about outdated derivations may wait: beat sends another each minute."""

FAILED_PAUSE = timedelta(hours=1)
"""How long a rebuild that was begun by itself and has failed is left alone."""

REBUILD_TIMEOUT = timedelta(hours=6)
"""How long a rebuild may take: some 100 million nodes."""


logger = structlog.get_logger(__name__)


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


def request_outdated(*, besides: UUID | None = None) -> bool:
    """Have the next derivation rebuilt that an earlier version has filled, unless one is rebuilt so already; tells whether it was.

    One tenant after another: each rebuild writes all that the tenant has, and people work beside it. One whose job has failed is left
    alone for an hour, and keeps no other waiting.

    :param besides: a job that is about to end.
    """
    outdated = operating.list_outdated()
    if not outdated or job_operating.has_unfinished(kind=REBUILD_JOB, by=jobs.SYSTEM, besides=besides):
        return False
    tenants = {tenant.id: tenant for tenant in identity.list_active_tenants()}
    for consumer, tenant_id in outdated:
        if tenant_id not in tenants:
            continue
        with tenancy.entered(tenants[tenant_id]):
            last = jobs.find_latest(kind=REBUILD_JOB, key=consumer)
            if last is not None and last.finished_at is not None and clock.now() - last.finished_at < FAILED_PAUSE:
                continue
            with db.write_transaction():
                jobs.enqueue(REBUILD_JOB, RebuildConsumer(consumer=consumer), key=consumer, by=jobs.SYSTEM)
            return True
    return False


@jobs.job_kind(REBUILD_JOB, payload=RebuildConsumer, lane=jobs.BULK, tries=3, timeout=REBUILD_TIMEOUT)
def rebuild(payload: RebuildConsumer, run: jobs.Run) -> Rebuilt:
    """Rebuild a derivation, and overtake one whose worker was given up for dead. Another one that is outdated follows."""
    seq = operating.rebuild(consumer=payload.consumer, by=run.requester.id)
    if run.requester == jobs.SYSTEM and operating.list_outdated():
        _call_for_next(run.job_id)
    return Rebuilt(seq=seq)


def _call_for_next(job_id: UUID) -> None:
    """Have the next one asked for at once, where no tenant is entered. Where the message is lost, beat's turn does so within a minute."""
    try:
        app.send_task(OUTDATED_TASK, args=[job_id.hex], expires=OUTDATED_SECONDS, ignore_result=True, retry=False)
    except (OperationalError, OSError) as error:
        logger.info("next_rebuild_waits", error=type(error).__name__)


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
