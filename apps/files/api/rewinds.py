"""The doors of rewinds: planned first, then carried out by a job, then taken back if somebody wants that."""

from contextlib import suppress
from datetime import date
from uuid import UUID

from apps.files import errors, past
from apps.files.dtos.history import (
    ChangedDays,
    ChangedMoments,
    Rewind,
    RewindActors,
    RewindBy,
    RewindItem,
    RewindOutcome,
)
from apps.files.rewinding import applying, planning, reading, starting, surveying
from apps.files.rewinding.applying import RewoundBatch
from apps.files.rewinding.starting import JOB, RewindLoad, RunRewind
from bitvault.jobs import api as jobs
from bitvault.kernel import db
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page

__all__ = [
    "JOB",
    "RewindLoad",
    "RewoundBatch",
    "RunRewind",
    "apply_rewind_batch",
    "finish_rewind",
    "get_rewind",
    "get_rewind_load",
    "list_changed_days",
    "list_changed_moments",
    "list_rewind_actors",
    "list_rewind_items",
    "list_rewinds",
    "measure_rewind_batch",
    "plan_rewind",
    "plan_undo",
    "start_rewind",
]


@exposed
def plan_rewind(
    *,
    actor: Actor,
    folder_id: UUID | None,
    since: str,
    until: str | None = None,
    by_kind: RewindBy = "",
    by_id: UUID | None = None,
) -> Rewind:
    """Write down what a rewind would do; nothing is changed.

    Without ``by_kind`` a folder goes back to the moment ``since``. With it, what that person, device or token did after ``since`` and up to
    ``until`` is undone, in a folder or wherever the actor manages; what others did later stays.

    :raises NotFound, Forbidden: the actor does not manage the folder.
    :raises PermissionMissing: without a folder, the actor does not manage the team folders.
    :raises RewindUnfit: ``by_kind`` without ``by_id``, ``until`` without them, or neither a folder nor them.
    :raises NotAFolder: ``folder_id`` is a file.
    :raises NotThereThen: the folder was not there at that moment.
    :raises BadMoment, HistoryTooShort, BeyondHead: as ``list_children_as_of``.
    :raises HistoryBehind: the record of what was is not up to date.
    """
    actor.require_scope(Scope.FILES_WRITE)
    named = bool(by_kind)
    if named != (by_id is not None) or (not named and (until is not None or folder_id is None)) or by_kind == "rewind":
        raise errors.RewindUnfit
    with db.read_transaction():
        planning.require_manager(actor, folder_id)
        with suppress(errors.HistoryTooShort):  # what is not recorded yet may be so by then
            past.find_moment(since)  # other moments that are none are refused before anybody waits
    planning.wait_for_history()
    with db.write_transaction():
        begin = past.find_moment(since)
        end = None if until is None else past.find_moment(until)
        row = planning.plan(actor, folder_id, since=begin, until=end, by_kind=by_kind, by_id=by_id)
    return reading.describe([row])[0]


@exposed
def plan_undo(*, actor: Actor, rewind_id: UUID) -> Rewind:
    """Write down how all that a rewind has done is taken back; what somebody did later stays.

    :raises RewindNotBegun: it has changed nothing yet.
    """
    actor.require_scope(Scope.FILES_WRITE)
    with db.read_transaction():
        begun = reading.find(actor, rewind_id)
    if begun.begun_at is None:
        raise errors.RewindNotBegun
    planning.wait_for_history()
    with db.write_transaction():
        row = planning.plan(
            actor,
            begun.folder_id,
            since=past.Moment(begun.planned_seq, begun.begun_at),
            until=None,
            by_kind="rewind",
            by_id=rewind_id,
            undoes_id=rewind_id,
        )
    return reading.describe([row])[0]


@exposed
def get_rewind(*, actor: Actor, rewind_id: UUID) -> Rewind:
    """Read a rewind that the actor has asked for.

    :raises NotFound: there is none.
    """
    actor.require_scope(Scope.FILES_READ)
    return reading.get(actor, rewind_id)


