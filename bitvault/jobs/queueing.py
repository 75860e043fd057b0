"""Asking for work: a row in the transaction that wants it, and a nudge after its commit."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

import msgspec

from bitvault.jobs import calling, dtos
from bitvault.jobs.errors import UnknownKind
from bitvault.jobs.kinds import get_kind, list_following
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.errors import ProgrammingError

_RACES = 3
"""How often a job may end between being met by an insert and being read: then it is inserted after all."""


def enqueue(
    kind: str,
    payload: msgspec.Struct,
    *,
    key: str,
    by: dtos.Requester,
    run_at: datetime | None = None,
    for_installation: bool = False,
) -> dtos.Job:
    """Have work done once the open write transaction is committed; it exists if and only if that commits.

    Where an unfinished job of this kind and key is there already, that one is the answer, even if it runs and may have read what this
    transaction changes. Who needs a run that begins later puts what is new (a version, a number of the stream) into the key.

    :param key: what exactly is wanted, within kind and tenant.
    :param run_at: not before this moment.
    :param for_installation: the work belongs to no tenant.
    :raises NoTransaction: no write transaction is open.
    :raises UnknownKind: no function does such jobs, or it takes another payload.
    """
    tx = db.require_writing()
    known = get_kind(kind)
    if type(payload) is not known.payload:
        raise UnknownKind(f"jobs of the kind {kind} take a {known.payload.__name__}, not a {type(payload).__name__}")
    tenant_id = None if for_installation else tenancy.current().id
    now = clock.now()
    for _ in range(_RACES):
        wanted = Job(
            tenant_id=tenant_id,
            kind=kind,
            lane=known.lane,
            key=key,
            payload=msgspec.to_builtins(payload, str_keys=True),
            run_at=run_at or now,
            created_by_kind=by.kind,
            created_by_id=by.id,
            created_at=now,
        )
        # Waits for a transaction that is about to commit the same one.
        Job.objects.bulk_create([wanted], ignore_conflicts=True)
        found = Job.objects.filter(kind=kind, tenant_id=tenant_id, key=key, state__in=dtos.UNFINISHED).first()
        if found is not None:
            tx.after_commit(partial(calling.nudge, known.lane))
            return to_dto(found)
    raise ProgrammingError(f"jobs {kind} {key} end faster than they are asked for")


def enqueue_all(
    kind: str, wanted: Mapping[str, msgspec.Struct], *, by: dtos.Requester, run_at: datetime | None = None
) -> None:
    """Have several works of one kind done in the entered tenant: as ``enqueue`` for each, in two statements for all.

    :param wanted: the payload of each, by its key.
    :raises NoTransaction: no write transaction is open.
    :raises UnknownKind: no function does such jobs, or it takes another payload.
    """
    tx = db.require_writing()
    known = get_kind(kind)
    if unfit := {type(one).__name__ for one in wanted.values() if type(one) is not known.payload}:
        raise UnknownKind(f"jobs of the kind {kind} take a {known.payload.__name__}, not a {', '.join(sorted(unfit))}")
    tenant_id, now = tenancy.current().id, clock.now()
    # In one order everywhere: two transactions that want the same ones wait for each other once.
    missing = sorted(wanted)
    for _ in range(_RACES):
        if not missing:
            break
        rows = [
            Job(
                tenant_id=tenant_id,
                kind=kind,
                lane=known.lane,
                key=key,
                payload=msgspec.to_builtins(wanted[key], str_keys=True),
                run_at=run_at or now,
                created_by_kind=by.kind,
                created_by_id=by.id,
                created_at=now,
            )
            for key in missing
        ]
        Job.objects.bulk_create(rows, ignore_conflicts=True)
        present = Job.objects.filter(kind=kind, tenant_id=tenant_id, key__in=missing, state__in=dtos.UNFINISHED)
        missing = sorted(set(missing) - set(present.values_list("key", flat=True)))
    if missing:
        raise ProgrammingError(f"jobs {kind} {missing[0]} end faster than they are asked for")
    if wanted:
        tx.after_commit(partial(calling.nudge, known.lane))


def enqueue_following(what: str, facts: Mapping[str, object], *, key: str, by: dtos.Requester) -> None:
    """Have done what other modules do when something has happened: a job of each kind that follows it, in the open write transaction.

    Whose module stands below those that follow asks this way: it need not know them, and all of it is wanted by the one commit.

    :param facts: the payload of each of them.
    :raises NoTransaction: no write transaction is open.
    """
    for kind in list_following(what):
        enqueue(kind.name, msgspec.convert(facts, kind.payload), key=key, by=by)


def to_dto(job: Job) -> dtos.Job:
    """Give a row as callers see it."""
    return dtos.Job(
        id=job.id,
        kind=job.kind,
        state=job.state,  # type: ignore[arg-type] # the column holds no other
        done_count=job.done_count,
        total_count=job.total_count,
        result=job.result,
        problem=job.problem,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )
