"""Verifying the chain of the audit log: in steps, each a short transaction, so that it may take as long as the log is long.

Entries never change, so steps of different instants fit together. The last step reads what is left and the head at one instant: what is
appended meanwhile belongs to both or to neither.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from apps.admin_platform import chain, dtos, queries
from bitvault.events.api import get_position
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor

KIND = "audit.verify"
KEY = "log"

STEP = 2000
"""Entries of one step: memory and the length of a transaction (some 50 ms) against round trips. A log of no more is verified at once."""

FRESH = timedelta(seconds=30)
"""How long a result is answered to whoever asks next: to ask in a loop is to read it again."""


class VerifyLog(msgspec.Struct, frozen=True):
    """The entered tenant's log."""


class Progress(msgspec.Struct, frozen=True):
    """How far a verification has come: all entries up to ``number`` fit, and the last of them has this hash."""

    number: int
    hash: str
    as_of_seq: int


Report = Callable[[int, int, Any], None]
"""Takes how many entries are verified, how many there are, and where another try may go on."""


def verify(consumer: str, *, report: Report = lambda *_: None, begun: Progress | None = None) -> dtos.Verification:
    """Recompute the chain of the entered tenant's log from its first entry, or from where an earlier try was, to its head."""
    position = begun.as_of_seq if begun else get_position(consumer)
    number, digest = (begun.number, bytes.fromhex(begun.hash)) if begun else (0, chain.FIRST)
    while True:
        with db.read_transaction(frozen=True):
            head, entries = queries.get_head(), queries.list_links(after=number, limit=STEP)
        for entry, previous, stored in entries:
            reason = None
            if entry["number"] != number + 1:
                return _found(position, head, number, (entry["number"], f"entry {number + 1} is missing"))
            number += 1
            if previous != digest:
                reason = "the hash before it is another"
            else:
                digest = chain.next_hash(digest, entry)
                if digest != stored:
                    reason = "its content does not give its hash"
            if reason is not None:
                return _found(position, head, number, (number, reason))
        if len(entries) < STEP:
            broken = None if (number, digest) == head else (number + 1, "entries at the end are missing")
            return _found(position, head, number, broken)
        report(number, head[0], msgspec.to_builtins(Progress(number, digest.hex(), position)))


def _found(position: int, head: tuple[int, bytes], count: int, broken: tuple[int, str] | None) -> dtos.Verification:
    broken_at, reason = broken or (None, None)
    return dtos.Verification(
        intact=broken is None,
        entry_count=count,
        broken_at=broken_at,
        reason=reason,
        head_number=head[0],
        head_hash=head[1].hex(),
        as_of_seq=position,
    )


def is_short() -> bool:
    """Tell whether the log is verified in one step."""
    with db.read_transaction():
        return queries.count_up_to(STEP) < STEP


def request(actor: Actor, *, min_seq: int) -> dtos.Verification | jobs.Job:
    """Answer with the last result while it is fresh and as of ``min_seq`` at least, else with the job that makes one."""
    last = jobs.find_latest(kind=KIND, key=KEY)
    if last is not None and last.state == "done" and last.finished_at is not None:
        result = read_result(last)
        if last.finished_at > clock.now() - FRESH and result.as_of_seq >= min_seq:
            return result
    with db.write_transaction():
        return jobs.enqueue(KIND, VerifyLog(), key=KEY, by=jobs.Requester.of(actor))


def read_result(job: jobs.Job) -> dtos.Verification:
    """Read what a finished job has found."""
    return msgspec.convert(job.result, dtos.Verification)
