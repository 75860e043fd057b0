"""Carrying out rewinds: Files changes nodes in batches, and the room of each batch's versions is held first, then charged.

A try goes on where the last one has ended, since each batch settles its items in the transaction that changes them. That writes down, too,
under which promise its versions have room: a try that follows one that died before it charged them does so.
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from apps.billing import api as billing
from apps.files.api import rewinds
from apps.files.api.rewinds import RewoundBatch, RunRewind
from bitvault.gateway import room
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, ids


class Rewound(msgspec.Struct, frozen=True):
    """How many nodes are as they were, and how many were kept as they are."""

    rewind_id: UUID
    done_count: int
    kept_count: int


@jobs.job_kind(
    rewinds.JOB,
    payload=RunRewind,
    lane=jobs.BULK,
    tries=5,
    timeout=timedelta(hours=2),
    kept_for=timedelta(days=30),
    tells_end=True,
)
def rewind(payload: RunRewind, run: jobs.Run) -> Rewound:
    """Carry a rewind out, turn by turn over what is left, until a turn gets nothing more done.

    :raises QuotaExceeded: there is not enough room; what was done so far stays, and the rewind can be run again.
    """
    load = rewinds.get_rewind_load(rewind_id=payload.rewind_id)
    if load.charge_id is not None:
        billing.settle(upload_id=load.charge_id, size_bytes=load.charge_bytes)
    left_count = load.left_count
    root_id = None if load.folder_id is None else room.find_root(load.folder_id)
    done_count, position, turn_count = 0, 0, 0
    while True:
        batch = _apply(payload.rewind_id, payload.user_id, position, root_id)
        done_count, turn_count = done_count + batch.settled_count, turn_count + batch.settled_count
        run.report(done_count, left_count)
        if batch.position is None:
            if not turn_count or done_count >= left_count:
                break
            position = turn_count = 0
        else:
            position = batch.position
    settled_count, kept_count = rewinds.finish_rewind(rewind_id=payload.rewind_id)
    return Rewound(rewind_id=payload.rewind_id, done_count=settled_count, kept_count=kept_count)


def _apply(rewind_id: UUID, user_id: UUID, after: int, root_id: UUID | None) -> RewoundBatch:
    size_bytes = rewinds.measure_rewind_batch(rewind_id=rewind_id, after=after)
    if not size_bytes:
        return rewinds.apply_rewind_batch(rewind_id=rewind_id, user_id=user_id, after=after)
    promise_id = ids.new_id()
    billing.reserve(
        actor=None,
        upload_id=promise_id,
        size_bytes=size_bytes,
        expires_at=clock.now() + room.HELD_FOR,
        root_id=root_id,
    )
    try:
        batch = rewinds.apply_rewind_batch(rewind_id=rewind_id, user_id=user_id, after=after, charge_id=promise_id)
    except Exception:
        billing.release(upload_id=promise_id)
        raise
    billing.settle(upload_id=promise_id, size_bytes=batch.size_bytes)
    return batch
