"""The beginning and the end of a rewind: each is an event, and all changes between carry its id."""

from dataclasses import dataclass
from uuid import UUID

import msgspec
from django.db.models import Count, Q

from apps.files import errors
from apps.files.models import Rewind, RewindItem
from apps.files.past_models import RewindOutcome
from apps.files.rewinding import planning, sql
from apps.files.rows import execute
from bitvault.events.api import publish
from bitvault.events.catalog import files
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound

JOB = "files.rewind"
"""The kind of job that carries a rewind out."""


class RunRewind(msgspec.Struct, frozen=True):
    """Which rewind a job carries out, and for whom."""

    rewind_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class RewindLoad:
    """What a job that carries a rewind out begins with."""

    folder_id: UUID | None
    left_count: int
    charge_id: UUID | None
    charge_bytes: int


def measure(rewind_id: UUID) -> RewindLoad:
    """Tell what is left of a rewind, inside the open write transaction."""
    row = lock(rewind_id)
    return RewindLoad(row.folder_id, count_left(rewind_id), row.charge_id, row.charge_bytes)


def start(actor: Actor, rewind_id: UUID) -> jobs.Job:
    """Have a job carry a rewind out, or go on where one has stopped. Rights are judged again: what is forbidden by now is kept.

    :raises RewindOver: it has been carried out.
    """
    with db.write_transaction() as tx:
        row = lock(rewind_id, requested_by=actor.user_id)
        if row.finished_at is not None:
            raise errors.RewindOver
        planning.require_manager(actor, row.folder_id)
        planning.judge(actor, rewind_id)
        if row.begun_at is None:
            row.begun_at = clock.now()
            row.save(update_fields=["begun_at"])
            publish(
                files.RewindStarted(
                    actor_id=actor.user_id,
                    rewind_id=row.id,
                    folder_id=row.folder_id,
                    undoes_id=row.undoes_id,
                    since_seq=row.since_seq,
                    until_seq=row.until_seq,
                    by_kind=row.by_kind,  # type: ignore[arg-type] # no other is stored
                    by_id=row.by_id,
                    item_count=count_left(rewind_id),
                )
            )
        return tx.answer(
            jobs.enqueue(JOB, RunRewind(rewind_id, actor.user_id), key=rewind_id.hex, by=jobs.Requester.of(actor))
        )


def lock(rewind_id: UUID, *, requested_by: UUID | None = None) -> Rewind:
    """Hold the row of a rewind until the open transaction ends.

    :raises NotFound: there is none, or somebody else has asked for it.
    """
    rows = Rewind.objects.select_for_update().filter(id=rewind_id)
    if requested_by is not None:
        rows = rows.filter(requested_by=requested_by)
    row = rows.first()
    if row is None:
        raise NotFound
    return row


def count_left(rewind_id: UUID) -> int:
    """Count what is left to do."""
    return RewindItem.objects.filter(rewind_id=rewind_id, outcome=RewindOutcome.PENDING).count()


def finish(rewind_id: UUID) -> tuple[int, int]:
    """End a rewind: what is left is kept. Returns how many nodes are as they were, and how many are kept. Repeatable."""
    with db.write_transaction():
        row = lock(rewind_id)
        execute(sql.KEEP_LEFT, {"rewind_id": rewind_id})
        ended = RewindItem.objects.filter(rewind_id=rewind_id).aggregate(
            done=Count("pk", filter=Q(outcome=RewindOutcome.DONE)),
            kept=Count("pk", filter=Q(outcome=RewindOutcome.KEPT)),
        )
        done_count, kept_count = ended["done"], ended["kept"]
        if row.finished_at is None:
            row.finished_at = clock.now()
            row.save(update_fields=["finished_at"])
            publish(
                files.RewindFinished(
                    actor_id=row.requested_by,
                    rewind_id=row.id,
                    folder_id=row.folder_id,
                    done_count=done_count,
                    kept_count=kept_count,
                )
            )
    return done_count, kept_count
