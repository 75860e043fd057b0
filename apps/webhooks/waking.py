"""Asking for the job that sends to one receiver. Each has its own, so that one that does not answer keeps no other waiting."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import connection

from apps.webhooks import matching, sql
from apps.webhooks.models import Webhook
from bitvault.events.api import Published, get_head
from bitvault.jobs import api as jobs

CONSUMER = "webhooks"
"""Under which name webhooks read the stream."""

DELIVER = "webhooks.deliver"
SEND = "webhooks.send"


class Deliver(msgspec.Struct, frozen=True):
    """Send to one receiver what it has not had, unless it was changed since."""

    webhook_id: UUID
    round: int


class Send(msgspec.Struct, frozen=True):
    """Send one message again, or a test."""

    delivery_id: UUID


def wake(events: Sequence[Published]) -> None:
    """Ask for the jobs of all receivers that some of the events may concern, in the open transaction of the consumer.

    The rows are locked from here on: a job that is about to end sees that there is more, or has ended and is followed by another.
    """
    wanted = {}
    for row in Webhook.objects.filter(is_enabled=True).order_by("id"):
        seq = next((one.seq for one in reversed(events) if matching.may_concern(row, one)), None)
        if seq is not None:
            wanted[row.id] = seq
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(sql.WANT, [list(wanted), list(wanted.values())])
        found = cursor.fetchall()
    _enqueue(found)


def enqueue(row: Webhook, *, run_at: datetime | None = None) -> None:
    """Ask for the job of a receiver, in the open transaction."""
    _enqueue([(row.id, row.round)], run_at=run_at)


def begin_anew(row: Webhook) -> None:
    """Let a receiver have what waits for it at once, by a job of a new round; the caller saves the row."""
    row.round += 1
    row.next_try_at, row.try_count = None, 0
    row.wanted_seq = max(row.wanted_seq, get_head())
    enqueue(row)


def _enqueue(rounds: Collection[tuple[UUID, int]], *, run_at: datetime | None = None) -> None:
    """Ask for the jobs of receivers, each of its round, however many in two statements."""
    wanted = {f"{webhook_id}:{number}": Deliver(webhook_id=webhook_id, round=number) for webhook_id, number in rounds}
    jobs.enqueue_all(DELIVER, wanted, by=jobs.SYSTEM, run_at=run_at)
