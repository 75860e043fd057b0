"""Shares whose time is over: the row goes and an event says so, so that devices and open pages learn of it at that moment.

The clock alone takes the right away, whenever this runs. A job waits for the earliest end that a transaction has written, and asks for the
next one when it is done: so for the earliest end of the table there always is one.
"""

import time
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from apps.sharing import queries, telling
from apps.sharing.models import Permission, PrincipalKind
from bitvault.events.api import publish
from bitvault.events.catalog.sharing import ShareExpired
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db

EXPIRE_JOB = "sharing.expire"

BATCH = 500
"""Shares that end in one transaction: some ten milliseconds."""

LEAD = timedelta(seconds=1)
"""How much earlier than the end a worker takes the job up: lanes are looked at once a second, and an end is told within one."""


class Expire(msgspec.Struct, frozen=True):
    """The share whose end the job waits for; it ends all whose time is over."""

    share_id: UUID


def plan(rows: Iterable[Permission]) -> None:
    """Have these shares ended when their time comes, by the open write transaction."""
    ending = [(row.expires_at, row) for row in rows if row.expires_at and row.principal_kind != PrincipalKind.LINK]
    if not ending:
        return
    ends_at, row = min(ending, key=lambda pair: pair[0])
    jobs.enqueue(
        EXPIRE_JOB,
        Expire(share_id=row.id),
        key=f"{row.id.hex}:{ends_at.isoformat()}",
        by=jobs.SYSTEM,
        run_at=ends_at - LEAD,
    )


def end_due(run: jobs.Run) -> int:
    """End what the job waited for and all else whose time is over, and ask for the next one; returns how many shares ended."""
    _wait_for_next()
    count = 0
    while ended := _end_batch():
        count += ended
        run.report(count)
    with db.write_transaction():
        run.complete(count)  # first: the next job may be for the same end, where this one came too early
        _plan_next()
    return count


def sweep() -> int:
    """End what is over, and see that a job waits for the next end, also of shares that are older than these jobs."""
    count = 0
    while ended := _end_batch():
        count += ended
    with db.write_transaction():
        _plan_next()
    return count


def tell(row: Permission) -> None:
    """Publish that the time of a share is over, in the open write transaction."""
    publish(ShareExpired(share_id=row.id, node_id=row.node_id, **telling.name_principal(row)))


def _wait_for_next() -> None:
    """Wait until the next share ends, as long as the job came early."""
    with db.read_transaction():
        ends_at = _list_ending().values_list("expires_at", flat=True).first()
    if ends_at is None:
        return
    seconds = (ends_at - clock.now()).total_seconds()
    if 0 < seconds <= LEAD.total_seconds():
        time.sleep(seconds)


def _end_batch() -> int:
    with db.write_transaction() as tx:
        due = _list_ending().filter(expires_at__lte=clock.now())
        rows = list(due.select_for_update(skip_locked=True)[:BATCH])
        Permission.objects.filter(id__in=[row.id for row in rows]).delete()
        for row in rows:
            tell(row)
        tx.after_commit(queries.forget_remembered)
    return len(rows)


def _plan_next() -> None:
    """Ask for the job of the next end; where one that is over was being changed by somebody, that job comes at once."""
    plan(_list_ending()[:1])


def _list_ending() -> "QuerySet[Permission]":
    rows = Permission.objects.filter(expires_at__isnull=False).exclude(principal_kind=PrincipalKind.LINK)
    return rows.order_by("expires_at", "id")