@exposed
def list_rewinds(*, actor: Actor, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> Page[Rewind]:
    """Read a page of the rewinds that the actor has asked for, newest first.

    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return reading.list_of(actor, limit=limit, cursor=cursor)


@exposed
def list_rewind_items(
    *,
    actor: Actor,
    rewind_id: UUID,
    outcome: RewindOutcome | None = None,
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
) -> Page[RewindItem]:
    """Read a page of what a rewind does, or has done, item by item.

    :raises NotFound: the actor has not asked for it.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return reading.list_items(actor, rewind_id, outcome=outcome, limit=limit, cursor=cursor)


@exposed
def list_changed_days(*, actor: Actor, folder_id: UUID, days: int = 30, zone: str = "UTC") -> ChangedDays:
    """Count what was changed in a folder on each of the last days, for who manages it.

    :raises NotFound, Forbidden: the actor does not manage the folder.
    :raises NotAFolder: it is a file.
    :raises BadMoment: there is no such time zone.
    :raises HistoryBehind: the record of what was is not up to date.
    """
    actor.require_scope(Scope.FILES_READ)
    return surveying.list_days(actor, folder_id, days=days, zone=surveying.read_zone(zone))


@exposed
def list_changed_moments(
    *, actor: Actor, folder_id: UUID, day: date | None = None, zone: str = "UTC"
) -> ChangedMoments:
    """List when something was changed in a folder on a day (today), and by whom, for who manages it; raises as ``list_changed_days``."""
    actor.require_scope(Scope.FILES_READ)
    return surveying.list_moments(actor, folder_id, day=day, zone=surveying.read_zone(zone))


@exposed
def list_rewind_actors(
    *, actor: Actor, folder_id: UUID, since: str | None = None, until: str | None = None
) -> RewindActors:
    """List who changed something in a folder in an interval (the last day), and by which devices and tokens, for who manages it.

    :raises NotFound, Forbidden: the actor does not manage the folder.
    :raises NotAFolder: it is a file.
    :raises BadMoment, HistoryTooShort, BeyondHead: as ``list_children_as_of``.
    :raises HistoryBehind: the record of what was is not up to date.
    """
    actor.require_scope(Scope.FILES_READ)
    return RewindActors(items=surveying.list_actors(actor, folder_id, since=since, until=until))


@exposed
def start_rewind(*, actor: Actor, rewind_id: UUID) -> jobs.Job:
    """Have a job carry a rewind out, or go on where one has stopped; returns the job. Rights are judged again.

    :raises NotFound: the actor has not asked for it, or may not know of the folder any more.
    :raises RewindOver: it has been carried out.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return starting.start(actor, rewind_id)


@exposed
def get_rewind_load(*, rewind_id: UUID) -> RewindLoad:
    """Tell, for the job, which folder a rewind is of, how many items are left, and what an earlier try may not have charged."""
    with db.write_transaction():
        return starting.measure(rewind_id)


@exposed
def measure_rewind_batch(*, rewind_id: UUID, after: int) -> int:
    """Tell how many bytes the versions take at most that the next batch brings back."""
    with db.read_transaction():
        return applying.measure(rewind_id, after)


@exposed
def apply_rewind_batch(
    *, rewind_id: UUID, user_id: UUID, after: int, charge_id: UUID | None = None, limit: int = applying.BATCH
) -> RewoundBatch:
    """Carry out the next items of a rewind behind a position, in one transaction, for the job.

    :param charge_id: the promise of the room that the versions take: written down with them, so that another try can charge it.
    """
    return applying.apply_batch(rewind_id=rewind_id, user_id=user_id, after=after, charge_id=charge_id, limit=limit)


@exposed
def finish_rewind(*, rewind_id: UUID) -> tuple[int, int]:
    """End a rewind: what is left is kept. Returns how many nodes are as they were, and how many are kept. Repeatable."""
    return starting.finish(rewind_id)
