"""Telling who made a link that it ends soon: a job that waits for the day before, and an event that notifications hear."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from apps.links import queries
from apps.links.models import Link
from bitvault.events.api import publish
from bitvault.events.catalog.links import LinkEnding
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db

JOB = "links.tell_of_end"

BEFORE = timedelta(days=1)
"""How long before its end a link is told of: time to let it go on, and not so early that it is forgotten again."""


class TellOfEnd(msgspec.Struct, frozen=True):
    """Which link ends, and when it was to end as this was asked for."""

    link_id: UUID
    expires_at: datetime


def tell_later(row: Link) -> None:
    """Have the end of a link told of in time, in the open transaction; one that lives for less than two days needs no word."""
    if row.expires_at is None or row.expires_at - clock.now() < 2 * BEFORE:
        return
    jobs.enqueue(
        JOB,
        TellOfEnd(link_id=row.id, expires_at=row.expires_at),
        key=f"{row.id.hex}:{row.expires_at.isoformat()}",
        by=jobs.SYSTEM,
        run_at=row.expires_at - BEFORE,
    )


def tell(*, link_id: UUID, expires_at: datetime, run: jobs.Run | None = None) -> bool:
    """Tell that a link ends, and end the job that does so with it; ``False`` where it has ended, or ends at another time by now."""
    with db.write_transaction():
        row = Link.objects.select_for_update(no_key=True).filter(id=link_id).first()
        if row is None or row.expires_at != expires_at or queries.state_of(row) not in ("open", "not_started"):
            return False
        publish(LinkEnding(link_id=row.id, node_id=row.node_id, made_by=row.created_by, expires_at=expires_at))
        if run is not None:
            run.complete()
    return True
