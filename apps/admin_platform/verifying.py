"""Verifying the chain of the audit log: in steps, each a short transaction, so that it may take as long as the log is long.

Entries never change, so steps of different instants fit together. The last step reads what is left and the head at one instant: what is
appended meanwhile belongs to both or to neither.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from apps.admin_platform import anchoring, chain, dtos, queries
from apps.admin_platform.models import AuditAnchor
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
    anchor_count: int = 0
    anchor_mark: str = chain.FIRST.hex()
    """What the next anchor names as the one before it."""


Report = Callable[[int, int, Any], None]
"""Takes how many entries are verified, how many there are, and where another try may go on."""


class _Anchors:
    """Follows the anchors beside the chain."""

    def __init__(self, begun: Progress) -> None:
        self.count, self._mark = begun.anchor_count, bytes.fromhex(begun.anchor_mark)
        self.last_at: datetime | None = None
        self.waiting: dict[int, AuditAnchor] = {}
        """Anchors of the step under way, by the entry that they sign."""

    @property
    def mark(self) -> str:
        return self._mark.hex()

    def find_fault(self, number: int, digest: bytes) -> str | None:
        """Compare an entry's hash with what was signed of it."""
        row = self.waiting.pop(number, None)
        if row is None:
            return None
        if row.index != self.count + 1 or bytes(row.previous) != self._mark:
            return f"anchor {self.count + 1} is missing or was altered"
        if not anchoring.is_signed(row):
            return f"the signature of anchor {row.index} is false"
        if bytes(row.hash) != digest:
            return f"anchor {row.index} signs another hash of it: the log up to here was rewritten"
        self.count, self._mark, self.last_at = row.index, anchoring.mark_of(row), row.anchored_at
        return None


def verify(consumer: str, *, report: Report = lambda *_: None, begun: Progress | None = None) -> dtos.Verification:
    """Recompute the chain of the entered tenant's log from its first entry, or from where an earlier try was, to its head.

    What the anchors sign is compared on the way.
    """
    begun = begun or Progress(0, chain.FIRST.hex(), get_position(consumer))
    position, number, digest = begun.as_of_seq, begun.number, bytes.fromhex(begun.hash)
    anchors = _Anchors(begun)
    while True:
        with db.read_transaction(frozen=True):
            head, entries = queries.get_head(), queries.list_links(after=number, limit=STEP)
            last = entries[-1][0]["number"] if len(entries) == STEP else None
            anchors.waiting = {row.number: row for row in anchoring.list_between(after=number, last=last)}
        for entry, previous, stored in entries:
            reason = None
            if entry["number"] != number + 1:
                return _found(position, head, number, (entry["number"], f"entry {number + 1} is missing"), anchors)
            number += 1
            if previous != digest:
                reason = "the hash before it is another"
            else:
                digest = chain.next_hash(digest, entry)
                reason = (
                    "its content does not give its hash" if digest != stored else anchors.find_fault(number, digest)
                )
            if reason is not None:
                return _found(position, head, number, (number, reason), anchors)
        if len(entries) < STEP:
            is_whole = (number, digest) == head and not anchors.waiting
            broken = None if is_whole else (number + 1, "entries at the end are missing")
            return _found(position, head, number, broken, anchors)
        here = Progress(number, digest.hex(), position, anchors.count, anchors.mark)
        report(number, head[0], msgspec.to_builtins(here))


def _found(
    position: int, head: tuple[int, bytes], count: int, broken: tuple[int, str] | None, anchors: _Anchors
) -> dtos.Verification:
    broken_at, reason = broken or (None, None)
    return dtos.Verification(
        intact=broken is None,
        entry_count=count,
        broken_at=broken_at,
        reason=reason,
        head_number=head[0],
        head_hash=head[1].hex(),
        as_of_seq=position,
        anchor_count=anchors.count,
        last_anchored_at=anchors.last_at,
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
