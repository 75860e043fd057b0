"""Reading rewinds and what they do, for whoever has asked for them."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Count

from apps.files.dtos import history as dtos
from apps.files.models import Rewind, RewindItem
from apps.files.past_models import RewindAction
from apps.files.rewinding.applying import WAITING
from apps.files.rewinding.starting import JOB
from apps.files.rows import kind_name
from bitvault.jobs import api as jobs
from bitvault.kernel import db, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import Page

_OUTCOMES: dict[int, dtos.RewindOutcome] = {0: "pending", 1: "done", 2: "kept"}
_CHANGES: dict[RewindAction, dtos.RewindChange] = {
    RewindAction.RESTORE: "restore",
    RewindAction.MOVE: "move",
    RewindAction.CONTENT: "content",
    RewindAction.TRASH: "trash",
}


def find(actor: Actor, rewind_id: UUID) -> Rewind:
    """Find a rewind that the actor has asked for, inside the open transaction.

    :raises NotFound: there is none.
    """
    row = Rewind.objects.filter(id=rewind_id, requested_by=actor.user_id).first()
    if row is None:
        raise NotFound
    return row


def get(actor: Actor, rewind_id: UUID) -> dtos.Rewind:
    """Read a rewind with its counts."""
    with db.read_transaction():
        row = find(actor, rewind_id)
    return describe([row])[0]


def list_of(actor: Actor, *, limit: int, cursor: str | None) -> Page[dtos.Rewind]:
    """Read a page of the rewinds that the actor has asked for, newest first."""
    pages.require_limit(limit)
    with db.read_transaction():
        rows = Rewind.objects.filter(requested_by=actor.user_id).order_by("-id")
        if cursor is not None:
            rows = rows.filter(id__lt=UUID(pages.decode_cursor("files.rewinds", cursor)[0]))
        found = list(rows[: limit + 1])
    items, more = describe(found[:limit]), len(found) > limit
    return Page(items, pages.encode_cursor("files.rewinds", [str(found[limit - 1].id)]) if more else None)


def list_items(
    actor: Actor, rewind_id: UUID, *, outcome: dtos.RewindOutcome | None, limit: int, cursor: str | None
) -> Page[dtos.RewindItem]:
    """Read a page of what a rewind does, in the order in which it does it."""
    pages.require_limit(limit)
    purpose = f"files.rewind:{rewind_id}:{outcome or ''}"
    with db.read_transaction():
        find(actor, rewind_id)
        rows = RewindItem.objects.filter(rewind_id=rewind_id).order_by("position")
        if outcome is not None:
            rows = rows.filter(outcome=next(key for key, name in _OUTCOMES.items() if name == outcome))
        if cursor is not None:
            rows = rows.filter(position__gt=pages.decode_cursor(purpose, cursor)[0])
        found = list(rows[: limit + 1])
    more = len(found) > limit
    next_cursor = pages.encode_cursor(purpose, [found[limit - 1].position]) if more else None
    return Page([_to_item(row) for row in found[:limit]], next_cursor)


def describe(rows: Sequence[Rewind]) -> list[dtos.Rewind]:
    """Make the DTOs of rewinds, outside of any transaction; with the counts and the job of each."""
    ids = [row.id for row in rows]
    with db.read_transaction():
        undoing = Rewind.objects.filter(undoes_id__in=ids, begun_at__isnull=False)
        undone = dict(undoing.values_list("undoes_id", "id"))
        counts = {row_id: _count(row_id) for row_id in ids}
    return [_to_rewind(row, undone.get(row.id), counts[row.id]) for row in rows]


def _to_rewind(row: Rewind, undone_by_id: UUID | None, counts: dtos.RewindCounts) -> dtos.Rewind:
    job = None if row.begun_at is None else jobs.find_latest(kind=JOB, key=row.id.hex)
    return dtos.Rewind(
        id=row.id,
        state=_find_state(row, job),
        folder_id=row.folder_id,
        since=row.since_at,
        until=row.until_at,
        by_kind=row.by_kind,  # type: ignore[arg-type] # no other is stored
        by_id=row.by_id,
        undoes_id=row.undoes_id,
        undone_by_id=undone_by_id,
        planned_seq=row.planned_seq,
        counts=counts,
        hidden_count=row.hidden_count,
        size_bytes=row.size_bytes,
        job_id=None if job is None else job.id,
        created_at=row.created_at,
        begun_at=row.begun_at,
        finished_at=row.finished_at,
    )


def _find_state(row: Rewind, job: jobs.Job | None) -> dtos.RewindState:
    if row.finished_at is not None:
        return "done"
    if row.begun_at is None:
        return "planned"
    return "running" if job is not None and job.state in {"queued", "running"} else "stopped"


def _count(rewind_id: UUID) -> dtos.RewindCounts:
    by_change = dict.fromkeys(_CHANGES, 0)
    by_outcome = dict.fromkeys(_OUTCOMES, 0)
    reasons: dict[str, int] = {}
    groups = RewindItem.objects.filter(rewind_id=rewind_id).order_by().values_list("actions", "outcome", "reason")
    for actions, outcome, reason, count in groups.annotate(count=Count("node_id")):
        by_outcome[outcome] += count
        if _OUTCOMES[outcome] != "kept":
            for action in _CHANGES:
                by_change[action] += count if actions & action else 0
        if reason and not reason.startswith(WAITING):
            reasons[reason] = reasons.get(reason, 0) + count
    return dtos.RewindCounts(
        total=by_outcome[0] + by_outcome[1],
        move=by_change[RewindAction.MOVE],
        restore=by_change[RewindAction.RESTORE],
        trash=by_change[RewindAction.TRASH],
        content=by_change[RewindAction.CONTENT],
        done=by_outcome[1],
        kept=by_outcome[2],
        reasons=reasons,
    )


def _to_item(row: RewindItem) -> dtos.RewindItem:
    return dtos.RewindItem(
        node_id=row.node_id,
        kind=kind_name(row.kind),
        path=row.path,
        name=row.name,
        changes=[name for action, name in _CHANGES.items() if row.actions & action],
        outcome=_OUTCOMES[row.outcome],
        reason="" if row.reason.startswith(WAITING) else row.reason,
    )
