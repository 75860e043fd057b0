"""Asking for the jobs that send the audit log on. Each export has its own, so that a receiver that is away keeps no other waiting."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from apps.admin_platform import queries
from apps.admin_platform.config import SIEM_URL
from apps.admin_platform.models import SiemExport
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db

SEND = "audit.siem_send"
TEST = "audit.siem_test"


class SendLog(msgspec.Struct, frozen=True):
    """Send on what one export has not had, unless it was changed since."""

    export_id: UUID
    round: int


class SendTest(msgspec.Struct, frozen=True):
    """Send one message that is no entry."""

    export_id: UUID


def wake() -> None:
    """Ask for the jobs of all exports, in the open transaction that has appended to the log.

    The rows are locked from here on: a job that is about to end sees that there is more, or has ended and is followed by another.
    """
    enqueue(_list_enabled())


def sweep() -> int:
    """Ask for the jobs of exports that are behind, and begin the operators' where they have named an address; returns how many are."""
    url = SIEM_URL.get()
    with db.write_transaction():
        if url:
            row = SiemExport(is_installation=True, created_at=clock.now())
            SiemExport.objects.bulk_create([row], ignore_conflicts=True)
        head, _digest = queries.get_head()
        behind = [row for row in _list_enabled() if row.position < head]
        enqueue(behind)
    return len(behind)


def enqueue(rows: Iterable[SiemExport], *, run_at: datetime | None = None) -> None:
    """Ask for the jobs of exports, each of its round, in the open transaction. One that waits for a further try goes on waiting."""
    wanted = {f"{row.id}:{row.round}": SendLog(export_id=row.id, round=row.round) for row in rows}
    if wanted:
        jobs.enqueue_all(SEND, wanted, by=jobs.SYSTEM, run_at=run_at)


def _list_enabled() -> list[SiemExport]:
    rows = list(SiemExport.objects.select_for_update().filter(is_enabled=True).order_by("id"))
    return [row for row in rows if not row.is_installation or SIEM_URL.get()]
